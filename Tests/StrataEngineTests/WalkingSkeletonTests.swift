import StrataEngine
import StrataTestSupport
import Testing

@Suite struct WalkingSkeletonTests {
  @Test func `a write in a fork is seen there and nowhere else`() throws {
    let hosts = TableBase.Item.file(Array("127.0.0.1 localhost\n".utf8))
    let base = TableBase("base", [("etc/hosts", hosts)])
    let workspace = try Workspace(bases: [base], clock: { 7 })
    let work = try workspace.fork(workspace.main, named: "work")
    let client = Client(work, as: .superuser)
    try client.write(Array("/etc/hosts".utf8), Array("hi\n".utf8), append: true)
    #expect(try client.read(Array("/etc/hosts".utf8)) == Array("127.0.0.1 localhost\nhi\n".utf8))
    let outside = Client(workspace.main, as: .superuser)
    #expect(try outside.read(Array("/etc/hosts".utf8)) == Array("127.0.0.1 localhost\n".utf8))
    let node = try client.resolve(Array("/etc/hosts".utf8))
    #expect(try work.provenance(of: node).map(\.kind) == [.copyUp])
    let changes = try workspace.diff(work.origin, work.value)
    #expect(changes.map(\.kind) == [.modified])
    #expect(work.isDirty && !workspace.main.isDirty)
  }

  /// What undo has left alone is the same file as before, whoever has it open; what it has changed goes
  /// on by itself.
  @Test func `an undo leaves open files alone that it does not change`() throws {
    let old = TableBase.Item.file(Array("old".utf8))
    let base = TableBase("base", [("a", old), ("b", old), ("c", old)])
    let workspace = try Workspace(bases: [base], clock: { 7 })
    let client = Client(workspace.main, as: .superuser)
    func path(_ name: String) -> [UInt8] { Array("/\(name)".utf8) }
    try client.write(path("b"), Array("own".utf8))
    let files = try ["a", "b", "c"].map { try client.open(path($0), [.read, .write]) }
    for name in ["c", "d"] {
      try workspace.operation("write", on: workspace.main) {
        try client.write(path(name), Array("later".utf8))
      }
    }
    try workspace.undo(workspace.main)
    try workspace.undo(workspace.main)
    for file in files { _ = try file.write(Array("NEW".utf8), at: 0) }
    let shown = try ["a", "b", "c"].map {
      String(decoding: try client.read(path($0)), as: UTF8.self)
    }
    #expect(shown == ["NEW", "NEW", "old"])
    #expect(try files[2].read(9, at: 0) == Array("NEWer".utf8))
    #expect(files.map { workspace.main.isCurrent($0) } == [true, true, false])
  }
}
