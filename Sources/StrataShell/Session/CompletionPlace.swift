/// Where in a line the cursor is: which command's which word, and what of it is there.
struct CompletionPlace {
  /// Offset of the word in the line.
  var start: Int
  /// What of the word is there, quotes taken away.
  var typed: [UInt8]
  /// The words of the same command before it.
  var words: [[UInt8]]
  var followsRedirection = false
  var isHost = false
  var isVariable = false

  init(_ line: [UInt8]) {
    var source = line
    var tokens: [Token] = []
    // An open quote is closed, so that the word can be read.
    for closing in [[], [UInt8(ascii: "'")], [UInt8(ascii: "\"")], [UInt8(ascii: "\\")]] {
      var lexer = Lexer(line + closing)
      if let found = try? lexer.tokenize() {
        source = line + closing
        tokens = found.filter { $0.kind != .end }
        break
      }
    }
    start = line.count
    typed = []
    words = []
    let touches = tokens.last.map { $0.range.upperBound >= line.count } ?? false
    var current: Token?
    if touches, let last = tokens.last, case .word = last.kind {
      current = last
      tokens.removeLast()
    }
    let command = tokens.reversed().prefix { !$0.kind.endsCommand }.reversed()
    var skip = false
    for token in command {
      switch token.kind {
      case .host: isHost = true
      case .input, .output, .append, .error, .errorAppend: skip = true
      case .word(let parts):
        if !skip { words.append(CompletionPlace.text(parts)) }
        skip = false
      default: break
      }
    }
    followsRedirection = skip
    if let current, case .word(let parts) = current.kind {
      start = current.range.lowerBound
      typed = CompletionPlace.text(parts)
      let raw = source[current.range]
      if raw.first == UInt8(ascii: "$"), raw.dropFirst().allSatisfy({ $0 != slash }),
        !raw.starts(with: "$'".utf8)
      {
        isVariable = true
        typed = Array(raw.dropFirst())
      }
    }
  }

  private static func text(_ parts: [Word.Part]) -> [UInt8] {
    parts.flatMap { part in
      switch part {
      case .text(let text), .quoted(let text), .pattern(let text): text
      case .variable(let name, _): [UInt8]("$" + name)
      }
    }
  }
}

extension Token.Kind {
  var endsCommand: Bool {
    switch self {
    case .newline, .semicolon, .and, .or, .pipe, .end: true
    default: false
    }
  }
}
