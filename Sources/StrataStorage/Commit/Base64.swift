/// Bytes as text for `base64 -d` (RFC 4648).
enum Base64 {
  private static let letters = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func line(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      let word = part.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - part.count))
      for index in 0..<4 {
        let letter = letters[Int(word >> (18 - 6 * UInt32(index))) & 63]
        text.append(index <= part.count ? letter : UInt8(ascii: "="))
      }
    }
    return text
  }

  static func lines(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 57) {
      result += line(Array(bytes[start..<min(start + 57, bytes.count)])) + [0x0A]
    }
    return result
  }
}
