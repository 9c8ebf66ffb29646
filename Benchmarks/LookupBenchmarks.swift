internal import StrataEngine

enum LookupBenchmarks {
  static func run() throws {
    try warmPath()
    try depth()
  }

  /// A path component in a tree of 1,000,000 nodes.
  private static func warmPath() throws {
    let workspace = try EmptyBase.workspace()
    let fork = workspace.main
    try fork.fill(1_000_000)
    let paths = (0..<4096).map { index -> [UInt8] in
      let file = (index &* 7919) % 1_000_000
      return Array("/d\(file / 1000)/file\(file)".utf8)
    }
    let client = Client(fork, as: .superuser)
    for (what, set) in [("256 paths over and over", 256), ("4,096 paths over and over", 4096)] {
      let time = try Bench.median(count: 400_000) { index in
        blackHole(try client.resolve(paths[index & (set - 1)]))
      }
      Bench.report(
        "a path component, 1,000,000 nodes, \(what)", time / 2, "ns",
        limit: set == 256 ? 300 : nil)
    }
  }

  /// Hits and misses under 10,000 layers, each of which changes another name, against one layer.
  private static func depth() throws {
    let (one, shallow) = try ForkBenchmarks.nested(1)
    let (many, deep) = try ForkBenchmarks.nested(10_000)
    // The same number of names, so that only the number of layers differs.
    for level in 1..<10_000 {
      _ = try shallow.create(
        Name("level\(level)"), in: .root, .regular, mode: 0o644, by: .superuser)
    }
    let hits = (0..<4096).map { Name("level\(($0 &* 2741) % 10_000)") }
    let misses = (0..<4096).map { Name("nothing\($0)") }
    for (what, names) in [("hits", hits), ("misses", misses)] {
      var ratios: [Double] = []
      for _ in 0..<20 {
        let time = measure(shallow, names)
        ratios.append(measure(deep, names) / time)
      }
      let median = ratios.sorted()[10]
      Bench.report("lookup at depth 10,000 against 1, \(what), 20 pairs", median, "×", limit: 1.1)
    }
    withExtendedLifetime((one, many)) {}
  }

  private static func measure(_ fork: Fork, _ names: [Name]) -> Double {
    let value = fork.value
    return Bench.median(rounds: 3, count: 200_000) { index in
      blackHole(try? value.lookup(names[index & 4095], in: .root))
    }
  }
}
