import Glibc

/// Where tests with random input begin: each at a number of its own, so that the same is tested each
/// time. `STRATA_SEED` says another number; with `STRATA_SEED=random` it is one that nobody has
/// thought of, which is printed.
public enum TestSeed {
  public struct Unknown: Error, CustomStringConvertible {
    public let description: String
  }

  /// Whether one was asked for.
  public static var isGiven: Bool { getenv("STRATA_SEED") != nil }

  /// Whether it is a number that was asked for, to see one run again.
  public static var isNumber: Bool { isGiven && !isRandom }

  private static var text: String { getenv("STRATA_SEED").map { String(cString: $0) } ?? "" }
  private static var isRandom: Bool { text == "random" }

  /// - Parameter usual: where the test begins unless something else is asked for.
  /// - Throws: if what is asked for is not a seed.
  public static func first(_ usual: UInt64) throws -> UInt64 {
    guard isGiven else { return usual }
    if isRandom {
      // Tests count up from it.
      let seed = UInt64.random(in: 0..<1 << 48)
      print("STRATA_SEED=\(seed)")
      return seed
    }
    guard let seed = UInt64(text) else {
      throw Unknown(description: "STRATA_SEED=\(text): not a number, nor \"random\"")
    }
    return seed
  }
}
