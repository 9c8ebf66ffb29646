internal import CStrataSystem
internal import Glibc

/// Measuring and reporting: every figure with the limit it is held against.
enum Bench {
  static func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Nanoseconds a call, of `count` calls: the median of `rounds` runs.
  static func median(rounds: Int = 7, count: Int, _ body: (Int) throws -> Void) rethrows -> Double {
    var runs: [Double] = []
    for _ in 0..<rounds {
      let start = nanoseconds()
      for index in 0..<count { try body(index) }
      runs.append(Double(nanoseconds() - start) / Double(count))
    }
    return runs.sorted()[rounds / 2]
  }

  /// Nanoseconds of one call.
  static func time<R>(_ body: () throws -> R) rethrows -> (Double, R) {
    let start = nanoseconds()
    let result = try body()
    return (Double(nanoseconds() - start), result)
  }

  /// Bytes of memory that the process has allocated and not freed.
  static func allocatedBytes() -> Int { strata_allocated_bytes() }

  /// One line of the report; `limit` and `value` in the same unit.
  static func report(_ what: String, _ value: Double, _ unit: String, limit: Double? = nil) {
    let verdict = limit.map { value <= $0 ? "ok  " : "MISS" } ?? "    "
    let bound = limit.map { "  (limit \(format($0)) \(unit))" } ?? ""
    print("\(verdict) \(pad(what, 58)) \(format(value)) \(unit)\(bound)")
  }

  static func format(_ value: Double) -> String {
    if value.isNaN { return "-" }
    if value >= 100 { return String(Int(value.rounded())) }
    return String((value * 100).rounded() / 100)
  }

  static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
