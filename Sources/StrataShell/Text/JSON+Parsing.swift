extension JSON {
  /// Why text is no JSON.
  public struct SyntaxError: Error, Equatable, Sendable {
    public var message: String
    /// Of the byte that does not fit.
    public var offset: Int
  }

  /// So many arrays and objects may be in each other.
  public static let deepest = 64

  /// Reads one value that is the whole of the text, by RFC 8259 and nothing beyond it.
  /// - Throws: where the text leaves the grammar, is no UTF-8, or goes deeper than ``deepest``.
  public init(parsing text: [UInt8]) throws(SyntaxError) {
    if String(validating: text, as: UTF8.self) == nil {
      throw SyntaxError(message: "not UTF-8", offset: 0)
    }
    var parser = Parser(text: text)
    self = try parser.document()
  }

  private struct Parser {
    let text: [UInt8]
    var place = 0
    var depth = 0

    var next: UInt8? { place < text.count ? text[place] : nil }

    func failure(_ message: String) -> SyntaxError { SyntaxError(message: message, offset: place) }

    mutating func document() throws(SyntaxError) -> JSON {
      let value = try value()
      skipSpace()
      guard next == nil else { throw failure("more after the value") }
      return value
    }

    mutating func skipSpace() {
      while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { place += 1 }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard next == UInt8(ascii: character) else { return false }
      place += 1
      return true
    }

    mutating func value() throws(SyntaxError) -> JSON {
      skipSpace()
      switch next {
      case UInt8(ascii: "{"):
        return try deeper { parser throws(SyntaxError) in try parser.object() }
      case UInt8(ascii: "["): return try deeper { parser throws(SyntaxError) in try parser.array() }
      case UInt8(ascii: "\""): return .string(try string())
      case UInt8(ascii: "t"): return try word("true", .bool(true))
      case UInt8(ascii: "f"): return try word("false", .bool(false))
      case UInt8(ascii: "n"): return try word("null", .null)
      case nil: throw failure("a value is missing")
      default: return try number()
      }
    }

    mutating func deeper(
      _ body: (inout Parser) throws(SyntaxError) -> JSON
    ) throws(SyntaxError) -> JSON {
      guard depth < JSON.deepest else { throw failure("nested too deep") }
      depth += 1
      place += 1
      defer { depth -= 1 }
      return try body(&self)
    }

    mutating func word(_ word: String, _ value: JSON) throws(SyntaxError) -> JSON {
      guard text[place...].starts(with: word.utf8) else { throw failure("no value") }
      place += word.utf8.count
      return value
    }

    mutating func array() throws(SyntaxError) -> JSON {
      var values: [JSON] = []
      skipSpace()
      if take("]") { return .array([]) }
      while true {
        values.append(try value())
        skipSpace()
        if take("]") { return .array(values) }
        guard take(",") else { throw failure("',' or ']' is missing") }
      }
    }

    mutating func object() throws(SyntaxError) -> JSON {
      var members: [Member] = []
      skipSpace()
      if take("}") { return .object([]) }
      while true {
        skipSpace()
        guard next == UInt8(ascii: "\"") else { throw failure("a name is missing") }
        let name = try string()
        skipSpace()
        guard take(":") else { throw failure("':' is missing") }
        members.append(Member(name, try value()))
        skipSpace()
        if take("}") { return .object(members) }
        guard take(",") else { throw failure("',' or '}' is missing") }
      }
    }

    mutating func number() throws(SyntaxError) -> JSON {
      let start = place
      _ = take("-")
      if !take("0") { try digits() }
      var isInteger = true
      if take(".") {
        isInteger = false
        try digits()
      }
      if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
        isInteger = false
        place += 1
        if !take("+") { _ = take("-") }
        try digits()
      }
      let digits = String(decoding: text[start..<place], as: UTF8.self)
      if isInteger, let value = Int64(digits) { return .integer(value) }
      guard let value = Double(digits), value.isFinite else { throw failure("too large a number") }
      return .number(value)
    }

    private mutating func digits() throws(SyntaxError) {
      let start = place
      while let byte = next, (0x30...0x39).contains(byte) { place += 1 }
      if place == start { throw failure("no value") }
    }

    mutating func string() throws(SyntaxError) -> String {
      place += 1
      var bytes: [UInt8] = []
      while let byte = next {
        switch byte {
        case UInt8(ascii: "\""):
          place += 1
          return String(decoding: bytes, as: UTF8.self)
        case UInt8(ascii: "\\"):
          place += 1
          bytes += String(Character(try escaped())).utf8
        case ..<0x20: throw failure("a control character in a string")
        default:
          let start = place
          while let byte = next, byte >= 0x20, byte != 0x22, byte != 0x5C { place += 1 }
          bytes += text[start..<place]
        }
      }
      throw failure("'\"' is missing")
    }

    private mutating func escaped() throws(SyntaxError) -> Unicode.Scalar {
      guard let byte = next else { throw failure("an escape is cut short") }
      place += 1
      switch byte {
      case UInt8(ascii: "\""): return "\""
      case UInt8(ascii: "\\"): return "\\"
      case UInt8(ascii: "/"): return "/"
      case UInt8(ascii: "b"): return "\u{8}"
      case UInt8(ascii: "f"): return "\u{C}"
      case UInt8(ascii: "n"): return "\n"
      case UInt8(ascii: "r"): return "\r"
      case UInt8(ascii: "t"): return "\t"
      case UInt8(ascii: "u"):
        let unit = try hexadecimalUnit()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard unit < 0xDC00, take("\\"), take("u") else { throw failure("half a surrogate pair") }
        let low = try hexadecimalUnit()
        guard (0xDC00...0xDFFF).contains(low),
          let scalar = Unicode.Scalar(
            0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
        else { throw failure("half a surrogate pair") }
        return scalar
      default: throw failure("no escape")
      }
    }

    private mutating func hexadecimalUnit() throws(SyntaxError) -> UInt16 {
      var unit: UInt16 = 0
      for _ in 0..<4 {
        guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
          throw failure("four hexadecimal digits are missing")
        }
        unit = unit << 4 | UInt16(digit)
        place += 1
      }
      return unit
    }
  }
}
