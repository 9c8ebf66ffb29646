import CStrataSystem
import Glibc
import StrataEngine
import StrataStorage
import StrataSystem
import StrataTestSupport
import SystemPackage
import Testing

/// The two ways in which a kernel can be asked to stay below a directory.
let resolutions: [Descriptor.Resolution] = [.kernel, .steps]

func path(_ names: String...) -> BasePath { names.reduce(.empty) { $0.appending(Name($1)) } }

@Suite struct HostDirectoryTests {
  let tree: TemporaryDirectory

  init() throws {
    tree = try TemporaryDirectory()
    try tree.makeDirectory("a")
    try tree.makeDirectory("a/b")
    try tree.write("a/f", "one\n")
    try tree.link("a/f", as: "a/b/hard")
    try tree.makeSymlink("out", to: "/etc/passwd")
    try tree.makeSymlink("root", to: "/")
    try tree.makeSymlink("sibling", to: "a")
  }

  func base(
    _ resolution: Descriptor.Resolution = .kernel, hiding: HiddenNames = []
  ) throws -> HostDirectory {
    try HostDirectory(path: Array(tree.path.utf8), hiding: hiding, by: resolution)
  }

  func content(_ file: any BaseFile) throws -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }

  @Test func `names of one inode have one identity and two links`() throws {
    let base = try base()
    let first = try #require(try base.status(of: path("a", "f")))
    let second = try #require(try base.status(of: path("a", "b", "hard")))
    #expect(first.identity == second.identity && first.links == 2 && first.size == 4)
    #expect(try base.open(path("a", "b", "hard")).stamp() == first.stamp)
  }

  @Test func `a status says what the C library says`() throws {
    try tree.setMode("a/f", 0o4751)
    let (said, seen) = (try tree.status("a/f"), try #require(try base().status(of: path("a", "f"))))
    #expect(seen.identity.inode == said.st_ino && seen.identity.device == said.st_dev)
    #expect(seen.mode == 0o4751 && seen.kind == .regular && seen.uid == said.st_uid)
    #expect(seen.blocks == said.st_blocks && seen.gid == said.st_gid)
    let nanoseconds = { (time: timespec) in Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
    #expect(seen.accessed == nanoseconds(said.st_atim))
    #expect(seen.modified == nanoseconds(said.st_mtim))
    #expect(seen.changed == nanoseconds(said.st_ctim))
  }

  @Test(arguments: resolutions)
  func `what is not there is nil, also below a file`(by how: Descriptor.Resolution) throws {
    let base = try base(how)
    #expect(try base.status(of: path("nope")) == nil)
    #expect(try base.status(of: path("a", "f", "x")) == nil)
    #expect(try base.status(of: path("nope", "x")) == nil)
    #expect(try base.status(of: path("a", String(repeating: "n", count: 255))) == nil)
    #expect(throws: FileError.notFound) { try base.list(path("nope")) }
    #expect(throws: FileError.notDirectory) { try base.list(path("a", "f")) }
    #expect(throws: FileError.isDirectory) { try base.open(path("a")) }
    #expect(throws: FileError.invalid) { try base.readLink(path("a", "f")) }
  }

  @Test(arguments: resolutions)
  func `symbolic links are seen, not followed`(by how: Descriptor.Resolution) throws {
    let base = try base(how)
    #expect(try base.status(of: path("out"))?.kind == .symlink)
    #expect(try base.readLink(path("out")) == Array("/etc/passwd".utf8))
    #expect(try base.status(of: path("root", "etc")) == nil)
    #expect(try base.status(of: path("sibling", "f")) == nil)
    #expect(throws: FileError(.tooManySymbolicLinkLevels)) { try base.open(path("out")) }
    #expect(throws: FileError.self) { try base.open(path("root", "etc", "passwd")) }
    #expect(throws: FileError.notDirectory) { try base.list(path("root")) }
    #expect(throws: FileError.self) { try base.extendedAttributes(of: path("root", "etc")) }
  }

  @Test(arguments: resolutions)
  func `names that mean other places lead out of nothing`(by how: Descriptor.Resolution) throws {
    let base = try base(how)
    let up = BasePath.empty.appending("..").appending("..").appending("etc")
    #expect(throws: FileError(Errno(rawValue: EXDEV))) { try base.status(of: up) }
    let nul = BasePath.empty.appending(Name([0x61, 0, 0x62]))
    #expect(throws: FileError.invalid) { try base.status(of: nul) }
  }

  @Test func `a link with a long target is read whole`() throws {
    let target = String(repeating: "t/", count: 2000)
    try tree.makeSymlink("long", to: target)
    #expect(try base().readLink(path("long")) == Array(target.utf8))
  }

  @Test(arguments: resolutions)
  func `a directory that became a link leads nowhere`(by how: Descriptor.Resolution) throws {
    let base = try base(how)
    #expect(try base.status(of: path("a", "f")) != nil)
    try tree.rename("a", to: "a2")
    try tree.makeSymlink("a", to: "/etc")
    #expect(try base.status(of: path("a", "passwd")) == nil)
    #expect(throws: FileError.self) { try base.open(path("a", "passwd")) }
    #expect(throws: FileError.self) { try base.list(path("a")) }
  }

  @Test func `a directory that another one replaced is not shown any longer`() throws {
    let base = try base()
    let old = try #require(try base.status(of: path("a", "f")))
    try tree.rename("a", to: "a2")
    try tree.makeDirectory("a")
    try tree.write("a/f", "other")
    let new = try #require(try base.status(of: path("a", "f")))
    #expect(new.identity != old.identity && new.size == 5)
    #expect(try base.list(path("a")).map(\.name) == ["f"])
  }

  @Test(arguments: resolutions)
  func `a link that comes and goes is never followed`(by how: Descriptor.Resolution) async throws {
    try tree.makeDirectory("real")
    try tree.write("real/passwd", "mine")
    try tree.makeSymlink("fake", to: "/etc")
    let tree = tree
    let swaps = Task.detached {
      while !Task.isCancelled {
        try tree.rename("real", to: "swapped")
        try tree.rename("fake", to: "real")
        try tree.rename("real", to: "fake")
        try tree.rename("swapped", to: "real")
      }
    }
    let base = try base(how)
    var found = 0
    for _ in 0..<2000 {
      guard let file = try? base.open(path("real", "passwd")) else { continue }
      #expect(try content(file) == "mine")
      found += 1
    }
    swaps.cancel()
    _ = await swaps.result
    #expect(found > 0)
  }

  @Test func `a file that is replaced is another one, though the inode's number be the same`()
    throws
  {
    let base = try base()
    var identities: Set<BaseIdentity> = []
    for round in 0..<5 {
      try tree.write("again", "\(round)")
      identities.insert(try #require(try base.status(of: path("again"))).identity)
      try tree.remove("again")
      usleep(20_000)
    }
    #expect(identities.count == 5)
  }

  @Test func `what is hidden is not there for any question`() throws {
    let base = try base(hiding: ["a", ".strata"])
    #expect(try base.status(of: path("a")) == nil)
    #expect(try base.status(of: path("a", "f")) == nil)
    #expect(throws: FileError.notFound) { try base.list(path("a")) }
    #expect(throws: FileError.notFound) { try base.open(path("a", "f")) }
    #expect(throws: FileError.notFound) { try base.extendedAttributes(of: path("a")) }
    #expect(throws: FileError.notFound) { try base.readLink(path("a")) }
    #expect(try !base.list(.empty).map(\.name).contains("a"))
    try tree.makeDirectory("d")
    try tree.makeDirectory("d/a")
    #expect(try base.status(of: path("d", "a"))?.kind == .directory)
    #expect(try base.list(path("d")).map(\.name) == ["a"])
  }

  @Test func `a base that is no directory is refused`() throws {
    #expect(throws: FileError.notDirectory) { try HostDirectory(path: tree.bytes("a/f")) }
    #expect(throws: FileError.notFound) { try HostDirectory(path: tree.bytes("nope")) }
    #expect(throws: FileError.invalid) { try HostDirectory(path: tree.bytes([0x61, 0])) }
  }

  @Test func `a link to the base itself is followed as the user typed it`() throws {
    let base = try HostDirectory(path: tree.bytes("sibling"))
    #expect(try base.status(of: path("f"))?.size == 4)
    #expect(try base.status(of: .empty)?.kind == .directory)
  }

  @Test(arguments: resolutions)
  func `names are bytes`(by how: Descriptor.Resolution) throws {
    let base = try base(how)
    let odd: [UInt8] = [0xFF, 0xFE, 10, 0x41]
    let long = [UInt8](repeating: 0xE9, count: 255)
    for name in [odd, long] {
      try tree.write(tree.bytes(name), [1], at: 0)
      #expect(try base.status(of: BasePath.empty.appending(Name(name)))?.kind == .regular)
    }
    let names = try base.list(.empty).map(\.name)
    #expect(names.contains(Name(odd)) && names.contains(Name(long)))
  }

  @Test(arguments: resolutions)
  func `paths longer than PATH_MAX work`(by how: Descriptor.Resolution) throws {
    let name = String(repeating: "d", count: 200)
    try tree.makeDeep(name, 50, leaf: "deep")
    var place = BasePath.empty
    for _ in 0..<50 { place = place.appending(Name(name)) }
    let base = try base(how)
    #expect(try content(base.open(place.appending("leaf"))) == "deep")
    #expect(try base.list(place).map(\.name) == ["leaf"])
    #expect(try base.status(of: place.appending("nope")) == nil)
  }

  @Test(.enabled(if: geteuid() == 0), arguments: resolutions)
  func `what is mounted below can be unmounted after somebody has looked into it`(
    by how: Descriptor.Resolution
  ) throws {
    try tree.makeDirectory("point")
    let point = String(decoding: tree.bytes("point"), as: UTF8.self)
    let mount = try Mount("tmpfs", "none", "size=1m", on: point)
    defer { withExtendedLifetime(mount) {} }
    let base = try base(how)
    #expect(try base.status(of: path("point", "f")) == nil)
    #expect(try base.statuses(of: ["f"], in: path("point")) == [nil])
    #expect(umount2(point, 0) == 0, "\(errno)")
    // The same for a directory of the base's own file system.
    #expect(bind(String(decoding: tree.bytes("a"), as: UTF8.self), point) == 0)
    #expect(try base.status(of: path("point", "f"))?.kind == .regular)
    #expect(umount2(point, 0) == 0, "\(errno)")
  }
}

private func bind(_ source: String, _ target: String) -> Int32 {
  mount(source, target, nil, UInt(MS_BIND), nil)
}
