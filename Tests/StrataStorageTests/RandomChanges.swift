import StrataTestSupport

/// Random changes in the main fork of a bench.
final class RandomChanges {
  private let bench: CommitBench
  private var generator: OperationGenerator

  init(_ bench: CommitBench, seed: UInt64) {
    self.bench = bench
    generator = OperationGenerator(seed: seed, paths: [])
  }

  func make(_ count: Int) {
    bench.workspace.startEpoch()
    bench.workspace.operation("random", on: bench.main) {
      var client = ClientUnderTest(bench.main)
      for _ in 0..<count {
        let operation = generator.next()
        generator.learn(operation, client.perform(operation))
      }
      client.open = [:]
    }
    bench.workspace.startEpoch()
  }
}
