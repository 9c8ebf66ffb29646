/// A name from outside, fit to be shown: what could move the cursor or is no text is escaped.
///
/// A harmless name stays as it is; others become `$'…'` as the grammar reads them, and none is `''`.
public struct ShownName: CustomStringConvertible {
  public let description: String

  public init(_ bytes: some Collection<UInt8>) {
    let text = String(validating: Array(bytes), as: UTF8.self)
    if let text, !text.unicodeScalars.contains(where: ShownName.isUnfit) {
      description = text.isEmpty ? "''" : text
    } else {
      description = ShownName.escaped(Array(bytes))
    }
  }

  public init(_ text: String) { self.init(Array(text.utf8)) }

  /// Control characters, and those that turn the direction of writing.
  static func isUnfit(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }

  /// `$'…'`, whatever the bytes are.
  static func escaped(_ bytes: [UInt8]) -> String {
    var result = "$'"
    var rest = bytes[...]
    while let byte = rest.first {
      let length = sequenceLength(rest)
      if length > 1, let text = String(validating: Array(rest.prefix(length)), as: UTF8.self),
        !text.unicodeScalars.contains(where: isUnfit)
      {
        result += text
        rest = rest.dropFirst(length)
        continue
      }
      rest = rest.dropFirst()
      switch byte {
      case UInt8(ascii: "\n"): result += "\\n"
      case UInt8(ascii: "\t"): result += "\\t"
      case UInt8(ascii: "\r"): result += "\\r"
      case 0x1B: result += "\\e"
      case UInt8(ascii: "'"): result += "\\'"
      case UInt8(ascii: "\\"): result += "\\\\"
      case 0x20..<0x7F: result.unicodeScalars.append(Unicode.Scalar(byte))
      default: result += "\\x" + hexadecimal(UInt64(byte), width: 2)
      }
    }
    return result + "'"
  }

  private static func sequenceLength(_ bytes: ArraySlice<UInt8>) -> Int {
    switch bytes.first ?? 0 {
    case 0xC2...0xDF: 2
    case 0xE0...0xEF: 3
    case 0xF0...0xF4: 4
    default: 1
    }
  }
}

/// The number in base 16, with zeroes in front up to the width.
func hexadecimal(_ value: UInt64, width: Int = 0) -> String {
  padded(String(value, radix: 16), width, .right, with: "0")
}

enum Side { case left, right }

/// The text filled up to a width in characters of a terminal.
func padded(
  _ text: String, _ width: Int, _ side: Side = .left, with fill: Character = " "
) -> String {
  let missing = width - displayWidth(text)
  guard missing > 0 else { return text }
  let filling = String(repeating: fill, count: missing)
  return side == .left ? text + filling : filling + text
}

/// Columns that the text takes on a terminal; escape sequences for colour take none.
func displayWidth(_ text: String) -> Int {
  var width = 0
  var inEscape = false
  for scalar in text.unicodeScalars {
    if inEscape {
      inEscape = scalar != "m"
    } else if scalar.value == 0x1B {
      inEscape = true
    } else {
      width += columns(of: scalar)
    }
  }
  return width
}

private func columns(of scalar: Unicode.Scalar) -> Int {
  switch scalar.properties.generalCategory {
  case .nonspacingMark, .enclosingMark, .format: return 0
  default: break
  }
  switch scalar.value {
  case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
    0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF,
    0x20000...0x3FFFD:
    return 2
  default: return 1
  }
}
