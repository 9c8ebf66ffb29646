/// The form that lines marked `(esc)` have: `\\`, `\t`, `\r`, `\e` and `\xHH`.
enum EscapedText {
  /// Whether the bytes are UTF-8 that shows on a terminal as what it is.
  static func isPlain(_ bytes: [UInt8]) -> Bool {
    guard let text = String(validating: bytes, as: UTF8.self) else { return false }
    return text.unicodeScalars.allSatisfy { isPlain($0) }
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
    default: true
    }
  }

  /// - Parameter ambiguous: the line would be taken for something else if it began as it does.
  static func escape(_ bytes: [UInt8], ambiguous: Bool = false) -> [UInt8] {
    let isText = String(validating: bytes, as: UTF8.self) != nil
    var result: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      let isLastBlank = byte == 0x20 && index == bytes.count - 1
      switch byte {
      case _ where (index == 0 && ambiguous) || isLastBlank: result += hexadecimal(byte)
      case UInt8(ascii: "\\"): result += #"\\"#.utf8
      case 0x09: result += #"\t"#.utf8
      case 0x0D: result += #"\r"#.utf8
      case 0x1B: result += #"\e"#.utf8
      case 0x20...0x7E: result.append(byte)
      case 0x80...0xFF where isText && isPlain(bytes): result.append(byte)
      default: result += hexadecimal(byte)
      }
    }
    return result
  }

  private static func hexadecimal(_ byte: UInt8) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return Array(#"\x"#.utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
  }

  /// The bytes that the text stands for; nil if it has a backslash that means nothing.
  static func unescape(_ text: some Collection<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    var rest = text[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "\\"): result.append(byte)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "e"): result.append(0x1B)
      case UInt8(ascii: "x"):
        guard let high = rest.popFirst(), let low = rest.popFirst(),
          let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
        else { return nil }
        result.append(value)
      default: return nil
      }
    }
    return result
  }
}
