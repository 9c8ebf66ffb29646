import StrataTestSupport
import Testing

@testable import StrataEngine

@Suite struct BaseNumberTests {
  private let table = TableBase(
    device: 7, [("a", .file("a")), ("d/b", .file("b")), ("d/c", .file("c"))])

  private func inode(_ path: String) throws -> UInt64 {
    let names = path.split(separator: "/").reduce(BasePath.empty) { $0.appending(Name(String($1))) }
    return try #require(try table.status(of: names)).identity.inode
  }

  private func node(_ path: String, in fork: Fork) throws -> NodeID {
    try fork.value.node(at: Array("/\(path)".utf8))
  }

  @Test func `nodes have the inode numbers of the host, each process anew`() throws {
    for order in [["a", "d/b", "d/c"], ["d/c", "d/b", "a"]] {
      let workspace = try Workspace(bases: [table], keepsInodes: true) { 0 }
      for path in order { #expect(try node(path, in: workspace.main).rawValue == inode(path)) }
      let made = try workspace.main.create(
        "new", in: .root, .regular, mode: 0o644, by: .superuser)
      #expect(made.rawValue >= NodeID.firstOwn)
    }
  }

  @Test func `a listing tells the numbers that a look would`() throws {
    let workspace = try Workspace(bases: [table], keepsInodes: true) { 0 }
    let directory = try node("d", in: workspace.main)
    let listed = try workspace.main.list(directory).filter { !$0.name.isDot && !$0.name.isDotDot }
    #expect(listed.allSatisfy { $0.node == nil && $0.inode != nil } && listed.count == 2)
    for entry in listed {
      #expect(try workspace.main.lookup(entry.name, in: directory) == entry.inode)
    }
  }

  @Test func `another file with the number of a former inode is another node`() throws {
    let workspace = try Workspace(bases: [table], keepsInodes: true) { 0 }
    let directory = try node("d", in: workspace.main)
    let former = try node("d/b", in: workspace.main)
    table.recycle("d/b")
    workspace.startEpoch()
    // Who has looked at the former one is told, once.
    #expect(throws: FileError.self) {
      try workspace.main.open(former, [.read], by: .superuser).read(1, at: 0)
    }
    let found = try node("d/b", in: workspace.main)
    #expect(found != former && found.rawValue >= NodeID.firstOwn)
    // From now on a listing alone does not say who is who.
    #expect(try workspace.main.list(directory).contains { $0.name == "b" && $0.inode == nil })
  }

  @Test func `the next process knows that a listing alone does not say who is who`() throws {
    let store = MemoryStore()
    do {
      let workspace = try Workspace(bases: [table], store: store, keepsInodes: true) { 0 }
      let former = try node("d/b", in: workspace.main)
      try workspace.main.open(former, [.write], by: .superuser).truncate(to: 0, drops: .nothing)
      try workspace.checkpoint()
      table.recycle("d/b")
    }
    var changed = NodeID.root
    do {
      let workspace = try Workspace(bases: [table], store: store, keepsInodes: true) { 0 }
      try workspace.main.unlink("b", in: node("d", in: workspace.main), by: .superuser)
      let other = try workspace.bareFork(named: "x")
      changed = try node("d/b", in: other)
      #expect(changed.rawValue >= NodeID.firstOwn)
      try other.open(changed, [.write], by: .superuser).truncate(to: 0, drops: .nothing)
      try workspace.checkpoint()
    }
    let workspace = try Workspace(bases: [table], store: store, keepsInodes: true) { 0 }
    let bare = try workspace.bareFork(named: "y")
    let directory = try node("d", in: bare)
    #expect(try bare.list(directory).contains { $0.name == "b" && $0.inode == nil })
    #expect(try node("d/b", in: bare) == changed)
  }

  @Test func `bases on other devices have numbers of their own`() throws {
    let below = TableBase("below", device: 8, [("e", .file("e")), ("a", .file("hidden"))])
    let workspace = try Workspace(bases: [table, below], keepsInodes: true) { 0 }
    let numbers = try ["a", "e"].map { try node($0, in: workspace.main).rawValue }
    #expect(numbers[0] == (try inode("a")) && numbers[1] > NodeID.firstOwn * 2)
  }
}
