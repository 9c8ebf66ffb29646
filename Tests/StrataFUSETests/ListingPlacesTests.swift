import StrataEngine
import StrataTestSupport
import Testing

@testable import StrataFUSE

/// What the kernel is told of where a listing goes on.
@Suite struct ListingPlacesTests {
  @Test func `places are in the order of cookies, and lead behind all that are at them`() throws {
    var random = SeededGenerator(seed: try TestSeed.first(1))
    let places = ListingPlaces(changed: 1_234_567_891)
    var cookies: [UInt64] = [1, 2, 3, 100, 0xFFFF, 0x1_0000, 0x1_FFFF, 0x2_0000, UInt64(Int64.max)]
    for _ in 0..<1000 { cookies.append(UInt64.random(in: 3...UInt64(Int64.max), using: &random)) }
    cookies.sort()
    #expect(ListingPlaces.cookie(at: 0) == 0)
    for (cookie, next) in zip(cookies, cookies.dropFirst()) {
      let (place, following) = (places.place(of: cookie), places.place(of: next))
      #expect(place <= following && place > 0 && place <= UInt64(Int64.max))
      let last = ListingPlaces.cookie(at: place)
      #expect(last >= cookie && (place == following) == (next <= last), "\(cookie), \(next)")
    }
  }

  @Test func `a directory that has changed has other places, and the former go on meaning theirs`()
  {
    let before = ListingPlaces(changed: 1_000_000_000)
    let after = ListingPlaces(changed: 1_000_000_001)
    for cookie in [1, 2, 3, 1 << 40] as [UInt64] {
      #expect(before.place(of: cookie) != after.place(of: cookie))
      let last = ListingPlaces.cookie(at: before.place(of: cookie))
      #expect(last == ListingPlaces.cookie(at: after.place(of: cookie)) && last >= cookie)
    }
  }
}
