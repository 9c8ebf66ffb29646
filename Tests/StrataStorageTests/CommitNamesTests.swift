import StrataEngine
import Testing

/// What a commit does to names that the fork has moved about.
@Suite struct CommitNamesTests {
  @Test func `directories that look alike have changed places behind a commit, too`() throws {
    let bench = try CommitBench("mkdir a b; touch -d @1 a b")
    try bench.change { client in
      // By itself the exchange is nothing that could be seen on the host.
      try client.rename(Array("/a".utf8), to: Array("/b".utf8), .exchange)
      try client.makeDirectory("/a/new")
    }
    let nodes = try ["/a", "/b"].map { try bench.row($0).node }
    try bench.commitAll()
    bench.workspace.startEpoch()
    #expect(try ["/a", "/b"].map { try bench.row($0).node } == nodes)
    #expect(try ["/a", "/b"].map { try bench.row($0).links } == [3, 2])
    #expect(try bench.names("/a") == ["new"] && bench.names("/b").isEmpty)
    #expect(try bench.changes().isEmpty)
  }

  @Test(arguments: [".strata", ".strata-commits-1"])
  func `what a base hides is not committed, and said to be in the way`(name: String) throws {
    let bench = try CommitBench("echo one > a")
    let before = try bench.look()
    try bench.change { client in
      try client.makeDirectory("/\(name)")
      try client.makeDirectory("/\(name)/within")
      try client.makeDirectory("/b")
    }
    let error = #expect(throws: FileError.self) { try bench.commitAll() }
    #expect(error?.errno == .fileExists && error?.reason?.contains("/\(name) ") == true)
    #expect(try bench.look() == before)
    let plan = try bench.workspace.planCommit(bench.main, [Array("/b".utf8)])
    _ = try bench.commit.run(plan, bench.main, "commit")
    #expect(try bench.changes() == ["added /\(name)", "added /\(name)/within"])
  }

  @Test(arguments: ["/b", "/d", "/d/c"])
  func `a file is committed and discarded by any of its names`(path: String) throws {
    let paths = [Array(path.utf8)]
    for hasLooked in [false, true] {
      let bench = try CommitBench("echo 1 > a; ln a b; mkdir d; ln a d/c; mkdir e; echo o > e/o")
      if hasLooked { for path in ["/b", "/d/c"] { _ = try bench.row(path) } }
      try bench.change { client in
        try client.put("/a", "2\n")
        try client.put("/e/o", "O\n")
      }
      #expect(try bench.workspace.planCommit(bench.main, [Array("/none".utf8)]).changes.isEmpty)
      try bench.workspace.discard(bench.main, paths, "discard")
      #expect(try bench.changes() == ["modified /e/o"])
      try bench.workspace.undo(bench.main)
      let plan = try bench.workspace.planCommit(bench.main, paths)
      #expect(plan.conflicts.isEmpty && plan.changes.count == 1)
      _ = try bench.commit.run(plan, bench.main, "commit")
      #expect(try ["a", "b", "d/c"].map { try bench.tree.text($0) } == ["2\n", "2\n", "2\n"])
      #expect(try bench.tree.text("e/o") == "o\n")
      #expect(try bench.changes() == ["modified /e/o"])
    }
  }

  @Test func `a new name of a file does not go with the others`() throws {
    let bench = try CommitBench("echo 1 > a")
    try bench.change { try $0.link(Array("/a".utf8), as: Array("/n".utf8)) }
    #expect(try bench.workspace.planCommit(bench.main, [Array("/a".utf8)]).changes.isEmpty)
    #expect(try bench.workspace.discard(bench.main, [Array("/a".utf8)], "discard").isEmpty)
  }

  @Test func `a file that was read before a commit has renamed it reads the same behind it`() throws
  {
    let bench = try CommitBench("echo one > a; echo two > b")
    let other = try bench.workspace.fork(bench.main, named: "other")
    let files = try [(bench.main, "/a"), (other, "/a"), (other, "/b")].map { fork, path in
      try bench.client(fork).open(Array(path.utf8), [.read])
    }
    let texts = ["one\n", "one\n", "two\n"].map { Array($0.utf8) }
    #expect(try files.map { try $0.read(4, at: 0) } == texts)
    try bench.change { client in
      try client.rename("/a", to: "/c")
      try client.put("/b", "2")
    }
    try bench.commitAll()
    #expect(try files.map { try $0.read(4, at: 0) } == texts)
  }
}
