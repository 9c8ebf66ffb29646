/// Numbers of bytes as people write and read them.
enum SizeText {
  /// `512`, `1.5K`, `12M`: rounded up, three characters or fewer before the letter.
  static func human(_ bytes: Int64) -> String {
    guard bytes.magnitude >= 1024 else { return String(bytes) }
    var value = Double(bytes)
    var unit = 0
    let units = Array("KMGTPE")
    value /= 1024
    while value.magnitude >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    if value.magnitude < 10 {
      let tenths = (value * 10).rounded(.up)
      if tenths < 100 { return "\(Int(tenths) / 10).\(Int(tenths) % 10)\(units[unit])" }
    }
    return "\(Int(value.rounded(.up)))\(units[unit])"
  }

  /// `20 bytes`, `4 KiB`, `1.5 MiB`: for sentences.
  static func spoken(_ bytes: Int64) -> String {
    guard bytes.magnitude >= 1024 else { return bytes == 1 ? "1 byte" : "\(bytes) bytes" }
    var value = Double(bytes) / 1024
    var unit = 0
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB"]
    while value.magnitude >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    let tenths = Int((value * 10).rounded())
    let number = tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths) % 10)"
    return "\(number) \(units[unit])"
  }

  /// `4096`, `4K`, `1MiB`, `1MB`, `0x1000`: bytes; nil for what is no size, or too large.
  static func parse(_ text: [UInt8]) -> Int64? {
    let word = text.text
    if word.hasPrefix("0x") { return Int64(word.dropFirst(2), radix: 16) }
    let digits = word.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int64(digits) else { return nil }
    let unit = word.dropFirst(digits.count)
    let factor: Int64
    switch unit {
    case "", "c", "B": factor = 1
    case "b": factor = 512
    default:
      guard let letter = unit.first?.uppercased().first,
        let power = "KMGTPE".firstIndex(of: letter)
      else { return nil }
      let base: Int64
      switch unit.dropFirst() {
      case "", "iB": base = 1024
      case "B": base = 1000
      default: return nil
      }
      let exponent = "KMGTPE".distance(from: "KMGTPE".startIndex, to: power) + 1
      factor = (0..<exponent).reduce(1) { product, _ in product * base }
    }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
  }
}
