/// Cuts source into tokens.
struct Lexer {
  let source: [UInt8]
  var position = 0
  private var pending: [PendingDocument] = []
  private var tokens: [Token] = []

  struct PendingDocument {
    var tokenIndex: Int
    var delimiter: [UInt8]
    var isLiteral: Bool
    var stripsTabs: Bool
    var start: Int
  }

  init(_ source: [UInt8]) { self.source = source }

  var byte: UInt8? { position < source.count ? source[position] : nil }
  func peek(_ distance: Int = 1) -> UInt8? {
    position + distance < source.count ? source[position + distance] : nil
  }
  mutating func advance(_ count: Int = 1) { position += count }

  /// All tokens, `end` last.
  mutating func tokenize() throws(SyntaxError) -> [Token] {
    while true {
      skipBlanks()
      let start = position
      guard let byte else { break }
      switch byte {
      case UInt8(ascii: "\n"):
        advance()
        add(.newline, from: start)
        try readDocuments()
      case UInt8(ascii: ";"): addOperator(.semicolon, 1)
      case UInt8(ascii: "|"):
        if peek() == byte { addOperator(.or, 2) } else { addOperator(.pipe, 1) }
      case UInt8(ascii: "&"):
        guard peek() == byte else {
          throw SyntaxError("there is no job control: \u{2018}&\u{2019} needs quotes", at: start)
        }
        addOperator(.and, 2)
      case UInt8(ascii: ">"):
        if peek() == byte { addOperator(.append, 2) } else { addOperator(.output, 1) }
      case UInt8(ascii: "2") where peek() == UInt8(ascii: ">"): addErrorOperator()
      case UInt8(ascii: "<"):
        if peek() == byte { try addDocument() } else { addOperator(.input, 1) }
      case UInt8(ascii: "!") where startsCommand: addOperator(.host, 1)
      case UInt8(ascii: "("), UInt8(ascii: ")"):
        throw SyntaxError(
          "there are no subshells: \u{2018}\(Character(Unicode.Scalar(byte)))\u{2019} needs quotes",
          at: start)
      default:
        let parts = try readWord()
        add(.word(parts), from: start)
      }
    }
    if let open = pending.first { throw open.unterminated }
    add(.end, from: position)
    return tokens
  }

  /// Whether a command begins here: `!` is an operator only there.
  private var startsCommand: Bool {
    switch tokens.last?.kind {
    case nil, .newline, .semicolon, .and, .or, .pipe: true
    default: false
    }
  }

  private mutating func skipBlanks() {
    while let byte {
      if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") {
        advance()
      } else if byte == UInt8(ascii: "\\"), peek() == UInt8(ascii: "\n") {
        advance(2)
      } else if byte == UInt8(ascii: "#") {
        while let byte = self.byte, byte != UInt8(ascii: "\n") { advance() }
      } else {
        return
      }
    }
  }

  private mutating func add(_ kind: Token.Kind, from start: Int) {
    tokens.append(Token(kind: kind, range: start..<position))
  }

  private mutating func addOperator(_ kind: Token.Kind, _ length: Int) {
    advance(length)
    add(kind, from: position - length)
  }

  private mutating func addErrorOperator() {
    if source[position...].starts(with: "2>&1".utf8) {
      addOperator(.errorToOutput, 4)
    } else if peek(2) == UInt8(ascii: ">") {
      addOperator(.errorAppend, 3)
    } else {
      addOperator(.error, 2)
    }
  }

  // MARK: Heredocs

  private mutating func addDocument() throws(SyntaxError) {
    let start = position
    advance(2)
    let stripsTabs = byte == UInt8(ascii: "-")
    if stripsTabs { advance() }
    skipBlanks()
    guard let next = byte, next != UInt8(ascii: "\n") else {
      throw SyntaxError("<< needs a word that ends the text", at: start)
    }
    var delimiter: [UInt8] = []
    var isLiteral = false
    for part in try readWord() {
      switch part {
      case .text(let text), .pattern(let text): delimiter += text
      case .quoted(let text):
        delimiter += text
        isLiteral = true
      case .variable(let name, _): delimiter += [UInt8(ascii: "$")] + Array(name.utf8)
      }
    }
    pending.append(
      PendingDocument(
        tokenIndex: tokens.count, delimiter: delimiter, isLiteral: isLiteral,
        stripsTabs: stripsTabs, start: start))
    add(.document(Word(parts: [], range: start..<position)), from: start)
  }

  /// The texts of the heredocs that the line before asked for.
  private mutating func readDocuments() throws(SyntaxError) {
    let documents = pending
    pending = []
    for document in documents {
      let start = position
      var body: [UInt8] = []
      var bodyEnd = start
      while true {
        guard position < source.count else { throw document.unterminated }
        let end = source[position...].firstIndex(of: UInt8(ascii: "\n")) ?? source.count
        var line = source[position..<end]
        if document.stripsTabs { line = line.drop { $0 == UInt8(ascii: "\t") } }
        let isTerminated = end < source.count
        position = isTerminated ? end + 1 : end
        bodyEnd = end
        if line.elementsEqual(document.delimiter) { break }
        guard isTerminated else { throw document.unterminated }
        body += line + [UInt8(ascii: "\n")]
      }
      var parts: [Word.Part] = [.quoted(body)]
      if !document.isLiteral {
        var lexer = Lexer(body)
        do {
          parts = try lexer.readDocumentText()
        } catch {
          throw SyntaxError(error.message, at: start + error.offset)
        }
      }
      tokens[document.tokenIndex].kind = .document(Word(parts: parts, range: start..<bodyEnd))
    }
  }
}

extension Lexer.PendingDocument {
  fileprivate var unterminated: SyntaxError {
    SyntaxError(
      "the text of << ends with a line \u{2018}\(ShownName(delimiter))\u{2019}, which is missing",
      at: start, isIncomplete: true)
  }
}
