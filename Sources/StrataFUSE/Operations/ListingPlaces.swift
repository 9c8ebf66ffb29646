internal import StrataEngine

/// Where a listing goes on, as the kernel is told: the engine's cookie, with when the directory changed
/// last in its lower bits.
///
/// The kernel keeps what several listings bring in one place, each piece behind the one that ends where
/// it begins. So what was listed before a change never comes behind what was listed after it.
struct ListingPlaces {
  private static let tagBits: UInt64 = 16
  private static let tags: UInt64 = 1 << tagBits - 1
  /// `.` and `..`
  private static let lastDot: UInt64 = 2

  private let tag: UInt64

  init(changed: Timestamp) {
    tag = (UInt64(bitPattern: changed) &* 0x9E37_79B9_7F4A_7C15) >> (64 - Self.tagBits)
  }

  /// What the kernel gets. Entries that it is the same of are given together or not at all.
  func place(of cookie: UInt64) -> UInt64 {
    cookie <= Self.lastDot
      ? cookie | tag << 2 & Self.tags
      : max(cookie & ~Self.tags, Self.tags + 1) | tag
  }

  /// The last cookie at a place.
  static func cookie(at place: UInt64) -> UInt64 { place <= tags ? place & 3 : place | tags }
}
