internal import StrataEngine

/// A moment in the calendar.
struct CivilTime: Equatable {
  var year: Int
  var month: Int
  var day: Int
  var hour = 0
  var minute = 0
  var second = 0
  var nanosecond = 0

  /// - Parameter offset: seconds ahead of UTC.
  init(_ time: Timestamp, offset: Int) {
    let (seconds, nanoseconds) = floorDivided(time, by: 1_000_000_000)
    let (days, rest) = floorDivided(seconds + Int64(offset), by: 86_400)
    nanosecond = Int(nanoseconds)
    hour = Int(rest) / 3600
    minute = Int(rest) % 3600 / 60
    second = Int(rest) % 60
    // Days since 0000-03-01, in eras of 400 years (Howard Hinnant, "chrono-compatible low-level date
    // algorithms").
    let (era, dayOfEra) = floorDivided(days + 719_468, by: 146_097)
    let doe = Int(dayOfEra)
    let yearOfEra = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365
    let dayOfYear = doe - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shifted + 2) / 5 + 1
    month = shifted < 10 ? shifted + 3 : shifted - 9
    year = Int(era) * 400 + yearOfEra + (month <= 2 ? 1 : 0)
  }

  init?(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0,
    nanosecond: Int = 0
  ) {
    let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...12).contains(month), (1...lengths[month - 1]).contains(day),
      (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second),
      (0...9999).contains(year)
    else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    if month == 2, day == 29, !isLeap { return nil }
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
    self.nanosecond = nanosecond
  }

  /// - Parameter offset: seconds ahead of UTC that the fields are meant in.
  /// - Returns: nil outside of what nanoseconds in 64 bits can hold (1677 to 2262).
  func timestamp(offset: Int) -> Timestamp? {
    let shiftedYear = Int64(month <= 2 ? year - 1 : year)
    let (era, yearOfEra) = floorDivided(shiftedYear, by: 400)
    let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = era * 146_097 + dayOfEra - 719_468
    let seconds = days * 86_400 + Int64(hour * 3600 + minute * 60 + second - offset)
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow2) = product.addingReportingOverflow(Int64(nanosecond))
    return overflow || overflow2 ? nil : sum
  }

  /// `2025-01-31 08:05`
  var minutes: String { "\(date) \(two(hour)):\(two(minute))" }
  /// `2025-01-31`
  var date: String {
    "\(padded(String(year), 4, .right, with: "0"))-\(two(month))-\(two(day))"
  }
  /// `2025-01-31 08:05:09.000000001 +0100`
  func full(offset: Int) -> String {
    let fraction = padded(String(nanosecond), 9, .right, with: "0")
    let zone = "\(offset < 0 ? "-" : "+")\(two(abs(offset) / 3600))\(two(abs(offset) / 60 % 60))"
    return "\(minutes):\(two(second)).\(fraction) \(zone)"
  }

  private func two(_ number: Int) -> String { padded(String(number), 2, .right, with: "0") }
}

/// Quotient and remainder, the remainder never negative.
private func floorDivided(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
  let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
  return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}

extension Host {
  func civilTime(_ time: Timestamp) -> CivilTime {
    CivilTime(time, offset: secondsFromUTC(at: time))
  }

  func fullTime(_ time: Timestamp) -> String {
    let offset = secondsFromUTC(at: time)
    return CivilTime(time, offset: offset).full(offset: offset)
  }
}
