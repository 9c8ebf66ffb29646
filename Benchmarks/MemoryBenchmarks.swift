internal import StrataEngine

enum MemoryBenchmarks {
  static func run() throws {
    try perNode()
    try sharedPages()
  }

  private static func perNode() throws {
    let before = Bench.allocatedBytes()
    let workspace = try EmptyBase.workspace()
    try workspace.main.fill(1_000_000)
    let bytes = Double(Bench.allocatedBytes() - before) / 1_000_000
    Bench.report("memory for a changed node, 1,000,000 of them", bytes, "bytes", limit: 300)
    withExtendedLifetime(workspace) {}
  }

  private static func sharedPages() throws {
    let workspace = try EmptyBase.workspace()
    let main = workspace.main
    let node = try main.create("big", in: .root, .regular, mode: 0o644, by: .superuser)
    let chunk = [UInt8](repeating: 7, count: 1 << 20)
    do {
      let file = try main.open(node, [.write], by: .superuser)
      for index in 0..<256 { _ = try file.write(chunk, at: Int64(index) << 20) }
    }
    let before = Bench.allocatedBytes()
    let pages = Workspace.pagesInMemory
    var forks: [Fork] = []
    for index in 0..<1000 { forks.append(try workspace.fork(main, named: "f\(index)")) }
    let grown = Double(Bench.allocatedBytes() - before) / Double(1 << 20)
    Bench.report("1,000 forks of a session with 256 MiB written", grown, "MiB", limit: 2)
    let page = [UInt8](repeating: 8, count: 4096)
    for (index, fork) in forks.enumerated() {
      let file = try fork.open(node, [.write], by: .superuser)
      _ = try file.write(page, at: Int64(index) * 4096)
    }
    let content = Double((Workspace.pagesInMemory - pages) * 4096) / 1000
    Bench.report("  each then writing one page: content", content, "bytes", limit: 4200)
    let all = Double(Bench.allocatedBytes() - before) / 1000
    Bench.report("  each then writing one page: everything", all, "bytes")
  }
}
