import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// A disk that takes less than it says, as with a quota; here the data lies on a smaller file system
/// than the rest of the workspace.
@Suite(.enabled(if: geteuid() == 0)) struct HiddenLimitTests {
  private let mount: Mount
  private let directory: TemporaryDirectory
  private let large = Array("/large".utf8)

  init() throws {
    directory = try TemporaryDirectory("strata-hidden-limit")
    try directory.makeDirectory("store", mode: 0o700)
    try directory.makeDirectory("store/data", mode: 0o700)
    mount = try Mount("tmpfs", "tmpfs", "size=8m", on: directory.appending("store/data"))
  }

  private func open() throws -> Workspace {
    try Workspace(
      bases: [TableBase("base", device: 1, [])],
      store: try DurableStore(directory: directory.bytes("store"))
    ) { 1_000_000_000 }
  }

  private func write(
    _ path: [UInt8], _ mebibytes: Int, in workspace: Workspace
  ) throws(FileError) {
    let file = try Client(workspace.main, as: .superuser).open(path, [.write], create: 0o644)
    let bytes = [UInt8](repeating: 0x61, count: 1 << 20)
    for piece in 0..<mebibytes { _ = try file.write(bytes, at: Int64(piece) << 20) }
  }

  private func command(_ mebibytes: Int, in workspace: Workspace) throws {
    try? workspace.operation("write", on: workspace.main) { () throws(FileError) in
      try write(large, mebibytes, in: workspace)
    }
    if let failure = workspace.takeFailure(of: workspace.main) { throw failure }
  }

  @Test(arguments: [9, 12])
  func `a command that writes too much is refused, and the next ones are not`(
    _ mebibytes: Int
  ) throws {
    do {
      let workspace = try open()
      #expect(throws: FileError.self) { try command(mebibytes, in: workspace) }
      try workspace.checkpoint()
      try workspace.operation("small", on: workspace.main) { () throws(FileError) in
        try Client(workspace.main, as: .superuser).write(large, [1])
      }
      try workspace.checkpoint()
      #expect(try workspace.check().problems == [])
    }
    let workspace = try open()
    #expect(workspace.main.history.count == 1)
    #expect(try Client(workspace.main, as: .superuser).read(large) == [1])
  }

  @Test func `a program is told at once, and goes on with other files`() throws {
    let doc = Array("/doc".utf8)
    do {
      let workspace = try open()
      let client = Client(workspace.main, as: .superuser)
      #expect(throws: FileError.self) { try write(large, 12, in: workspace) }
      #expect(try client.read(large).allSatisfy { $0 == 0x61 })
      try client.unlink(large)
      try client.write(doc, Array("important".utf8))
      try workspace.main.sync()
    }
    let workspace = try open()
    let client = Client(workspace.main, as: .superuser)
    #expect(try client.read(doc) == Array("important".utf8))
  }

  @Test func `a file that is too long for the disk keeps nothing else from it`() throws {
    let other = try TemporaryDirectory("strata-hidden-limit")
    let workspace = try Workspace(
      bases: [TableBase("base", device: 1, [])],
      store: try DurableStore(directory: Array(other.path.utf8))
    ) { 1_000_000_000 }
    let client = Client(workspace.main, as: .superuser)
    let bytes = [UInt8](repeating: 1, count: 1 << 20)
    // Some file systems take it.
    do { _ = try client.open(large, [.write], create: 0o644).write(bytes, at: 1 << 44) } catch {}
    try client.unlink(large)
    try workspace.main.sync()
  }
}
