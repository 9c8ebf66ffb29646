import CStrataSystem
import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import SystemPackage
import Testing

@Suite struct HostDirectoryTests {
  let tree: TemporaryDirectory
  let base: HostDirectory

  init() throws {
    tree = try TemporaryDirectory()
    try Self.shell(
      """
      mkdir -p a/b; echo one > a/f; ln a/f a/b/hard; ln -s /etc/passwd out; ln -s / root
      mkfifo pipe; mknod null c 1 3; truncate -s 1M sparse; printf x | dd of=sparse bs=1 seek=500000 \
      conv=notrunc status=none; setfattr -n user.k -v v a/f 2>/dev/null || true
      python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
      """, in: tree)
    base = try HostDirectory(path: Array(tree.path.utf8))
  }

  static func shell(_ script: String, in tree: TemporaryDirectory) throws {
    let child = try ChildProcess(["sh", "-ec", "cd '\(tree.path)'; \(script)"])
    try #require(child.status == 0, "\(child.text)")
  }

  func path(_ names: String...) -> BasePath { names.reduce(.empty) { $0.appending(Name($1)) } }

  @Test func `names of one inode have one identity and two links`() throws {
    let first = try #require(try base.status(of: path("a", "f")))
    let second = try #require(try base.status(of: path("a", "b", "hard")))
    #expect(first.identity == second.identity && first.links == 2 && first.size == 4)
  }

  @Test func `what is not there is nil, also below a file`() throws {
    #expect(try base.status(of: path("nope")) == nil)
    #expect(try base.status(of: path("a", "f", "x")) == nil)
  }

  @Test func `symbolic links are seen, not followed`() throws {
    #expect(try base.status(of: path("out"))?.kind == .symlink)
    #expect(try base.readLink(path("out")) == Array("/etc/passwd".utf8))
    #expect(try base.status(of: path("root", "etc")) == nil)
    #expect(throws: FileError(.tooManySymbolicLinkLevels)) { try base.open(path("out")) }
    #expect(throws: FileError.self) { try base.open(path("root", "etc", "passwd")) }
  }

  @Test func `a directory that became a link leads nowhere`() throws {
    #expect(try base.status(of: path("a", "f")) != nil)
    try Self.shell("mv a a2; ln -s /etc a", in: tree)
    #expect(try base.status(of: path("a", "passwd")) == nil)
    #expect(throws: FileError.self) { try base.open(path("a", "passwd")) }
  }

  @Test(.timeLimit(.minutes(1))) func `special files are seen as they are and wait for nobody`()
    throws
  {
    #expect(try base.status(of: path("pipe"))?.kind == .fifo)
    #expect(try base.status(of: path("sock"))?.kind == .socket)
    let null = try #require(try base.status(of: path("null")))
    #expect(null.kind == .characterDevice && null.device == 0x103)
    #expect(throws: FileError.self) { try base.open(path("pipe")) }
    let kinds = Dictionary(
      uniqueKeysWithValues: try base.list(.empty).map { ($0.name, $0.kind) })
    #expect(kinds["pipe"] == .fifo && kinds["a"] == .directory && kinds["out"] == .symlink)
  }

  @Test func `holes are told from data`() throws {
    let file = try base.open(path("sparse"))
    let data = try #require(try file.data(after: 0))
    #expect(data.contains(500_000) && data.count < 1 << 20)
    #expect(try file.data(after: data.upperBound) == nil)
  }

  @Test func `extended attributes and ACLs come with all their bytes`() throws {
    let acl: [UInt8] =
      [2, 0, 0, 0] + [1, 0, 6, 0, 255, 255, 255, 255]
      + [2, 0, 4, 0, 1, 0, 0, 0] + [4, 0, 4, 0, 255, 255, 255, 255]
      + [16, 0, 4, 0, 255, 255, 255, 255] + [32, 0, 4, 0, 255, 255, 255, 255]
    try Self.shell(
      """
      python3 -c 'import os
      os.setxattr("a/f", "user.bytes", bytes([0, 255, 10]))
      os.setxattr("a/f", "system.posix_acl_access", bytes(\(acl)))'
      """, in: tree)
    let found = try base.extendedAttributes(of: path("a", "f"))
    #expect(found["user.bytes"] == [0, 255, 10])
    #expect(found["system.posix_acl_access"] == acl)
  }

  @Test func `names are bytes`() throws {
    let odd: [UInt8] = [0xFF, 0xFE, 10, 0x41]
    let long = [UInt8](repeating: 0xE9, count: 255)
    try Self.shell(
      """
      python3 -c 'open(bytes(\(odd)), "w"); open(b"\\xe9" * 255, "w")'
      """, in: tree)
    for name in [odd, long] {
      let status = try base.status(of: BasePath.empty.appending(Name(name)))
      #expect(status?.kind == .regular)
    }
    let names = try base.list(.empty).map(\.name)
    #expect(names.contains(Name(odd)) && names.contains(Name(long)))
  }

  @Test func `paths longer than PATH_MAX work`() throws {
    try Self.shell(
      """
      name=$(printf 'd%.0s' $(seq 200))
      python3 - "$name" <<'END'
      import os, sys
      for _ in range(30):
          os.mkdir(sys.argv[1]); os.chdir(sys.argv[1])
      open("leaf", "w").write("deep")
      END
      """, in: tree)
    var place = BasePath.empty
    for _ in 0..<30 { place = place.appending(Name([UInt8](repeating: 0x64, count: 200))) }
    let file = try base.open(place.appending("leaf"))
    var buffer = [UInt8](repeating: 0, count: 4)
    let count = try buffer.withUnsafeMutableBytes { bytes in try file.read(into: bytes, at: 0) }
    #expect(count == 4 && buffer == Array("deep".utf8))
  }

  @Test func `a change of an open file shows in its stamp`() throws {
    let file = try base.open(path("a", "f"))
    let before = try file.stamp()
    #expect(try file.stamp() == before)
    try Self.shell("echo more >> a/f", in: tree)
    #expect(try file.stamp() != before)
  }

  @Test func `reading leaves access times alone`() throws {
    try Self.shell("touch -a -d '2001-01-01' a/f", in: tree)
    let before = try #require(try base.status(of: path("a", "f"))).accessed
    let file = try base.open(path("a", "f"))
    var byte: [UInt8] = [0]
    _ = try byte.withUnsafeMutableBytes { bytes in try file.read(into: bytes, at: 0) }
    let after = try #require(try base.status(of: path("a", "f"))).accessed
    #expect(after == before)
  }

  @Test(.enabled(if: geteuid() == 0, "needs a user who is refused something"))
  func `an unreadable directory refuses itself, not the listing around it`() throws {
    try Self.shell("mkdir closed; chmod 700 closed; chmod 755 .", in: tree)
    // Of all its numbers, only this one does glibc set for the calling thread alone.
    strata_set_thread_user(65534)
    defer { strata_set_thread_user(0) }
    let names = try base.list(.empty).map(\.name)
    #expect(names.contains("closed"))
    #expect(throws: FileError(.permissionDenied)) { _ = try base.list(path("closed")) }
    #expect(throws: FileError(.permissionDenied)) { _ = try base.status(of: path("closed", "x")) }
  }

  @Test func `a base that is no directory is refused`() throws {
    #expect(throws: FileError(.notDirectory)) {
      try HostDirectory(path: Array(tree.appending("a/f").utf8))
    }
    #expect(throws: FileError(.noSuchFileOrDirectory)) {
      try HostDirectory(path: Array(tree.appending("nope").utf8))
    }
  }
}
