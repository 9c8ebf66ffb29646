internal import StrataEngine

/// Times as people write them. Without a zone they are local.
enum TimeText {
  /// `[[CC]YY]MMDDhhmm[.ss]`
  static func parseStamp(_ text: String, now: Timestamp, _ host: any Host) -> Timestamp? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let digits = Array(parts[0])
    guard [8, 10, 12].contains(digits.count), digits.allSatisfy({ $0.isASCII && $0.isNumber })
    else { return nil }
    func number(_ range: Range<Int>) -> Int { Int(String(digits[range])) ?? -1 }
    let start = digits.count - 8
    var year = host.civilTime(now).year
    if start == 2 {
      let short = number(0..<2)
      year = short < 69 ? 2000 + short : 1900 + short
    } else if start == 4 {
      year = number(0..<4)
    }
    var second = 0
    if parts.count == 2 {
      guard parts[1].count == 2, let value = Int(parts[1]) else { return nil }
      second = value
    }
    return local(
      CivilTime(
        year: year, month: number(start..<start + 2), day: number(start + 2..<start + 4),
        hour: number(start + 4..<start + 6), minute: number(start + 6..<start + 8),
        second: second), host)
  }

  /// ISO 8601, with `T` or a blank before the time, or `@SECONDS`.
  static func parse(_ text: String, _ host: any Host) -> Timestamp? {
    if text.hasPrefix("@") { return seconds(String(text.dropFirst())) }
    var rest = Substring(text)
    var offset: Int?
    if rest.hasSuffix("Z") {
      offset = 0
      rest = rest.dropLast()
    } else if let sign = rest.lastIndex(where: { $0 == "+" || $0 == "-" }),
      rest[..<sign].contains(":")
    {
      let digits = rest[rest.index(after: sign)...].filter { $0 != ":" }
      guard digits.count == 4, let value = Int(digits) else { return nil }
      offset = (value / 100 * 3600 + value % 100 * 60) * (rest[sign] == "-" ? -1 : 1)
      rest = rest[..<sign]
    }
    let halves = rest.split(maxSplits: 1) { $0 == "T" || $0 == " " }
    guard let first = halves.first else { return nil }
    let date = first.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
    guard date.count == 3 else { return nil }
    var clock = [0, 0, 0]
    var fraction = 0
    if halves.count == 2 {
      let parts = halves[1].split(separator: ".", maxSplits: 1)
      let fields = parts[0].split(separator: ":", omittingEmptySubsequences: false)
      guard (2...3).contains(fields.count) else { return nil }
      for (index, field) in fields.enumerated() { clock[index] = Int(field) ?? -1 }
      if parts.count == 2 {
        guard parts[1].count <= 9, let value = nanoseconds(String(parts[1])) else { return nil }
        fraction = value
      }
    }
    let civil = CivilTime(
      year: date[0], month: date[1], day: date[2], hour: clock[0], minute: clock[1],
      second: clock[2], nanosecond: fraction)
    if let offset { return civil?.timestamp(offset: offset) }
    return local(civil, host)
  }

  private static func seconds(_ text: String) -> Timestamp? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = Int64(parts[0]) else { return nil }
    let fraction = parts.count == 2 ? nanoseconds(String(parts[1])) : 0
    guard let fraction else { return nil }
    let (product, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? nil : product + Int64(text.hasPrefix("-") ? -fraction : fraction)
  }

  private static func nanoseconds(_ digits: String) -> Int? {
    guard digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return Int(String((digits + "000000000").prefix(9)))
  }

  /// The offset of local time depends on the moment that is looked for: guess, then look again.
  private static func local(_ civil: CivilTime?, _ host: any Host) -> Timestamp? {
    guard let civil, let guess = civil.timestamp(offset: 0) else { return nil }
    let first = host.secondsFromUTC(at: guess)
    guard let near = civil.timestamp(offset: first) else { return nil }
    return civil.timestamp(offset: host.secondsFromUTC(at: near))
  }
}
