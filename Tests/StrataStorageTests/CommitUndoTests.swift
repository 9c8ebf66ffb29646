import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// `commit --undo`: the host's tree as it was, and nobody else sees a difference.
@Suite struct CommitUndoTests {
  private static let tree = """
    mkdir -p d/sub gone/deep keep; echo a > a; echo b > b; echo x > d/sub/x; echo g > gone/deep/g
    echo k > keep/k; ln -s a link; mkfifo pipe; truncate -s 100000 sparse; chmod 640 b
    echo bytes | dd of=sparse bs=1 seek=50000 conv=notrunc status=none
    find . -exec touch -h -d '2001-02-03 04:05:06.789' {} +
    """

  private func change(_ bench: CommitBench) throws {
    try bench.change { client in
      try client.put("/a", "mine and longer")
      try client.rename("/d", to: "/e")
      try client.put("/e/sub/x", "more")
      try client.put("/e/sub/n", "n")
      try client.removeAll("/gone")
      try client.makeDirectory("/gone")
      try client.put("/gone/other", "o")
      try client.remove("/pipe")
      try client.remove("/link")
      try client.makeSymlink(Array("/link".utf8), target: Array("b".utf8))
      try client.setAttributes(Array("/b".utf8), AttributeChanges(mode: 0o600))
      try client.put("/sparse", "patch", at: 10_000)
      try client.rename("/keep/k", to: "/k")
    }
  }

  @Test func `the tree, the fork's changes and what others see are as they were`() throws {
    let bench = try CommitBench(Self.tree)
    let before = try bench.look()
    let other = try bench.workspace.fork(bench.main, named: "other")
    let seen = try bench.names("/gone/deep", in: other)
    try change(bench)
    let changes = try bench.changes()
    try bench.commitAll()
    let after = try bench.look()
    #expect(before != after)
    let undoing = try #require(try bench.commit.planUndo(bench.workspace))
    #expect(undoing.plan.conflicts.isEmpty && undoing.number == 1)
    #expect(try bench.look() == after)
    let done = try bench.commit.undo(undoing, bench.workspace)
    #expect(done.hasChanges && done.result.refused.isEmpty)
    #expect(try bench.look() == before)
    #expect(try bench.changes() == changes)
    #expect(try bench.names("/gone/deep", in: other) == seen)
    #expect(try bench.text("/d/sub/x", in: other) == "x\n")
    // And again.
    try bench.commitAll()
    #expect(Self.withoutTimes(try bench.look()) == Self.withoutTimes(after))
    #expect(try bench.text("/d/sub/x", in: other) == "x\n")
  }

  /// New directories have the times of their making.
  private static func withoutTimes(_ look: String) -> [String] {
    look.split(separator: "\n").map { line in
      let words = line.split(separator: " ")
      return words.count < 7 ? String(line) : words[..<6].joined(separator: " ")
    }
  }

  @Test(arguments: [
    ("echo host > a", "changed /a"), ("echo host > t; mv t a", "changed /a"),
    ("rm a", "gone /a"), ("echo h > e/sub/n", "changed /e/sub/n"),
    ("echo h > gone/foreign", "changed"), ("echo h > pipe", "exists /pipe"),
  ])
  func `what somebody else has changed since is named, and nothing done`(
    _ script: String, _ conflict: String
  ) throws {
    let bench = try CommitBench(Self.tree)
    try change(bench)
    try bench.commitAll()
    try bench.host(script)
    let host = try bench.look()
    let undoing = try #require(try bench.commit.planUndo(bench.workspace))
    let conflicts = CommitBench.shown(undoing.plan.conflicts)
    if script.contains("foreign") {
      // The directory stays; what somebody has put into it is no matter.
      #expect(conflicts.isEmpty)
      _ = try bench.commit.undo(undoing, bench.workspace)
      #expect(try bench.tree.names("gone") == ["deep", "foreign"])
    } else {
      #expect(conflicts.contains(conflict), "\(conflicts)")
      #expect(try bench.look() == host)
    }
  }

  @Test func `taken back again and again, commit by commit`() throws {
    let bench = try CommitBench("echo 0 > f")
    var looks = [try bench.look()]
    for number in 1...3 {
      try bench.change { try $0.put("/f", "\(number)") }
      try bench.change { try $0.put("/f\(number)", "\(number)") }
      try bench.commitAll()
      looks.append(try bench.look())
    }
    for number in [3, 2, 1] {
      let undoing = try #require(try bench.commit.planUndo(bench.workspace))
      #expect(undoing.number == UInt64(number == 3 ? 3 : number))
      #expect(CommitBench.shown(undoing.plan.conflicts).isEmpty)
      _ = try bench.commit.undo(undoing, bench.workspace)
      #expect(try bench.look() == looks[number - 1])
    }
    #expect(try bench.commit.planUndo(bench.workspace) == nil)
  }

  @Test func `what squash has given up is not taken from the host`() throws {
    let bench = try CommitBench("echo a > a")
    try bench.change { try $0.put("/n", "new") }
    try bench.commitAll()
    let committed = try bench.look()
    _ = try bench.workspace.squash(bench.main)
    let error = #expect(throws: FileError.self) { try bench.commit.planUndo(bench.workspace) }
    #expect(error?.errno == .noSuchFileOrDirectory && error?.reason?.contains("squash") == true)
    #expect(try bench.look() == committed && bench.text("/n") == "new")
  }

  @Test func `a fork that has gone on has its changes again, and keeps what came behind`() throws {
    let bench = try CommitBench("echo a > a; echo b > b; mkdir d; echo x > d/x; echo r > r")
    let before = try bench.look()
    try bench.change { client in
      try client.put("/a", "mine")
      try client.put("/n", "new")
      try client.put("/m", "new")
      try client.remove("/r")
      try client.rename("/d", to: "/e")
      try client.rename("/b", to: "/c")
    }
    try bench.commitAll()
    try bench.change { client in
      try client.put("/later", "later")
      try client.put("/a", "more", at: 4)
      try client.put("/n", "!", at: 3)
      try client.remove("/m")
      try client.put("/e/y", "y")
      try client.rename("/c", to: "/g")
    }
    let undoing = try #require(try bench.commit.planUndo(bench.workspace))
    let done = try bench.commit.undo(undoing, bench.workspace)
    #expect(done.hasChanges)
    #expect(try bench.look() == before)
    let shown = [
      "added /e/y", "added /later", "added /n", "modified /a", "removed /r", "renamed /e",
      "renamed /g",
    ]
    #expect(try bench.changes().sorted() == shown)
    #expect(try bench.text("/later") == "later" && bench.text("/n") == "new!")
    #expect(try bench.text("/a") == "minemore" && bench.names("/e") == ["x", "y"])
    #expect(try bench.plannedConflicts() == [])
    try bench.commitAll()
    #expect(try bench.tree.names() == ["a", "e", "g", "later", "n"])
    #expect(try bench.changes().isEmpty)
  }

  @Test(arguments: ["echo host > a", "echo host > t; mv t a", "rm a", "echo n > d/n"])
  func `what was left to the host is the fork's again, and in conflict again`(
    _ script: String
  ) throws {
    let bench = try CommitBench("echo a > a; echo b > b; mkdir d; echo x > d/x; echo r > r")
    try bench.change { client in
      try client.put("/a", "mine")
      try client.put("/b", "mine")
      try client.remove("/r")
      try client.put("/n", "new")
      try client.removeAll("/d")
    }
    try bench.host(script)
    let mine = try bench.changes()
    let before = try bench.look()
    let conflicts = try bench.plannedConflicts()
    let shown = try bench.names()
    var plan = try bench.workspace.planCommit(bench.main, [])
    guard !plan.needsRebase else { return }
    plan.leave(plan.conflicts.map(\.path))
    plan.conflicts = []
    _ = try bench.commit.run(plan, bench.main, "commit")
    #expect(bench.main.history.map(\.command) == ["change", "commit"])
    #expect(try bench.changes() == [])
    #expect(try bench.text("/b") == "mine")
    let undoing = try #require(try bench.commit.planUndo(bench.workspace))
    #expect(CommitBench.shown(undoing.plan.conflicts) == [])
    let done = try bench.commit.undo(undoing, bench.workspace)
    #expect(done.hasChanges && bench.main.operationCount == 3)
    #expect(try bench.look() == before)
    #expect(try bench.names() == shown)
    #expect(try bench.changes() == mine)
    #expect(try bench.plannedConflicts() == conflicts)
    // One step back, and one again.
    try bench.workspace.undo(bench.main)
    #expect(bench.main.operationCount == 2)
    try bench.workspace.redo(bench.main)
    #expect(try bench.plannedConflicts() == conflicts)
  }

  @Test func `a conflict that was settled for the fork is there again`() throws {
    let bench = try CommitBench("echo a > a; echo b > b; echo c > c")
    try bench.change { client in
      try client.put("/a", "mine")
      try client.put("/b", "mine")
      try client.put("/n", "mine")
      try client.remove("/c")
    }
    try bench.host("echo theirs > a; echo theirs > n; echo theirs > c")
    let before = try bench.look()
    let conflicts = try bench.plannedConflicts()
    #expect(conflicts == ["changed /a", "changed /c", "exists /n"])
    var plan = try bench.workspace.planCommit(bench.main, [])
    plan.override(plan.conflicts.map(\.path))
    plan.conflicts = []
    _ = try bench.commit.run(plan, bench.main, "commit")
    #expect(try bench.tree.text("a") == "mine" && bench.changes() == [])
    let undoing = try #require(try bench.commit.planUndo(bench.workspace))
    #expect(try bench.commit.undo(undoing, bench.workspace).hasChanges)
    #expect(try bench.look() == before)
    #expect(try bench.plannedConflicts() == conflicts)
    #expect(try bench.text("/a") == "mine")
  }

  @Test(arguments: [false, true])
  func `of two commits that are taken back, the fork has all changes again`(isUndone: Bool) throws {
    let bench = try CommitBench("echo a > a; echo b > b")
    try bench.change { client in
      try client.put("/a", "mine")
      try client.put("/b", "mine")
    }
    let before = try bench.look()
    let changes = try bench.changes()
    let part = try bench.workspace.planCommit(bench.main, [Array("/a".utf8)])
    _ = try bench.commit.run(part, bench.main, "commit")
    try bench.commitAll()
    // Who takes back the operation first has the changes in the fork already.
    if isUndone { try bench.workspace.undo(bench.main) }
    for number: BaseVersion in [2, 1] {
      let undoing = try #require(try bench.commit.planUndo(bench.workspace))
      #expect(undoing.number == number)
      #expect(try bench.commit.undo(undoing, bench.workspace).hasChanges)
    }
    #expect(try bench.look() == before)
    #expect(try bench.changes() == changes)
    #expect(try bench.commitAll() == 2)
    #expect(try bench.tree.text("a") == "mine" && bench.tree.text("b") == "mine")
  }

  @Test func `a commit that cannot be done leaves the tree as it was, and the next one works`()
    throws
  {
    let bench = try CommitBench("mkdir d; echo a > a; echo x > d/x")
    try bench.change { client in
      try client.put("/a", "mine")
      try client.put("/d/n", "new")
      try client.remove("/d/x")
    }
    let plan = try bench.workspace.planCommit(bench.main, [])
    // Between the plan and the commit.
    try bench.host("mv d e; echo file > d")
    let host = try bench.look()
    #expect(throws: FileError.self) { try bench.commit.run(plan, bench.main, "commit") }
    #expect(try bench.look() == host)
    #expect(try bench.tree.text("a") == "a\n")
    #expect(try !bench.commit.recover(bench.workspace))
    try bench.host("rm d; mv e d")
    #expect(try bench.commitAll() == 3)
    #expect(try bench.tree.names("d") == ["n"])
  }
}
