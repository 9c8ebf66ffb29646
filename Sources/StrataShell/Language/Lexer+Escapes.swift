extension Lexer {
  /// The text of `$'…'`, from its first quote.
  mutating func readEscapedQuoted() throws(SyntaxError) -> [UInt8] {
    let start = position - 1
    advance()
    var text: [UInt8] = []
    while let byte {
      advance()
      switch byte {
      case UInt8(ascii: "'"): return text
      case UInt8(ascii: "\\"): try readEscape(into: &text)
      default: text.append(byte)
      }
    }
    throw SyntaxError("unterminated quote", at: start, isIncomplete: true)
  }

  private mutating func readEscape(into text: inout [UInt8]) throws(SyntaxError) {
    let start = position - 1
    guard let letter = byte else { return }
    advance()
    switch letter {
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "a"): text.append(0x07)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "v"): text.append(0x0B)
    case UInt8(ascii: "e"), UInt8(ascii: "E"): text.append(0x1B)
    case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "?"):
      text.append(letter)
    case UInt8(ascii: "x"):
      text.append(UInt8(truncatingIfNeeded: try readDigits(1...2, radix: 16, from: start)))
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      position -= 1
      text.append(UInt8(truncatingIfNeeded: try readDigits(1...3, radix: 8, from: start)))
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      let most = letter == UInt8(ascii: "u") ? 4 : 8
      let value = try readDigits(1...most, radix: 16, from: start)
      guard let scalar = Unicode.Scalar(value) else {
        throw SyntaxError("no such character: U+\(hexadecimal(UInt64(value)))", at: start)
      }
      text += Array(String(Character(scalar)).utf8)
    default: text += [UInt8(ascii: "\\"), letter]
    }
  }

  private mutating func readDigits(
    _ count: ClosedRange<Int>, radix: UInt32, from start: Int
  ) throws(SyntaxError) -> UInt32 {
    var value: UInt32 = 0
    var length = 0
    while length < count.upperBound, let byte,
      let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < radix
    {
      value = value &* radix &+ UInt32(digit)
      length += 1
      advance()
    }
    guard length >= count.lowerBound else {
      throw SyntaxError("an escape without digits", at: start)
    }
    return value
  }
}
