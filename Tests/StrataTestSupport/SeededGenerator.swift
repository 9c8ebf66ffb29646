/// SplitMix64: the same numbers for the same seed everywhere.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number below `bound`, which is more than 0.
  public mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// True in `percent` of a hundred cases.
  public mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  public mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[below(elements.count)]
  }

  /// Bytes, none of them 0, so that a hole never looks like them.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    let first = next()
    return Array(unsafeUninitializedCapacity: count) { buffer, initialized in
      var word = first
      for index in 0..<count {
        if index & 7 == 0 { word = word &* 0x5851_F42D_4C95_7F2D &+ 0x1405_7B7E_F767_814F }
        buffer[index] = UInt8(truncatingIfNeeded: word >> (8 * UInt64(index & 7))) | 1
      }
      initialized = count
    }
  }
}
