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
}
