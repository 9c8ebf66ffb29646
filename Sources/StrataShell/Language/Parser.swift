/// Makes a tree of source.
public struct Parser {
  private let source: [UInt8]
  private var tokens: ArraySlice<Token> = []

  private init(_ source: [UInt8]) { self.source = source }

  /// - Throws: ``SyntaxError``, whose `isIncomplete` says whether more lines could help.
  public static func parse(_ source: [UInt8]) throws(SyntaxError) -> Script {
    var parser = Parser(source)
    var lexer = Lexer(source)
    parser.tokens = try lexer.tokenize()[...]
    return try parser.script()
  }

  /// Whether a person should be asked for another line before this is run.
  public static func needsMore(_ source: [UInt8]) -> Bool {
    do {
      _ = try parse(source)
      return false
    } catch {
      return error.isIncomplete
    }
  }

  private var next: Token {
    tokens.first ?? Token(kind: .end, range: source.count..<source.count)
  }

  private mutating func take() -> Token {
    let token = next
    if token.kind != .end { tokens.removeFirst() }
    return token
  }

  private mutating func script() throws(SyntaxError) -> Script {
    var statements: [Statement] = []
    skipNewlines()
    while next.kind != .end {
      statements.append(try statement())
      switch next.kind {
      case .newline: skipNewlines()
      case .semicolon:
        _ = take()
        skipNewlines()
      case .end: break
      default: throw unexpected(next)
      }
    }
    return Script(statements: statements)
  }

  private mutating func skipNewlines() {
    while next.kind == .newline { _ = take() }
  }

  private mutating func statement() throws(SyntaxError) -> Statement {
    let first = try pipeline()
    var rest: [Statement.Step] = []
    var end = first.range.upperBound
    while next.kind == .and || next.kind == .or {
      let condition: Statement.Condition = take().kind == .and ? .ifSucceeded : .ifFailed
      skipNewlines()
      let pipeline = try pipeline()
      rest.append(Statement.Step(condition: condition, pipeline: pipeline))
      end = pipeline.range.upperBound
    }
    return Statement(first: first, rest: rest, range: first.range.lowerBound..<end)
  }

  private mutating func pipeline() throws(SyntaxError) -> Pipeline {
    var stages = [try simpleCommand()]
    while next.kind == .pipe {
      _ = take()
      skipNewlines()
      stages.append(try simpleCommand())
    }
    let start = stages.first?.range.lowerBound ?? 0
    let end = stages.last?.range.upperBound ?? 0
    return Pipeline(stages: stages, range: start..<end)
  }

  private mutating func simpleCommand() throws(SyntaxError) -> SimpleCommand {
    let start = next.range.lowerBound
    var command = SimpleCommand(range: start..<start)
    if next.kind == .host {
      _ = take()
      command.isHost = true
    }
    while true {
      let token = next
      switch token.kind {
      case .word(let parts):
        _ = take()
        let word = Word(parts: parts, range: token.range)
        if command.words.isEmpty, !command.isHost, let assignment = assignment(word) {
          command.assignments.append(assignment)
        } else {
          command.words.append(word)
        }
      case .input, .output, .append, .error, .errorAppend, .errorToOutput, .document:
        command.redirections.append(try redirection())
      default:
        if command.isHost, command.words.isEmpty {
          throw SyntaxError(
            "! needs a host command", at: start, isIncomplete: false)
        }
        guard
          !command.words.isEmpty || !command.assignments.isEmpty
            || !command.redirections.isEmpty
        else { throw unexpected(token) }
        return command
      }
      command.range = start..<max(command.range.upperBound, token.range.upperBound)
      if let last = command.redirections.last {
        command.range = start..<max(command.range.upperBound, last.range.upperBound)
      }
    }
  }

  private mutating func redirection() throws(SyntaxError) -> Redirection {
    let token = take()
    switch token.kind {
    case .errorToOutput: return Redirection(kind: .errorToOutput, range: token.range)
    case .document(let word): return Redirection(kind: .document(word), range: token.range)
    default: break
    }
    let target = next
    guard case .word(let parts) = target.kind else {
      throw SyntaxError(
        "\(token.description(in: source)) needs a file", at: token.range.lowerBound)
    }
    _ = take()
    let word = Word(parts: parts, range: target.range)
    let range = token.range.lowerBound..<target.range.upperBound
    let kind: Redirection.Kind =
      switch token.kind {
      case .input: .input(word)
      case .append: .output(word, append: true)
      case .error: .error(word, append: false)
      case .errorAppend: .error(word, append: true)
      default: .output(word, append: false)
      }
    return Redirection(kind: kind, range: range)
  }

  /// `name=value`, if the word is one.
  private func assignment(_ word: Word) -> Assignment? {
    guard case .text(let text) = word.parts.first,
      let sign = text.firstIndex(of: UInt8(ascii: "=")), sign > 0
    else { return nil }
    let name = text[..<sign]
    for (index, byte) in name.enumerated() where !Lexer.isNameByte(byte, first: index == 0) {
      return nil
    }
    let rest = Array(text[(sign + 1)...])
    let parts = (rest.isEmpty ? [] : [Word.Part.text(rest)]) + word.parts.dropFirst()
    return Assignment(
      name: String(decoding: name, as: UTF8.self),
      value: Word(parts: parts, range: word.range.lowerBound + sign + 1..<word.range.upperBound))
  }

  private func unexpected(_ token: Token) -> SyntaxError {
    // After `|` or `&&` the next line may bring the command.
    SyntaxError(
      "a command was expected, not \(token.description(in: source))",
      at: token.range.lowerBound, isIncomplete: token.kind == .end)
  }
}
