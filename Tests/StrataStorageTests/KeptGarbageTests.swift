import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// What commits have kept of the host goes when nobody sees it any more, and not before.
@Suite struct KeptGarbageTests {
  private let directory: TemporaryDirectory
  private var base: String { "\(directory.path)/base" }
  private var own: String { "\(directory.path)/base/.strata" }

  init() throws {
    directory = try TemporaryDirectory("strata-kept")
    try shell("mkdir -p \(base)/.strata/kept; cd \(base); echo one > a; seq 20000 > b")
  }

  private func shell(_ script: String) throws {
    let child = try ChildProcess(["sh", "-ec", script])
    #expect(child.status == 0, "\(script): \(child.text)")
  }

  private func open(_ clock: @escaping @Sendable () -> Timestamp = { 1_000 }) throws -> Workspace {
    let workspace = try Workspace(
      bases: [try HostDirectory(path: Array(base.utf8), hiding: .workspaces)],
      store: try DurableStore(directory: Array(own.utf8)), clock: clock)
    workspace.setKeptReader(try HostDirectory(path: Array("\(own)/kept".utf8)))
    try commits.recover(workspace)
    return workspace
  }

  private var commits: HostCommit {
    HostCommit(base: HeldPath(Array(base.utf8)), commits: HeldPath(Array("\(own)/kept".utf8)))
  }

  private func commit(_ text: String, to path: String, _ fork: Fork) throws {
    let workspace = fork.workspace
    workspace.startEpoch()
    try workspace.operation("write", on: fork) {
      try Client(fork, as: .superuser).put(path, text)
    }
    let plan = try workspace.planCommit(fork, [])
    #expect(plan.conflicts.isEmpty)
    _ = try commits.run(plan, fork, "commit")
  }

  private func text(_ path: String, _ fork: Fork) throws -> String {
    fork.workspace.startEpoch()
    let bytes = try Client(fork, as: .superuser).open(Array(path.utf8), [.read]).read(
      200_000, at: 0)
    return String(decoding: bytes, as: UTF8.self)
  }

  private func kept() throws -> [String] {
    try ChildProcess(["ls", "\(own)/kept"]).text.split(separator: "\n").map(String.init)
  }

  /// Everything but each fork's newest operation.
  private func collect(_ workspace: Workspace) throws -> StoreGarbage {
    let planned = try workspace.collectGarbage(olderThan: .max, dryRun: true).garbage
    let done = try workspace.collectGarbage(olderThan: .max, dryRun: false).garbage
    #expect(planned.commits == done.commits && planned.commitBytes == done.commitBytes)
    #expect(try workspace.check().problems == [])
    return done
  }

  @Test func `another fork, and the newest operation, go on seeing it`() throws {
    let workspace = try open()
    let main = workspace.main
    let other = try workspace.fork(main, named: "other")
    for number in 2...4 { try commit("\(number)", to: "/a", main) }
    #expect(try collect(workspace).commits == [])
    #expect(try kept() == ["1", "2", "3"])
    #expect(try text("/a", other) == "one\n")
    try workspace.drop(other)
    let garbage = try collect(workspace)
    #expect(garbage.commits == [1, 2] && garbage.commitBytes > 0)
    #expect(try kept() == ["3"])
    // The last one can still be undone, and taken back.
    try workspace.undo(main)
    #expect(try text("/a", main).hasPrefix("4"))
    try workspace.redo(main)
    let undoing = try #require(try commits.planUndo(workspace))
    #expect(undoing.number == 3 && undoing.plan.conflicts.isEmpty)
    #expect(try commits.undo(undoing, workspace).hasChanges)
    #expect(try directory.text("base/a").hasPrefix("3"))
    #expect(try commits.planUndo(workspace) == nil)
  }

  @Test func `in the end all goes, and a commit works as before`() throws {
    do {
      let workspace = try open()
      for number in 1...2 { try commit("\(number)", to: "/a", workspace.main) }
      _ = try workspace.squash(workspace.main)
      #expect(try collect(workspace).commits == [1, 2])
      #expect(try kept() == [])
      #expect(try collect(workspace).isEmpty)
      #expect(try commits.planUndo(workspace) == nil)
    }
    let workspace = try open()
    #expect(try text("/a", workspace.main).hasPrefix("2"))
    try commit("3", to: "/a", workspace.main)
    #expect(try kept() == ["3"])
    #expect(try commits.planUndo(workspace)?.number == 3)
  }

  @Test func `content that is laid on what was kept stays, whatever the fork is based on`() throws {
    let workspace = try open()
    let main = workspace.main
    let other = try workspace.fork(main, named: "other")
    try workspace.operation("patch", on: other) {
      try Client(other, as: .superuser).put("/b", "X", at: 0)
    }
    let mine = try text("/b", other)
    try commit("whole", to: "/b", main)
    try shell("rm \(base)/b")
    workspace.startEpoch()
    _ = try workspace.rebase(other, "rebase") { _ in .ours }
    #expect(try text("/b", other) == mine)
    for fork in [main, other] { _ = try workspace.squash(fork) }
    _ = try collect(workspace)
    #expect(try text("/b", other) == mine)
  }

  @Test func `a removal that was broken off is gone on with`() throws {
    do {
      let workspace = try open()
      try commit("2", to: "/a", workspace.main)
      _ = try workspace.squash(workspace.main)
      // As if killed in the midst of it.
      try shell("rm \(own)/kept/1/done")
    }
    let workspace = try open()
    #expect(try kept() == [])
    #expect(try workspace.check().problems == [])
  }
}
