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
}
