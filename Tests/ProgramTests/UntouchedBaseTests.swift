import Glibc
import StrataTestSupport
import Testing

/// Whatever programs do in a fork, no byte of the base's device changes, and no attribute of its files.
@Suite(.enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0))
struct UntouchedBaseTests {
  private static let deeds = """
    import mmap, os
    def shared(name, flags):
        f = os.open(name, flags)
        return f, mmap.mmap(f, 0, mmap.MAP_SHARED,
          mmap.PROT_READ | (mmap.PROT_WRITE if flags == os.O_RDWR else 0))
    # A mapping that only reads, which the kernel may serve past us; then one that writes.
    reader, seen = shared("large", os.O_RDONLY)
    before = seen[4096:4104]
    writer, mapping = shared("large", os.O_RDWR)
    mapping[4096:4104] = b"changed!"
    mapping.flush()
    assert before != b"changed!"
    # What a descriptor that reads is given can be written through by no way.
    for way in (lambda: os.write(reader, b"x"), lambda: os.ftruncate(reader, 0),
                lambda: mmap.mmap(reader, 0, mmap.MAP_SHARED, mmap.PROT_WRITE)):
        try:
            way()
            raise SystemExit("a descriptor for reading was written through")
        except (OSError, PermissionError):
            pass
    private = mmap.mmap(reader, 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
    private[0:5] = b"quiet"
    again = os.open(f"/proc/self/fd/{writer}", os.O_RDWR)
    os.pwrite(again, b"through proc", 20000)
    direct = os.open("small", os.O_RDWR | os.O_APPEND)
    os.write(direct, b"more")
    os.fsync(direct)
    os.posix_fallocate(direct, 0, 100000)
    os.truncate("cut", 1)
    os.chmod("small", 0o600); os.chown("small", 1, 1); os.utime("small", (1, 1))
    os.setxattr("small", "user.a", b"b")
    os.rename("dir", "moved"); os.link("small", "moved/link"); os.unlink("gone")
    os.symlink("x", "moved/symlink"); os.mkfifo("moved/pipe"); os.utime("moved/inner", (2, 2))
    print("done")
    """

  private static let content = """
    cd base; head -c 3000000 /dev/urandom > large; echo small > small; yes | head -c 5000 > cut
    mkdir dir; echo inner > dir/inner; echo gone > gone; cd ..
    """

  /// On a device that takes no writes, every one would fail; on one that does, every one would show.
  @Test(arguments: ["", "--no-passthrough"], [true, false])
  func `a base is the same to the last bit, its times and its device too`(
    _ options: String, _ isOnDevice: Bool
  ) throws {
    let place = try TemporaryDirectory()
    try place.write("deeds.py", Self.deeds)
    @discardableResult func sh(_ script: String) throws -> String {
      let child = try ChildProcess(["sh", "-ec", "cd '\(place.path)'; \(script)"])
      #expect(child.status == 0, "\(script): \(child.text)")
      return child.text
    }
    try sh("mkdir base mount")
    var look = """
      find base -printf '%p %i %n %m %U %G %s %T@ %C@\\n' | sort
      find base -type f | sort | xargs sha256sum
      """
    if isOnDevice {
      try sh(
        "truncate -s 32M image; mkfs.ext4 -q -E lazy_itable_init=0 image; mount -o loop image base")
      look += "; sha256sum image"
    }
    defer { _ = try? ChildProcess(["umount", "-l", "\(place.path)/mount", "\(place.path)/base"]) }
    try sh(Self.content)
    if isOnDevice {
      // The device may still be busy with the former mount.
      let mount = "mount -o loop,ro,noload image base"
      try sh("umount base; \(mount) || { sleep 1; \(mount); }")
    }
    let before = try sh(look)
    let mount = "\(place.path)/mount"
    let result = try Finished.strata(
      [
        "--base", "\(place.path)/base", "-c",
        """
        mount main \(mount) \(options)
        !sh -c 'cd \(mount); python3 \(place.path)/deeds.py'
        cat /small
        """,
      ], in: place.path)
    #expect(result.output.contains("done\nsmall\nmore"), "\(result)")
    #expect(try sh(look) == before)
  }
}
