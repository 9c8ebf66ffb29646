import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// What a workspace knows of its history after a restart, read as it is looked at.
@Suite struct ReopenedTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory("strata-reopened") }

  /// Opens the workspace as the next process would.
  private func reopened<R>(_ body: (Workspace) throws -> R) throws -> R {
    let workspace = try Workspace(
      bases: [TableBase("base", device: 1, [("a", .file(Array("base".utf8)))])],
      store: try DurableStore(directory: Array(directory.path.utf8))
    ) { 1_000 }
    let result = try body(workspace)
    try workspace.checkpoint()
    return result
  }

  private func write(_ text: String, to path: String, in fork: Fork) throws {
    try fork.workspace.operation("write \(text)", on: fork) { () throws(FileError) in
      let client = Client(fork, as: .superuser)
      let file = try client.open(Array(path.utf8), [.write, .truncate], create: 0o644)
      _ = try file.write(Array(text.utf8), at: 0)
    }
  }

  private func text(_ path: String, in fork: Fork) throws -> String {
    String(decoding: try Client(fork, as: .superuser).read(Array(path.utf8)), as: UTF8.self)
  }

  private func fork(_ name: String, of workspace: Workspace) throws -> Fork {
    try #require(workspace.fork(named: name))
  }

  @Test(arguments: [false, true])
  func `A second merge goes on from the first`(collects: Bool) throws {
    try reopened { workspace in
      let work = try workspace.fork(workspace.main, named: "work")
      try write("ours", to: "/a", in: workspace.main)
      try write("theirs", to: "/a", in: work)
      var settling = MergeSettling()
      settling.all = .ours
      let plan = try workspace.planMerge(work, into: workspace.main, settling)
      try workspace.merge(plan, into: workspace.main, "merge work")
    }
    try reopened { workspace in
      let work = try fork("work", of: workspace)
      try write("more", to: "/b", in: work)
      try write("mine", to: "/a", in: workspace.main)
      if collects { _ = try workspace.collectGarbage(olderThan: .max, dryRun: false) }
      #expect(try workspace.check().problems == [])
    }
    try reopened { workspace in
      let work = try fork("work", of: workspace)
      let plan = try workspace.planMerge(work, into: workspace.main)
      #expect(plan.conflicts.isEmpty, "settled the last time")
      try workspace.merge(plan, into: workspace.main, "merge work")
      #expect(try text("/a", in: workspace.main) == "mine")
      #expect(try text("/b", in: workspace.main) == "more")
    }
  }

  @Test func `The log goes on: undo, redo, what is given up, and forks of the past`() throws {
    try reopened { workspace in
      for number in 1...200 { try write("\(number)", to: "/a", in: workspace.main) }
    }
    try reopened { workspace in
      #expect(workspace.main.operationCount == 200)
      #expect(workspace.main.history(newest: 2).map(\.command) == ["write 199", "write 200"])
      for _ in 0..<3 { try workspace.undo(workspace.main) }
    }
    try reopened { workspace in
      #expect(workspace.main.undone.map(\.command) == ["write 198", "write 199", "write 200"])
      let again = try workspace.redo(workspace.main)
      #expect(again.command == "write 198")
      #expect(try text("/a", in: workspace.main) == "198")
    }
    try reopened { workspace in
      try write("other", to: "/a", in: workspace.main)
      #expect(workspace.main.undoneCount == 0)
      let child = try workspace.fork(workspace.main, named: "child", at: 50)
      #expect(try text("/a", in: child) == "50")
    }
    try reopened { workspace in
      #expect(throws: FileError.self) { try workspace.redo(workspace.main) }
      let all = workspace.main.allOperations
      #expect(all.map(\.id) == Array(1...201))
      #expect(workspace.operation(200)?.command == "write 200")
      #expect(workspace.main.history.count == 199)
      #expect(workspace.main.layers.count == 199)
      #expect(workspace.main.layers.first?.depth == 198)
      try workspace.undo(workspace.main)
      #expect(try text("/a", in: workspace.main) == "198")
      _ = try workspace.squash(workspace.main)
      #expect(try text("/a", in: workspace.main) == "198")
      #expect(try workspace.check().problems == [])
    }
    try reopened { workspace in
      #expect(workspace.main.operationCount == 0)
      #expect(try text("/a", in: workspace.main) == "198")
      let child = try fork("child", of: workspace)
      #expect(try text("/a", in: child) == "50")
    }
  }
}
