import CStrataSystem
import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import SystemPackage
import Testing

let isRoot = geteuid() == 0
let nobody: UInt32 = 65534

/// Runs as another user, in this thread alone, as far as files are concerned.
func asNobody<R>(_ body: () throws -> R) rethrows -> R {
  strata_set_thread_user(nobody)
  defer { strata_set_thread_user(0) }
  return try body()
}

/// `user::rw- user:1:r-- group::r-- mask::r-- other::r--`
let accessList: [UInt8] =
  [2, 0, 0, 0] + [1, 0, 6, 0, 255, 255, 255, 255]
  + [2, 0, 4, 0, 1, 0, 0, 0] + [4, 0, 4, 0, 255, 255, 255, 255]
  + [16, 0, 4, 0, 255, 255, 255, 255] + [32, 0, 4, 0, 255, 255, 255, 255]

/// What a host directory says of each kind of object.
@Suite struct HostObjectTests {
  let tree: TemporaryDirectory
  let base: HostDirectory

  init() throws {
    tree = try TemporaryDirectory()
    base = try HostDirectory(path: Array(tree.path.utf8))
  }

  @Test(.timeLimit(.minutes(1)))
  func `FIFOs and sockets are seen as they are and wait for nobody`() throws {
    try tree.makeNode("pipe", mode: S_IFIFO | 0o600)
    try tree.makeNode("sock", mode: S_IFSOCK | 0o600)
    #expect(try base.status(of: path("pipe"))?.kind == .fifo)
    #expect(try base.status(of: path("sock"))?.kind == .socket)
    #expect(throws: FileError.invalid) { try base.open(path("pipe")) }
    #expect(throws: FileError.invalid) { try base.open(path("sock")) }
    let kinds = Dictionary(
      uniqueKeysWithValues: try base.list(.empty).map { ($0.name, $0.kind) })
    #expect(kinds == ["pipe": .fifo, "sock": .socket])
    #expect(try base.extendedAttributes(of: path("pipe"))["user.x"] == nil)
  }

  @Test(.enabled(if: isRoot, "devices are root's to make"))
  func `devices are seen and not opened`() throws {
    try tree.makeNode("null", mode: S_IFCHR | 0o666, device: 0x103)
    try tree.makeNode("loop", mode: S_IFBLK | 0o666, device: 0x7_01)
    let null = try #require(try base.status(of: path("null")))
    #expect(null.kind == .characterDevice && null.device == 0x103)
    #expect(try base.status(of: path("loop"))?.kind == .blockDevice)
    #expect(throws: FileError.invalid) { try base.open(path("null")) }
  }

  @Test func `a directory of many names is listed whole`() throws {
    let names = (0..<3000).map { "\($0)-\(String(repeating: "n", count: $0 % 240))" }
    for name in names { try tree.makeNode(name, mode: S_IFIFO | 0o600) }
    let listed = try base.list(.empty)
    #expect(Set(listed.map(\.name)) == Set(names.map { Name($0) }))
    #expect(listed.count == names.count && listed.allSatisfy { $0.kind == .fifo })
    #expect(try base.list(.empty).count == names.count)
  }

  @Test func `holes are told from data`() throws {
    try tree.write(tree.bytes("sparse"), [120], at: 500_000)
    let file = try base.open(path("sparse"))
    let data = try #require(try file.data(after: 0))
    #expect(data.contains(500_000) && data.count < 100_000)
    #expect(try file.data(after: data.upperBound) == nil)
    try tree.write("empty", "")
    #expect(try base.open(path("empty")).data(after: 0) == nil)
  }

  @Test func `extended attributes and ACLs come with all their bytes`() throws {
    try tree.write("f", "")
    let big = [UInt8](repeating: 0xAB, count: 2000)
    let given: [Name: [UInt8]] = [
      "user.bytes": [0, 255, 10], "user.empty": [], "user.big": big,
      "system.posix_acl_access": accessList,
    ]
    let refused = try HostTree().setAttributes(
      tree.bytes("f"), HostAttributes(extendedAttributes: given))
    try #require(refused.isEmpty, "the file system for temporary files has no ACLs")
    let found = try base.extendedAttributes(of: path("f"))
    #expect(found.filter { given[$0.key] != nil } == given)
    #expect(try base.status(of: path("f"))?.mode == 0o644)
  }

  @Test func `a change of an open file shows in its stamp`() throws {
    try tree.write("f", "one")
    let file = try base.open(path("f"))
    let before = try file.stamp()
    #expect(try file.stamp() == before)
    #expect(try base.status(of: path("f"))?.stamp == before)
    usleep(20_000)
    try tree.write(tree.bytes("f"), Array("two".utf8), at: 0)
    let second = try file.stamp()
    #expect(second != before && second.identity == before.identity)
    usleep(20_000)
    try tree.setMode("f", 0o600)
    #expect(try file.stamp() != second)
  }

  @Test func `a file that is read stays the one that was opened`() throws {
    try tree.write("f", "old")
    let file = try base.open(path("f"))
    let before = try file.stamp()
    try tree.write("g", "new")
    try tree.rename("g", to: "f")
    var bytes = [UInt8](repeating: 0, count: 8)
    let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 1) }
    #expect(bytes[..<count] == [0x6C, 0x64])
    #expect(try file.stamp().identity == before.identity)
    #expect(try base.status(of: path("f"))?.identity != before.identity)
  }

  @Test func `reading leaves access times alone`() throws {
    try tree.makeDirectory("d")
    try tree.write("d/f", "x")
    for name in ["d", "d/f"] {
      try HostTree().setAttributes(
        tree.bytes(name), HostAttributes(accessed: 1_000_000_000_000_000_000))
    }
    let file = try base.open(path("d", "f"))
    var byte: [UInt8] = [0]
    _ = try byte.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
    _ = try base.list(path("d"))
    #expect(try tree.status("d/f").st_atim.tv_sec == 1_000_000_000)
    #expect(try tree.status("d").st_atim.tv_sec == 1_000_000_000)
  }

  @Test(.enabled(if: isRoot, "needs a user who is refused something"))
  func `an unreadable directory refuses itself, not the listing around it`() throws {
    try tree.makeDirectory("closed", mode: 0o700)
    try tree.write("closed/x", "")
    try tree.write("secret", "", mode: 0o600)
    try tree.write("open", "theirs", mode: 0o644)
    try tree.setMode(".", 0o755)
    try asNobody {
      #expect(Set(try base.list(.empty).map(\.name)) == ["closed", "open", "secret"])
      #expect(throws: FileError.denied) { try base.list(path("closed")) }
      #expect(throws: FileError.denied) { try base.status(of: path("closed", "x")) }
      #expect(try base.status(of: path("closed"))?.mode == 0o700)
      #expect(throws: FileError.denied) { try base.open(path("secret")) }
      // The file of another, for which O_NOATIME is refused.
      let file = try base.open(path("open"))
      var bytes = [UInt8](repeating: 0, count: 6)
      let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
      #expect(bytes[..<count] == Array("theirs".utf8)[...])
    }
  }

  @Test(.enabled(if: isRoot, "mounting is root's"))
  func `an overlayfs as base keeps its directories through their copy-up`() throws {
    let mount = try Mount("tmpfs", "none", "size=4m", on: tree.path)
    for name in ["lower", "lower/d", "upper", "work", "merged"] { try tree.makeDirectory(name) }
    usleep(20_000)
    let overlay = try Mount(
      "overlay", "none",
      "lowerdir=\(tree.path)/lower,upperdir=\(tree.path)/upper,workdir=\(tree.path)/work",
      on: tree.appending("merged"))
    let base = try HostDirectory(path: tree.bytes("merged"))
    let before = try #require(try base.status(of: path("d")))
    try tree.write("merged/d/new", "")
    #expect(try tree.names("upper") == ["d"])
    #expect(try base.status(of: path("d"))?.identity == before.identity)
    withExtendedLifetime((overlay, mount)) {}
  }
}
