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
