import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import SystemPackage
import Testing

/// What else than content is made on the host, and in whose name.
@Suite struct HostTreeTests {
  let tree: TemporaryDirectory
  let host = HostTree()

  init() throws {
    tree = try TemporaryDirectory()
    try tree.setMode(".", 0o755)
  }

  @Test func `directories are made, and one that is there will do if that is said`() throws {
    try host.makeDirectory(tree.bytes("d/"), mode: 0o750)
    #expect(try tree.status("d").st_mode & 0o7777 == 0o750 & ~0o022)
    #expect(throws: FileError.exists) { try host.makeDirectory(tree.bytes("d")) }
    try host.makeDirectory(tree.bytes("d"), existing: .replace)
    try tree.write("f", "")
    try tree.makeSymlink("link", to: "d")
    #expect(throws: FileError.notDirectory) {
      try host.makeDirectory(tree.bytes("f"), existing: .replace)
    }
    #expect(throws: FileError.notDirectory) {
      try host.makeDirectory(tree.bytes("link"), existing: .replace)
    }
  }

  @Test func `symbolic links keep their target's bytes and their own times`() throws {
    let target: [UInt8] = [0xFF, 10, 0x2F] + [UInt8](repeating: 0x61, count: 3000)
    let refused = try host.makeSymlink(
      tree.bytes("link"), target: target, HostAttributes(mode: 0o600, modified: -1_500_000_000))
    #expect(refused.isEmpty)
    #expect(try host.readLink(tree.bytes("link")) == target)
    let status = try #require(try host.status(tree.bytes("link")))
    #expect(status.kind == .symlink && status.modified == -1_500_000_000)
    #expect(throws: FileError.exists) { try host.makeSymlink(tree.bytes("link"), target: [0x62]) }
    try host.makeSymlink(tree.bytes("link"), target: [0x62], existing: .replace)
    #expect(try host.readLink(tree.bytes("link")) == [0x62])
    #expect(try tree.names() == ["link"])
  }

  @Test func `a directory is not replaced by something else`() throws {
    try host.makeDirectory(tree.bytes("d"))
    #expect(throws: FileError.isDirectory) {
      try host.makeSymlink(tree.bytes("d"), target: [0x62], existing: .replace)
    }
    #expect(try tree.names() == ["d"])
  }

  @Test func `FIFOs and sockets are made with their attributes`() throws {
    try host.makeSpecial(tree.bytes("pipe"), .fifo, HostAttributes(mode: 0o622, modified: 5))
    try host.makeSpecial(tree.bytes("sock"), .socket, mode: 0o600)
    let pipe = try #require(try host.status(tree.bytes("pipe")))
    #expect(pipe.kind == .fifo && pipe.mode == 0o622 && pipe.modified == 5)
    #expect(try host.status(tree.bytes("sock"))?.kind == .socket)
    #expect(throws: FileError.invalid) { try host.makeSpecial(tree.bytes("x"), .regular) }
    #expect(throws: FileError.invalid) { try host.open(tree.bytes("pipe")) }
  }

  @Test(.timeLimit(.minutes(1)))
  func `a FIFO takes bytes in order, with zeros for what is skipped`() throws {
    try tree.makeNode("pipe", mode: S_IFIFO | 0o600)
    let reader = open(tree.appending("pipe"), O_RDWR | O_NONBLOCK | O_CLOEXEC)
    try #require(reader >= 0)
    defer { close(reader) }
    let output = try host.create(tree.bytes("pipe"))
    try output.write([1, 2], at: 0)
    try output.write([3], at: 4)
    #expect(throws: FileError(.illegalSeek)) { try output.write([4], at: 0) }
    try output.extend(to: 6)
    try output.finish()
    var bytes = [UInt8](repeating: 9, count: 16)
    let count = read(reader, &bytes, bytes.count)
    #expect(bytes.prefix(max(count, 0)) == [1, 2, 0, 0, 3, 0])
    #expect(try host.status(tree.bytes("pipe"))?.kind == .fifo)
  }

  @Test(.enabled(if: isRoot, "devices are root's to make"))
  func `a device is written to and stays what it is`() throws {
    try host.makeSpecial(tree.bytes("null"), .characterDevice, device: 0x103)
    let output = try host.create(tree.bytes("null"))
    try output.write([1, 2, 3], at: 0)
    try output.setAttributes(HostAttributes(mode: 0))
    try output.finish()
    let null = try #require(try host.status(tree.bytes("null")))
    #expect(null.kind == .characterDevice && null.device == 0x103 && null.mode & 0o600 == 0o600)
  }

  @Test func `hard links are made, and names removed`() throws {
    try tree.write("f", "x")
    try host.link(tree.bytes("f"), as: tree.bytes("g"))
    #expect(try host.status(tree.bytes("g"))?.links == 2)
    #expect(throws: FileError.exists) { try host.link(tree.bytes("f"), as: tree.bytes("g")) }
    try host.makeDirectory(tree.bytes("d"))
    for name in ["f", "g", "d"] { try host.remove(tree.bytes(name)) }
    #expect(try tree.names() == [])
    #expect(throws: FileError.notFound) { try host.remove(tree.bytes("f")) }
    #expect(try host.status(tree.bytes("f")) == nil)
  }

  @Test func `listing and status follow what the user typed`() throws {
    try tree.makeDirectory("d")
    try tree.write("d/f", "abc")
    try tree.makeSymlink("link", to: "d")
    let inode = try tree.status("d/f").st_ino
    #expect(
      try host.list(tree.bytes("link")) == [
        BaseEntry(name: "f", kind: .regular, inode: UInt64(inode))
      ])
    #expect(try host.status(tree.bytes("link"))?.kind == .symlink)
    #expect(try host.status(tree.bytes("link"), follow: true)?.kind == .directory)
    #expect(try host.status(tree.bytes("link/f"))?.size == 3)
    #expect(throws: FileError.notDirectory) { try host.list(tree.bytes("d/f")) }
  }

  @Test(.enabled(if: isRoot, "owners are root's to set"))
  func `all attributes are kept where they may be`() throws {
    let given = HostAttributes(
      mode: 0o6755, uid: 12, gid: 34, accessed: 1_000_000_001, modified: 2_000_000_002,
      extendedAttributes: ["user.k": [1, 0, 2], "trusted.t": [7]])
    try tree.write("f", "x")
    #expect(try host.setAttributes(tree.bytes("f"), given) == [])
    let status = try #require(try host.status(tree.bytes("f")))
    #expect(status.mode == 0o6755 && status.uid == 12 && status.gid == 34)
    #expect(status.accessed == 1_000_000_001 && status.modified == 2_000_000_002)
    let attributes = try host.extendedAttributes(of: tree.bytes("f"))
    #expect(attributes["user.k"] == [1, 0, 2] && attributes["trusted.t"] == [7])
  }

  @Test(.enabled(if: isRoot, "needs a user who is refused something"))
  func `an owner that is refused is told, and takes set-id bits along`() throws {
    try tree.makeDirectory("theirs", mode: 0o777)
    let refused = try asNobody {
      let output = try host.create(tree.bytes("theirs/f"))
      let refused = try output.setAttributes(
        HostAttributes(
          mode: 0o6755, uid: 0, gid: 0, modified: 5, extendedAttributes: ["nobodys.t": [7]]))
      try output.finish()
      return refused
    }
    #expect(refused.map(\.reason) == ["owner", "extended attribute nobodys.t"])
    let status = try #require(try host.status(tree.bytes("theirs/f")))
    #expect(status.mode == 0o755 && status.uid == nobody && status.modified == 5)
  }

  @Test(.enabled(if: isRoot, "needs a user who is refused something"))
  func `permissions on the host hold`() throws {
    try tree.write("readonly", "old", mode: 0o644)
    try tree.write("shared", "old and long", mode: 0o666)
    try tree.makeDirectory("sticky", mode: 0o777)
    try tree.write("sticky/readonly", "old", mode: 0o444)
    try asNobody {
      #expect(throws: FileError.denied) { try host.create(tree.bytes("new")) }
      #expect(throws: FileError.denied) { try host.create(tree.bytes("readonly")) }
      // The directory would let it be replaced; the file says no.
      #expect(throws: FileError.denied) { try host.create(tree.bytes("sticky/readonly")) }
      // The file may be written to although nothing can be made beside it.
      let output = try host.create(tree.bytes("shared"))
      try output.write(Array("new".utf8), at: 0)
      try output.finish()
    }
    #expect(try tree.text("shared") == "new" && tree.status("shared").st_uid == 0)
    #expect(try tree.names() == ["readonly", "shared", "sticky"])
  }
}
