"""Two mounts of one fork: what is done through one is seen in the other at once.

usage: two_mounts.py MOUNT MOUNT [one]

With `one` they are to be one file system, with one cache and one set of locks."""
import fcntl, mmap, os, sys, threading

pair = sys.argv[1:3]
failures = 0


def check(what, wanted, found):
    global failures
    if wanted != found:
        failures += 1
        print(f"{what}: {found!r}, should be {wanted!r}")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data, at=None):
    file = os.open(path, os.O_RDWR | os.O_CREAT | (os.O_TRUNC if at is None else 0))
    os.pwrite(file, data, at or 0)
    os.close(file)


for turn in range(40):
    one, two = (pair, pair[::-1])[turn % 2]
    name = f"/f{turn}"
    check("before", False, os.path.exists(two + name))
    write(one + name, b"a" * 10000)
    check("a new file", b"a" * 10000, read(two + name))
    reader = os.open(two + name, os.O_RDONLY)
    mapped = mmap.mmap(reader, 10000, mmap.MAP_SHARED, mmap.PROT_READ)
    check("mapped before", b"aaa", mapped[:3])
    write(one + name, b"xyz", at=5000)
    check("an open file", b"axyza", os.pread(reader, 5, 4999))
    check("a mapping", b"axyza", mapped[4999:5004])
    mapped.close()
    os.truncate(one + name, 100)
    check("its size", 100, os.fstat(reader).st_size)
    os.truncate(one + name, 10000)
    check("what was cut off", b"\0" * 3, os.pread(reader, 3, 5000))
    os.close(reader)
    os.chmod(one + name, 0o640)
    check("its mode", 0o640, os.stat(two + name).st_mode & 0o777)
    os.setxattr(one + name, "user.x", b"v")
    check("an attribute", b"v", os.getxattr(two + name, "user.x"))
    os.rename(one + name, one + "/g")
    check("the old name", False, os.path.exists(two + name))
    check("the new name", 10000, os.stat(two + "/g").st_size)
    check("a listing", True, "g" in os.listdir(two))
    os.mkdir(one + "/d")
    write(two + "/d/x", b"1")
    check("a directory", ["x"], os.listdir(one + "/d"))
    os.unlink(one + "/d/x")
    os.rmdir(two + "/d")
    os.unlink(two + "/g")
    check("a removed one", False, os.path.exists(one + "/g"))

# A file of the base that one mount reads by the kernel while the other changes it.
reader = os.open(pair[0] + "/base", os.O_RDONLY)
check("the base", b"base", os.pread(reader, 4, 0))
write(pair[1] + "/base", b"B", at=0)
check("the base, opened anew", b"Base", read(pair[0] + "/base")[:4])
write(pair[0] + "/base", b"C", at=1)
check("and back", b"BCse", read(pair[1] + "/base")[:4])
os.close(reader)


# Both write the same page and the same directory: neither waits for the other for good.
def work(place, byte):
    for turn in range(100):
        file = os.open(place + "/both", os.O_RDWR | os.O_CREAT)
        os.pwrite(file, byte * 100, 0)
        os.close(file)
        write(f"{place}/t{byte.hex()}{turn % 5}", byte)
        os.unlink(f"{place}/t{byte.hex()}{turn % 5}")


threads = [threading.Thread(target=work, args=x) for x in ((pair[0], b"1"), (pair[1], b"2"))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
check("who was last", read(pair[0] + "/both"), read(pair[1] + "/both"))


# Both append, each by a process of its own: no line is lost, nor half of one.
def append(place, word):
    if os.fork() == 0:
        for turn in range(200):
            file = os.open(place + "/log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(file, f"{word} {turn}\n".encode())
            os.close(file)
        os._exit(0)


for place, word in zip(pair, ("one", "two")):
    append(place, word)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
wanted = sorted(f"{word} {turn}".encode() for word in ("one", "two") for turn in range(200))
for place in pair:
    check("appended lines", wanted, sorted(read(place + "/log").splitlines()))


def is_refused(lock, place):
    """Whether another process may not lock a file."""
    if os.fork() == 0:
        file = os.open(place + "/locked", os.O_RDWR)
        try:
            lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os._exit(1)
        os._exit(0)
    return os.wait()[1] != 0


if sys.argv[3:] == ["one"]:
    check("the device", os.stat(pair[0]).st_dev, os.stat(pair[1]).st_dev)
    write(pair[0] + "/locked", b"s" * 5000)
    for lock in fcntl.flock, fcntl.lockf:
        file = os.open(pair[0] + "/locked", os.O_RDWR)
        lock(file, fcntl.LOCK_EX)
        check(f"{lock.__name__} elsewhere", True, is_refused(lock, pair[1]))
        os.close(file)
        check(f"{lock.__name__} afterwards", False, is_refused(lock, pair[1]))
    file, other = (os.open(place + "/locked", os.O_RDWR) for place in pair)
    mapped, seen = mmap.mmap(file, 5000), mmap.mmap(other, 5000)
    mapped[4500:4503] = b"tuv"
    check("a store", b"stuv", os.pread(other, 4, 4499))
    check("a store, mapped", b"stuv", seen[4499:4503])
sys.exit(1 if failures else 0)
