import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// A fork takes the base as it is now and keeps what it has changed itself.
@Suite struct RebaseTests {
  @Test func `what only one side has changed needs no settling`() throws {
    let bench = try CommitBench("echo a > a; echo b > b; echo c > c; mkdir d; echo x > d/x")
    try bench.change { client in
      try client.put("/a", "mine")
      try client.remove("/c")
      try client.makeDirectory("/new")
      try client.put("/new/n", "n")
    }
    try bench.host("echo B > b; echo h > h; rm d/x; echo y > d/y")
    let result = try bench.rebase { _ in nil }
    #expect(result.conflicts.isEmpty && result.settled == 0 && result.isChanged)
    #expect(try bench.names() == ["a", "b", "d", "h", "new"])
    #expect(try bench.names("/d") == ["y"])
    #expect(try bench.text("/b") == "B\n")
    #expect(try bench.changes() == ["modified /a", "removed /c", "added /new", "added /new/n"])
    #expect(try bench.commitAll() == 4)
    #expect(try bench.tree.names() == ["a", "b", "d", "h", "new"])
  }

  /// What the fork does, what the host does, what stands between them, and what is there behind
  /// settling it for the one or the other.
  static let cases: [(String, String, String, ours: String?, theirs: String?)] = [
    ("M f", "echo host > f", "changed /f", "mine\n", "host\n"),
    ("M f", "echo host > t; mv t f", "changed /f", "mine\n", "host\n"),
    ("M f", "rm f", "gone /f", "mine\n", nil),
    ("R f", "echo host > f", "changed /f", nil, "host\n"),
    ("R f", "echo host > t; mv t f", "changed /f", nil, "host\n"),
    ("A n", "echo host > n", "exists /n", "mine\n", "host\n"),
    ("C f", "echo host > f", "changed /f", "mine\n", "host\n"),
    ("D d", "echo host > d/n", "notEmpty /d", nil, "host\n"),
    ("A d/n", "rm -r d", "noDirectory /d", "mine\n", nil),
  ]

  @Test(arguments: 0..<9) func `conflicts are named by kind, and settled`(_ index: Int) throws {
    let (what, script, conflict, ours, theirs) = Self.cases[index]
    let name = String(what.dropFirst(2))
    // What is looked at in the end.
    let looked = what == "D d" ? "/d/n" : "/\(name)"
    for side in [Settlement.ours, .theirs] {
      let bench = try CommitBench("echo base > f; mkdir d; echo x > d/x")
      try bench.change { client in
        switch what.first {
        case "R": try client.remove("/f")
        case "D": try client.removeAll("/d")
        case "C":
          try client.remove("/f")
          try client.put("/f", "mine\n")
        default:
          let file = try client.open(
            Array("/\(name)".utf8), [.write, .truncate], create: 0o644)
          _ = try file.write(Array("mine\n".utf8), at: 0)
        }
      }
      try bench.host(script)
      let before = bench.main.value
      let result = try bench.rebase { _ in nil }
      #expect(CommitBench.shown(result.conflicts) == [conflict])
      #expect(!result.isChanged && bench.main.history.count == 1)
      _ = before
      // A commit stops at the same.
      let host = try bench.look()
      #expect(try !bench.plannedConflicts().isEmpty)

      let settled = try bench.rebase { _ in side }
      #expect(settled.conflicts.isEmpty && settled.settled == 1)
      let expected = side == .ours ? ours : theirs
      if let expected {
        #expect(try bench.text(looked) == expected)
      } else {
        #expect(throws: FileError.notFound) { try bench.text(looked) }
      }
      #expect(try bench.look() == host)
      // Nothing stands in the way of a commit now, and it makes the host what the fork shows.
      #expect(try bench.plannedConflicts().isEmpty)
      try bench.commitAll()
      let there = try? bench.tree.text(String(looked.dropFirst()))
      #expect(there == expected)
      #expect(try bench.changes().isEmpty)
    }
  }

  @Test func `blocks of a file stay over what an editor has put in its place`() throws {
    let bench = try CommitBench("head -c 200000 /dev/zero | tr '\\0' a > f")
    try bench.change { try $0.put("/f", "mine", at: 100_000) }
    try bench.host("head -c 200000 /dev/zero | tr '\\0' b > t; mv t f")
    let result = try bench.rebase { _ in .ours }
    #expect(result.settled == 1)
    let text = try bench.text("/f")
    #expect(text.count == 200_000 && text.hasPrefix("bbb") && text.hasSuffix("bbb"))
    #expect(text.contains("mine"))
  }

  @Test func `blocks over a file that is gone are not enough for the fork's side`() throws {
    let bench = try CommitBench("head -c 200000 /dev/zero > f")
    try bench.change { try $0.put("/f", "mine", at: 100_000) }
    try bench.host("rm f")
    #expect(CommitBench.shown(try bench.rebase { _ in .ours }.conflicts) == ["lost /f"])
    #expect(try bench.rebase { _ in .theirs }.conflicts.isEmpty)
    #expect(try bench.names().isEmpty)
  }

  @Test func `a file that was only renamed is lost with the host's, and said to be`() throws {
    let bench = try CommitBench("echo base > f")
    try bench.change { try $0.rename("/f", to: "/g") }
    try bench.host("rm f")
    #expect(try bench.plannedConflicts() == ["lost /g"])
    #expect(CommitBench.shown(try bench.rebase { _ in .ours }.conflicts) == ["lost /g"])
    #expect(try bench.rebase { _ in .theirs }.conflicts.isEmpty)
    #expect(try bench.names().isEmpty)
  }

  @Test func `a file that was only renamed goes on with what the host has put in its place`() throws
  {
    let bench = try CommitBench("echo base > f")
    try bench.change { try $0.rename("/f", to: "/g") }
    try bench.host("echo other > t; mv t f")
    let plan = try bench.workspace.planCommit(bench.main, [])
    let conflict = try #require(plan.conflicts.first { $0.path == Array("/g".utf8) })
    #expect(conflict.kind == .replaced && !conflict.canBeOverridden && conflict.canBeKept)
    #expect(try bench.rebase { _ in .ours }.conflicts.isEmpty)
    #expect(try bench.text("/g") == "other\n")
    try bench.commitAll()
    #expect(try bench.tree.names() == ["g"])
  }

  @Test func `changes go with a directory that the host has renamed`() throws {
    let bench = try CommitBench("mkdir -p d/sub; echo x > d/sub/x; echo y > d/y")
    try bench.change { client in
      try client.put("/d/sub/x", "mine\n")
      try client.put("/d/new", "new\n")
      try client.remove("/d/y")
    }
    try bench.host("mv d e")
    #expect(try bench.rebase { _ in nil }.conflicts.isEmpty)
    #expect(try bench.names() == ["e"])
    #expect(try bench.changes() == ["added /e/new", "modified /e/sub/x", "removed /e/y"])
    try bench.commitAll()
    #expect(try bench.tree.text("e/sub/x") == "mine\n")
    #expect(try bench.tree.names("e") == ["new", "sub"])
  }

  @Test func `a file is kept where the fork has moved its directory to`() throws {
    let bench = try CommitBench("mkdir d e; echo b > d/x; echo b > d/y")
    try bench.change { client in
      try client.rename("/d", to: "/e/dd")
      let file = try client.open(Array("/e/dd/x".utf8), [.write, .truncate])
      _ = try file.write(Array("mine\n".utf8), at: 0)
    }
    try bench.host("rm -r d")
    #expect(CommitBench.shown(try bench.rebase { _ in nil }.conflicts) == ["gone /e/dd/x"])
    #expect(try bench.rebase { _ in .ours }.conflicts.isEmpty)
    #expect(try bench.changes() == ["added /e/dd", "added /e/dd/x"])
    #expect(try bench.names() == ["e"] && bench.row("/e").links == 3)
    try bench.commitAll()
    #expect(try bench.tree.text("e/dd/x") == "mine\n")
    #expect(try bench.tree.names() == ["e"])
  }

  @Test func `a commit plans what goes with a directory that the host has renamed`() throws {
    let bench = try CommitBench("mkdir d; echo x > d/x; echo g > g")
    try bench.change { client in
      try client.put("/d/x", "mine\n")
      try client.put("/d/new", "new\n")
      try client.put("/g", "mine\n")
    }
    try bench.host("mv d e")
    let plan = try bench.workspace.planCommit(bench.main, [])
    #expect(plan.isRebased && !plan.needsRebase)
    let changes = ["added /e/new", "modified /e/x", "modified /g"]
    #expect(try bench.changes() == changes)
    #expect(try bench.workspace.planCommit(bench.main, [], mayRebase: false).needsRebase)
    // With a conflict there is no plan.
    try bench.host("echo host > g")
    #expect(try bench.workspace.planCommit(bench.main, []).needsRebase)
    try bench.rebase { _ in .ours }
    #expect(try bench.changes() == changes)
    try bench.commitAll()
    #expect(try bench.tree.text("g") == "mine\n" && bench.tree.text("e/x") == "mine\n")
    #expect(try bench.tree.names() == ["e", "g"])
  }

  @Test func `a directory that was removed and made again gets the fork's files`() throws {
    let bench = try CommitBench("mkdir d; echo x > d/x")
    try bench.change { try $0.put("/d/new", "new\n") }
    try bench.host("rm -r d; mkdir d; echo z > d/z")
    #expect(try bench.rebase { _ in nil }.conflicts.isEmpty)
    #expect(try bench.names("/d") == ["new", "z"])
    try bench.commitAll()
    #expect(try bench.tree.names("d") == ["new", "z"])
  }

  @Test func `two directories of one name become one`() throws {
    let bench = try CommitBench("true")
    try bench.change { client in
      try client.makeDirectory("/d")
      try client.put("/d/mine", "m")
      try client.put("/d/both", "m")
    }
    try bench.host("mkdir d; echo h > d/theirs; echo h > d/both")
    #expect(CommitBench.shown(try bench.rebase { _ in nil }.conflicts) == ["exists /d/both"])
    #expect(try bench.rebase { _ in .ours }.conflicts.isEmpty)
    #expect(try bench.names("/d") == ["both", "mine", "theirs"])
    try bench.commitAll()
    #expect(try bench.tree.text("d/both") == "m")
    #expect(try bench.tree.names("d") == ["both", "mine", "theirs"])
  }

  @Test(arguments: ["echo host > c", ":"])
  func `what both sides have made the same is no conflict of a commit`(further: String) throws {
    let bench = try CommitBench("echo a > a; echo b > b; echo c > c; echo f > f; chmod 600 f")
    try bench.change { client in
      try client.put("/a", "same\n")
      try client.remove("/b")
      try client.put("/b", "same\n")
      try client.put("/c", "mine\n")
      try client.put("/n", "same\n")
      try client.setAttributes(Array("/f".utf8), AttributeChanges(mode: 0o644))
    }
    try bench.host(
      "echo same > a; echo same > t; mv t b; echo same > n; chmod 644 f a b n; \(further)")
    if further == ":" {
      // What is the same on both sides is none of the fork's changes.
      #expect(try bench.changes() == ["modified /c"])
      #expect(try bench.workspace.planCommit(bench.main, []).isRebased)
      #expect(try bench.rebase { _ in nil }.settled == 0)
      #expect(try bench.changes() == ["modified /c"])
      #expect(try bench.commitAll() == 1)
      let undoing = try #require(try bench.commit.planUndo(bench.workspace))
      #expect(try bench.commit.undo(undoing, bench.workspace).hasChanges)
      #expect(try bench.changes() == ["modified /c"])
    } else {
      #expect(try bench.plannedConflicts() == ["changed /c"])
      var plan = try bench.workspace.planCommit(bench.main, [])
      plan.leave(plan.conflicts.map(\.path))
      plan.conflicts = []
      _ = try bench.commit.run(plan, bench.main, "commit")
      #expect(try bench.changes() == [])
      #expect(try bench.tree.text("c") == "host\n")
    }
    #expect(try bench.tree.text("a") == "same\n" && bench.text("/b") == "same\n")
    #expect(try bench.text("/n") == "same\n")
  }

  @Test func `a directory that both sides have made is one in a commit`() throws {
    let bench = try CommitBench("mkdir keep")
    try bench.change { client in
      try client.makeDirectory("/d")
      try client.put("/d/same", "same\n")
      try client.put("/d/mine", "mine\n")
    }
    try bench.host("mkdir -m 777 d; echo same > d/same; echo theirs > d/theirs")
    #expect(try bench.changes() == ["added /d/mine"])
    _ = try bench.rebase { _ in nil }
    #expect(try bench.commitAll() == 1)
    #expect(try bench.tree.names("d") == ["mine", "same", "theirs"])
    #expect(try bench.names("/d") == ["mine", "same", "theirs"])
  }

  @Test func `what another fork has committed is no change of this one any more`() throws {
    let bench = try CommitBench("echo a > a; echo b > b; mkdir d; echo x > d/x")
    try bench.change { client in
      try client.put("/a", "mine")
      try client.put("/new", "new")
      try client.remove("/b")
      try client.rename("/d", to: "/e")
    }
    let child = try bench.workspace.fork(bench.main, named: "child")
    try bench.change(child) { try $0.put("/own", "own") }
    try bench.commitAll()
    let seen = try bench.names(in: child)
    #expect(seen == ["a", "e", "new", "own"])
    let result = try bench.workspace.rebase(child, "rebase") { _ in nil }
    #expect(result.conflicts.isEmpty)
    #expect(try bench.names(in: child) == seen)
    #expect(try bench.changes(child) == ["added /own"])
    try bench.commitAll(child)
    #expect(try bench.tree.names() == seen)
  }

  @Test(arguments: ["rm -r d", "mv d e"])
  func `where the host has taken away a directory, a rebase is asked for`(script: String) throws {
    let bench = try CommitBench("mkdir d; echo x > d/x")
    try bench.change { client in
      try client.put("/d/x", "mine\n")
      try client.put("/d/new", "new\n")
    }
    try bench.host(script)
    bench.workspace.startEpoch()
    let error = #expect(throws: FileError.self) { try bench.workspace.diff(bench.main) }
    #expect(error?.errno == .staleNFSFileHandle && error?.reason?.contains("rebase") == true)
    let other = #expect(throws: FileError.self) {
      try bench.workspace.discard(bench.main, [Array("/d".utf8)], "discard")
    }
    #expect(other == error)
    try bench.workspace.discard(bench.main)
    #expect(try bench.workspace.diff(bench.main).isEmpty && bench.changes().isEmpty)
  }

  @Test func `a rebase is one operation, and undone as one`() throws {
    let bench = try CommitBench("echo a > a; echo b > b")
    try bench.change { client in
      try client.remove("/b")
      try client.put("/n", "mine")
    }
    try bench.host("echo host > n; echo host > b")
    try bench.rebase { _ in .theirs }
    #expect(try bench.names() == ["a", "b", "n"])
    #expect(bench.main.history.map(\.command) == ["change", "rebase"])
    try bench.workspace.undo(bench.main)
    #expect(try bench.names() == ["a", "n"])
    #expect(try bench.text("/n") == "mine")
  }

  @Test func `paths are settled one by one`() throws {
    let bench = try CommitBench("echo a > a; echo b > b")
    try bench.change { client in
      try client.put("/a", "mine")
      try client.put("/b", "mine")
    }
    try bench.host("echo host > a; echo host > b")
    let result = try bench.rebase { $0.path == Array("/a".utf8) ? .ours : .theirs }
    #expect(result.settled == 2)
    #expect(try bench.text("/a").hasPrefix("mine"))
    #expect(try bench.text("/b") == "host\n")
  }
}

extension CommitBench {
  @discardableResult
  func rebase(_ settle: (CommitConflict) -> Settlement?) throws -> RebaseResult {
    try workspace.rebase(main, "rebase", settle: settle)
  }
}
