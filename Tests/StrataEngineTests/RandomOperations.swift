import Glibc
import StrataEngine
import StrataTestSupport
import Testing

/// Random operations on the engine and on a naïve model must agree in everything that can be seen.
///
/// `STRATA_OPS` says how many in all (200,000 unless set), `STRATA_SEED` where to begin; the seed of
/// each run is printed and repeats it alone.
@Suite struct RandomOperations {
  static let operations = environment("STRATA_OPS") ?? 200_000
  /// Operations of one run over one random union of bases.
  static let perRun = 2000

  enum Choice: Int, CaseIterable {
    case byDefault, copyUp, redirect

    var firstWrite: FirstWrite? {
      switch self {
      case .byDefault: nil
      case .copyUp: .copyUp
      case .redirect: .redirect(block: 16384)
      }
    }
  }

  @Test(arguments: Choice.allCases)
  func `Random operations agree with a naïve model`(_ choice: Choice) throws {
    let seed = try TestSeed.first(1 + UInt64(choice.rawValue) << 16)
    var rest = Self.operations / Choice.allCases.count
    var run: UInt64 = 0
    while rest > 0 {
      let seed = seed &+ run
      print("random operations, \(choice): STRATA_SEED=\(seed)")
      try RandomRun(seed: seed, choice.firstWrite).run(min(rest, Self.perRun))
      rest -= Self.perRun
      run += 1
    }
  }

  /// A tenth as many over a store, and the workspace opened again from it every few steps.
  @Test(arguments: Choice.allCases)
  func `Random operations outlive the process`(_ choice: Choice) throws {
    let seed = try TestSeed.first(1 + UInt64(choice.rawValue + 8) << 16)
    var rest = Self.operations / Choice.allCases.count / 10
    var run: UInt64 = 0
    while rest > 0 {
      let seed = seed &+ run
      print("random operations over a store, \(choice): STRATA_SEED=\(seed)")
      try RandomRun(seed: seed, choice.firstWrite, store: MemoryStore()).run(min(rest, 500))
      rest -= 500
      run += 1
    }
  }

  static func environment(_ name: String) -> Int? {
    getenv(name).flatMap { Int(String(cString: $0)) }
  }
}
