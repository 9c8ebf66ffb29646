import StrataTestSupport
import Testing

@testable import StrataEngine

@Suite struct ListedNextTests {
  private let table = TableBase(
    "table",
    (0..<8).flatMap { number in
      [("d\(number)/f", TableBase.Item.file("f")), ("file\(number)", TableBase.Item.file("g"))]
    })
  private let workspace: Workspace
  private var fork: Fork { workspace.main }

  init() throws { workspace = try Workspace(bases: [table]) { 0 } }

  /// The directories at the top, in listing order.
  private func directories() throws -> [NodeID] {
    try fork.list(.root).filter { $0.kind == .directory && !$0.name.isDot && !$0.name.isDotDot }
      .map { try fork.lookup($0.name, in: .root) }
  }

  /// Lists, and says how often the base was asked.
  private func list(_ directory: NodeID) throws -> Int {
    table.resetCounters()
    #expect(try fork.list(directory).count == 3)
    return table.counters.lists
  }

  @Test func `who lists one directory after the other finds the next ones listed`() throws {
    let directories = try directories()
    #expect(directories.count == 8)
    for (place, directory) in directories.enumerated() {
      #expect(try list(directory) == (place == 0 ? 1 : 0), "directory \(place)")
      let next = fork.listedNext(after: directory)
      // Two are listed ahead, so the last two have nobody left to list.
      #expect((next == nil) == (place >= 6), "directory \(place)")
      next?.list()
    }
  }

  @Test func `who lists one directory somewhere has nothing listed ahead`() throws {
    let directories = try directories()
    #expect(try list(directories[4]) == 1)
    #expect(fork.listedNext(after: directories[4]) == nil)
    #expect(fork.listedNext(after: .root) == nil)
  }

  @Test func `what is listed ahead is what the host has when it is asked for`() throws {
    let directories = try directories()
    _ = try list(directories[0])
    fork.listedNext(after: directories[0])?.list()
    let name = try #require(
      fork.path(of: directories[1]).map { String(decoding: $0, as: UTF8.self) })
    table.add("\(name.dropFirst())/new", TableBase.Item.file("n"))
    workspace.startEpoch()
    #expect(try fork.list(directories[1]).count == 4)
  }
}
