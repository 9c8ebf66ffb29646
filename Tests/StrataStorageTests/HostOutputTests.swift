import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import SystemPackage
import Testing

/// Files that are written to the host.
@Suite struct HostOutputTests {
  let tree: TemporaryDirectory
  let host = HostTree()

  init() throws {
    tree = try TemporaryDirectory()
    try tree.setMode(".", 0o755)
  }

  func write(
    _ name: String, _ content: String, mode: UInt32 = 0o666,
    _ existing: HostTree.Existing = .replace
  ) throws {
    let output = try host.create(tree.bytes(name), mode: mode, existing: existing)
    try output.write(Array(content.utf8), at: 0)
    try output.finish()
  }

  @Test func `a new file has its content and the mode that the umask leaves`() throws {
    try write("f", "content", mode: 0o777)
    #expect(try tree.text("f") == "content")
    let mask = umask(0)
    umask(mask)
    #expect(try tree.status("f").st_mode & 0o7777 == 0o777 & ~mask)
    #expect(try tree.names() == ["f"])
  }

  @Test func `until it is finished nothing has the name, and the old file stays`() throws {
    try tree.write("old", "old")
    do {
      let new = try host.create(tree.bytes("new"))
      let old = try host.create(tree.bytes("old"))
      try new.write(Array("x".utf8), at: 0)
      try old.write(Array("y".utf8), at: 0)
      #expect(try !tree.names().contains("new"))
      #expect(try tree.text("old") == "old")
    }
    #expect(try tree.names() == ["old"])
    #expect(try tree.text("old") == "old")
  }

  @Test func `what is finished takes no more`() throws {
    let output = try host.create(tree.bytes("f"))
    try output.finish()
    #expect(throws: FileError(.badFileDescriptor)) { try output.write([1], at: 0) }
    #expect(throws: FileError(.badFileDescriptor)) { try output.finish() }
    #expect(try tree.read("f") == [])
  }

  @Test func `a file that is replaced keeps mode and attributes, and is shortened`() throws {
    try tree.write("f", "much longer than what comes", mode: 0o640)
    try host.setAttributes(
      tree.bytes("f"),
      HostAttributes(extendedAttributes: ["user.k": [1], "system.posix_acl_access": accessList]))
    try tree.setMode("f", 0o640)
    try write("f", "short")
    #expect(try tree.text("f") == "short")
    #expect(try tree.status("f").st_mode & 0o7777 == 0o640)
    #expect(try host.extendedAttributes(of: tree.bytes("f"))["user.k"] == [1])
    #expect(try host.extendedAttributes(of: tree.bytes("f"))["system.posix_acl_access"] != nil)
  }

  @Test func `a name that is taken can be refused, also when it is taken meanwhile`() throws {
    try tree.write("f", "theirs")
    try tree.makeSymlink("dangling", to: "nowhere")
    #expect(throws: FileError.exists) { try write("f", "mine", .refuse) }
    #expect(throws: FileError.exists) { try write("dangling", "mine", .refuse) }
    let output = try host.create(tree.bytes("g"), existing: .refuse)
    try tree.write("g", "quicker")
    #expect(throws: FileError.exists) { try output.finish() }
    #expect(try tree.text("g") == "quicker" && tree.text("f") == "theirs")
  }

  @Test func `links are followed to the file that they name`() throws {
    try tree.makeDirectory("d")
    try tree.write("d/f", "old")
    try tree.makeSymlink("d/second", to: "f")
    try tree.makeSymlink("first", to: "d/second")
    try tree.makeSymlink("dangling", to: tree.appending("d/made"))
    try tree.makeSymlink("loop", to: "loop")
    try write("first", "new")
    try write("dangling", "made")
    #expect(try tree.text("d/f") == "new" && tree.text("d/made") == "made")
    #expect(try tree.status("first").st_mode & S_IFMT == S_IFLNK)
    #expect(throws: FileError(.tooManySymbolicLinkLevels)) { try write("loop", "") }
  }

  @Test func `a link to an open file, as /dev/stdout is, writes to where that stands`() throws {
    let log = open(tree.appending("log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    try #require(log >= 0)
    defer { close(log) }
    try #require(Glibc.write(log, "before ", 7) == 7)
    try tree.makeSymlink("link", to: "/proc/self/fd/\(log)")
    try write("link", "between")
    try #require(Glibc.write(log, " after", 6) == 6)
    #expect(try tree.text("log") == "before between after")
    try tree.remove("log")
    let output = try host.create(Array("/proc/self/fd/\(log)".utf8))
    try output.write(Array("!".utf8), at: 0)
    try output.finish()
    // The file has no name any longer; what is open has all that was written.
    #expect(try tree.names() == ["link"])
    #expect(try tree.text("link") == "before between after!")
  }

  @Test func `directories and places that are none are refused`() throws {
    try tree.makeDirectory("d")
    try tree.write("f", "")
    #expect(throws: FileError.isDirectory) { try write("d", "") }
    #expect(throws: FileError.isDirectory) { try write("new/", "") }
    #expect(throws: FileError.notFound) { try write("nope/f", "") }
    #expect(throws: FileError.notDirectory) { try write("f/g", "") }
    #expect(throws: FileError(.fileNameTooLong)) {
      try write(String(repeating: "n", count: 256), "")
    }
    #expect(throws: FileError.invalid) { try host.create(tree.bytes([0x61, 0, 0x62])) }
    #expect(throws: FileError.notFound) { try host.create([]) }
    #expect(try tree.names() == ["d", "f"])
  }

  @Test func `names of 255 bytes and paths beyond PATH_MAX are written to`() throws {
    try write(String(repeating: "n", count: 255), "long")
    let name = String(repeating: "d", count: 200)
    try tree.makeDeep(name, 30, leaf: "old")
    let path =
      tree.bytes(Array(repeating: Array("\(name)/".utf8), count: 30).joined()) + "leaf".utf8
    let output = try host.create(path)
    try output.write(Array("new".utf8), at: 0)
    try output.finish()
    var bytes = [UInt8](repeating: 0, count: 8)
    let count = try bytes.withUnsafeMutableBytes { try host.open(path).read(into: $0, at: 0) }
    #expect(bytes[..<count] == Array("new".utf8)[...])
  }

  @Test func `holes stay holes`() throws {
    let size: Int64 = 64 << 20
    try tree.write(tree.bytes("from"), [1], at: 1 << 20)
    try tree.write(tree.bytes("from"), [2], at: 33 << 20)
    try #require(truncate(tree.appending("from"), off_t(size)) == 0)
    let output = try host.create(tree.bytes("to"))
    try output.copy(try host.open(tree.bytes("from")))
    try output.finish()
    let (from, to) = (try tree.status("from"), try tree.status("to"))
    #expect(to.st_size == size && to.st_blocks <= from.st_blocks + 16)
    #expect(try tree.read("to") == tree.read("from"))
  }

  @Test func `what a copy is told on the way, cancelling too, ends it without a trace`() throws {
    let cancelled = FileError(.interrupted, "cancelled")
    do {
      let output = try host.create(tree.bytes("f"))
      #expect(throws: cancelled) {
        try output.copy(
          size: 10, data: { _ throws(FileError) in 0..<10 },
          read: { _, _ throws(FileError) in throw cancelled })
      }
      #expect(throws: FileError(.ioError, "the file became shorter")) {
        try output.copy(
          size: 10, data: { _ throws(FileError) in 0..<10 },
          read: { _, _ throws(FileError) in 0 })
      }
    }
    #expect(try tree.names() == [])
  }

  @Test(.enabled(if: isRoot, "mounting is root's"))
  func `a full disk costs neither the old file nor the name of a new one`() throws {
    let mount = try Mount("tmpfs", "none", "size=1m", on: tree.path)
    try tree.write("old", "old")
    let chunk = [UInt8](repeating: 0x78, count: 300_000)
    for name in ["old", "new"] {
      let output = try host.create(tree.bytes(name))
      #expect(throws: FileError(.noSpace)) {
        for index in 0..<10 { try output.write(chunk, at: Int64(index * chunk.count)) }
      }
      #expect(try host.freeBytes(at: tree.bytes("old")) < 300_000)
    }
    #expect(try tree.names() == ["old"])
    #expect(try tree.text("old") == "old")
    #expect(try host.freeBytes(at: tree.bytes("old")) > 900_000)
    withExtendedLifetime(mount) {}
  }
}
