# Writes a file in large pieces while it is mapped and the mapping is changed, in the directory named,
# through a descriptor for writing alone or for both, and compares both views with what they must be.
# Prints how much of it the kernel keeps in its cache.
import ctypes, mmap, os, sys, time

os.chdir(sys.argv[1])
MIB = 1 << 20
HALF = MIB // 2
COUNT = 64
model = bytearray(COUNT * MIB)
shared = os.open('large', os.O_CREAT | os.O_RDWR, 0o644)
os.ftruncate(shared, len(model))
view = mmap.mmap(shared, len(model))
for index in range(COUNT):
    mark = b'mark %d' % index
    view[index * MIB + 5:index * MIB + 5 + len(mark)] = mark
    model[index * MIB + 5:index * MIB + 5 + len(mark)] = mark
writer = os.open('large', {'writing': os.O_WRONLY, 'both': os.O_RDWR}[sys.argv[2]])
for index in range(COUNT):
    piece = os.urandom(16) * (HALF // 16)
    assert os.pwrite(writer, piece, index * MIB + HALF) == HALF
    model[index * MIB + HALF:(index + 1) * MIB] = piece
os.close(writer)

libc = ctypes.CDLL(None, use_errno=True)
pages = len(model) // mmap.PAGESIZE
held = (ctypes.c_ubyte * pages)()
start = ctypes.addressof(ctypes.c_char.from_buffer(view))


def kept():
    assert libc.mincore(ctypes.c_void_p(start), ctypes.c_size_t(len(model)), held) == 0
    return sum(page & 1 for page in held) * mmap.PAGESIZE // MIB


# The kernel is told by a thread of its own.
for tries in range(40):
    if kept() < 25: break
    time.sleep(0.05)
print('kept', kept())
for tries in range(2):
    with open('large', 'rb') as file:
        assert file.read() == model, 'read'
    assert view[:] == model, 'mapped'
    os.fsync(shared)
