internal import StrataEngine

/// Forking must not depend on how much there is, nor on how many layers lie below.
enum ForkBenchmarks {
  static func run() throws {
    var perNodes: [Double] = []
    for nodes in [10, 1_000_000] {
      let workspace = try EmptyBase.workspace()
      try workspace.main.fill(nodes)
      let value = measureFork(workspace.main.value)
      perNodes.append(value)
      Bench.report("fork of a value, \(nodes) changed nodes", value, "ns", limit: 100)
      var names = 0
      let whole = try Bench.median(count: 1000) { _ in
        names += 1
        try workspace.fork(workspace.main, named: "f\(names)")
      }
      Bench.report("  as a named fork of a workspace", whole, "ns")
      try firstWrite(workspace, nodes)
    }
    Bench.report("  1,000,000 nodes against 10", perNodes[1] / perNodes[0], "×", limit: 1.2)

    var perDepth: [Double] = []
    for depth in [1, 10_000] {
      let (workspace, fork) = try nested(depth)
      let value = measureFork(fork.value)
      withExtendedLifetime(workspace) {}
      perDepth.append(value)
      Bench.report("fork of a value, depth \(depth)", value, "ns", limit: 100)
    }
    Bench.report("  depth 10,000 against 1", perDepth[1] / perDepth[0], "×", limit: 1.2)
  }

  private static func measureFork(_ value: Namespace) -> Double {
    var value = value
    var child = value
    defer { withExtendedLifetime(child) {} }
    return Bench.median(count: 200_000) { _ in child = value.makeFork(named: "child") }
  }

  /// A fork at the end of a chain of forks, each of which has changed another name.
  static func nested(_ depth: Int) throws -> (Workspace, Fork) {
    let workspace = try EmptyBase.workspace()
    try workspace.main.fill(1000)
    var fork = workspace.main
    for level in 0..<depth {
      fork = try workspace.fork(fork, named: "level\(level)")
      _ = try fork.create(
        Name("level\(level)"), in: .root, .regular, mode: 0o644, by: .superuser)
    }
    return (workspace, fork)
  }

  private static func firstWrite(_ workspace: Workspace, _ nodes: Int) throws {
    let file = try workspace.main.create(
      "first-write", in: .root, .regular, mode: 0o644, by: .superuser)
    let page = [UInt8](repeating: 1, count: 4096)
    _ = try workspace.main.open(file, [.write], by: .superuser).write(page, at: 0)
    var runs: [Double] = []
    for round in 0..<200 {
      let child = try workspace.fork(workspace.main, named: "write\(round)")
      let open = try child.open(file, [.write], by: .superuser)
      let (time, _) = try Bench.time { try open.write(page, at: 0) }
      runs.append(time / 1000)
    }
    Bench.report("  first write after it, 4 KiB", runs.sorted()[100], "µs", limit: 10)
  }
}

/// Keeps the optimiser from leaving a result out.
@inline(never) func blackHole(_ value: NodeID?) { withExtendedLifetime(value) {} }
