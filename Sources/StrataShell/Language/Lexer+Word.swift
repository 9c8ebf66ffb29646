extension Lexer {
  /// One word: unquoted bytes, quotes, variables and patterns as they follow each other.
  mutating func readWord() throws(SyntaxError) -> [Word.Part] {
    var parts: [Word.Part] = []
    var text: [UInt8] = []
    func flushed() -> [Word.Part] { text.isEmpty ? [] : [.text(text)] }
    while let byte, !Lexer.endsWord(byte) {
      switch byte {
      case UInt8(ascii: "'"):
        parts += flushed() + [.quoted(try readSingleQuoted())]
        text = []
      case UInt8(ascii: "\""):
        parts += flushed() + (try readDoubleQuoted())
        text = []
      case UInt8(ascii: "$"):
        guard let part = try readDollar(isQuoted: false) else {
          text.append(byte)
          continue
        }
        parts += flushed() + [part]
        text = []
      case UInt8(ascii: "\\"):
        let start = position
        advance()
        guard let escaped = self.byte else {
          throw SyntaxError("a backslash at the end", at: start, isIncomplete: true)
        }
        advance()
        if escaped == UInt8(ascii: "\n") { continue }
        parts += flushed() + [.quoted([escaped])]
        text = []
      case UInt8(ascii: "*"), UInt8(ascii: "?"):
        parts += flushed() + [.pattern([byte])]
        text = []
        advance()
      case UInt8(ascii: "["):
        if let set = bracketExpression() {
          parts += flushed() + [.pattern(set)]
          text = []
          advance(set.count)
        } else {
          text.append(byte)
          advance()
        }
      case 0:
        throw SyntaxError("a NUL byte in a command", at: position)
      default:
        text.append(byte)
        advance()
      }
    }
    return parts + flushed()
  }

  static func endsWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"),
      UInt8(ascii: ";"), UInt8(ascii: "|"), UInt8(ascii: "&"), UInt8(ascii: "<"),
      UInt8(ascii: ">"), UInt8(ascii: "("), UInt8(ascii: ")"):
      true
    default: false
    }
  }

  private mutating func readSingleQuoted() throws(SyntaxError) -> [UInt8] {
    let start = position
    advance()
    guard let end = source[position...].firstIndex(of: UInt8(ascii: "'")) else {
      throw SyntaxError("unterminated quote", at: start, isIncomplete: true)
    }
    defer { position = end + 1 }
    return Array(source[position..<end])
  }

  private mutating func readDoubleQuoted() throws(SyntaxError) -> [Word.Part] {
    let start = position
    advance()
    var parts: [Word.Part] = []
    var text: [UInt8] = []
    while let byte {
      switch byte {
      case UInt8(ascii: "\""):
        advance()
        return text.isEmpty && !parts.isEmpty ? parts : parts + [.quoted(text)]
      case UInt8(ascii: "\\"):
        readBackslash(into: &text, special: Lexer.specialInQuotes)
      case UInt8(ascii: "$"):
        if let part = try readDollar(isQuoted: true) {
          if !text.isEmpty { parts.append(.quoted(text)) }
          parts.append(part)
          text = []
        } else {
          text.append(byte)
        }
      default:
        text.append(byte)
        advance()
      }
    }
    throw SyntaxError("unterminated quote", at: start, isIncomplete: true)
  }

  private static let specialInQuotes = Array("\"\\$`".utf8)

  /// The text of a heredoc: variables, and a backslash before `$`, `` ` `` and itself.
  mutating func readDocumentText() throws(SyntaxError) -> [Word.Part] {
    var parts: [Word.Part] = []
    var text: [UInt8] = []
    while let byte {
      switch byte {
      case UInt8(ascii: "\\"): readBackslash(into: &text, special: Array("\\$`".utf8))
      case UInt8(ascii: "$"):
        if let part = try readDollar(isQuoted: true) {
          parts += [.quoted(text), part]
          text = []
        } else {
          text.append(byte)
        }
      default:
        text.append(byte)
        advance()
      }
    }
    return parts + [.quoted(text)]
  }

  private mutating func readBackslash(into text: inout [UInt8], special: [UInt8]) {
    let next = peek()
    if next == UInt8(ascii: "\n") {
      advance(2)
    } else if let next, special.contains(next) {
      text.append(next)
      advance(2)
    } else {
      text.append(UInt8(ascii: "\\"))
      advance()
    }
  }

  /// A variable or `$'…'`; nil, one byte further, if the dollar stands for itself.
  private mutating func readDollar(isQuoted: Bool) throws(SyntaxError) -> Word.Part? {
    let start = position
    advance()
    switch byte {
    case UInt8(ascii: "'") where !isQuoted:
      return .quoted(try readEscapedQuoted())
    case UInt8(ascii: "("):
      throw SyntaxError("there is no command substitution: \u{2018}$(\u{2019}", at: start)
    case UInt8(ascii: "?"):
      advance()
      return .variable("?", isQuoted: isQuoted)
    case UInt8(ascii: "{"):
      advance()
      let name = readName()
      if name.isEmpty, byte == UInt8(ascii: "?"), peek() == UInt8(ascii: "}") {
        advance(2)
        return .variable("?", isQuoted: isQuoted)
      }
      guard byte == UInt8(ascii: "}"), !name.isEmpty else {
        throw SyntaxError(
          "${ needs a name and }", at: start, isIncomplete: position >= source.count)
      }
      advance()
      return .variable(name, isQuoted: isQuoted)
    default:
      let name = readName()
      return name.isEmpty ? nil : .variable(name, isQuoted: isQuoted)
    }
  }

  /// Letters, digits and `_`, or one digit: an argument of the script.
  private mutating func readName() -> String {
    let start = position
    if let byte, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      advance()
      return String(decoding: [byte], as: UTF8.self)
    }
    while let byte, Lexer.isNameByte(byte, first: position == start) { advance() }
    return String(decoding: source[start..<position], as: UTF8.self)
  }

  static func isNameByte(_ byte: UInt8, first: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "_"):
      true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): !first
    default: false
    }
  }

  /// `[…]` from here, if it closes before the word ends.
  private func bracketExpression() -> [UInt8]? {
    var index = position + 1
    if index < source.count,
      source[index] == UInt8(ascii: "!") || source[index] == UInt8(ascii: "^")
    {
      index += 1
    }
    let first = index
    while index < source.count, !Lexer.endsWord(source[index]), source[index] != UInt8(ascii: "/") {
      if source[index] == UInt8(ascii: "]"), index > first {
        return Array(source[position...index])
      }
      index += 1
    }
    return nil
  }
}
