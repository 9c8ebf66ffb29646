import StrataTestSupport
import Testing

@testable import StrataShell

@Suite struct ParserTests {
  /// What a word becomes, with variables as `<name>` and patterns as `{…}`.
  private func words(_ source: String) throws -> [String] {
    let script = try Parser.parse(Array(source.utf8))
    return (script.statements.first?.first.stages.first?.words ?? []).map { word in
      word.parts.map { part in
        switch part {
        case .text(let text), .quoted(let text): String(decoding: text, as: UTF8.self)
        case .variable(let name, _): "<\(name)>"
        case .pattern(let text): "{\(String(decoding: text, as: UTF8.self))}"
        }
      }.joined()
    }
  }

  @Test(arguments: [
    ("a b  c", ["a", "b", "c"]), ("'a b' \"c d\"", ["a b", "c d"]), ("a'b'\"c\"d", ["abcd"]),
    ("a\\ b \\'", ["a b", "'"]), ("$'a\\tb\\x41\\101\\u00e9\\''", ["a\tbAA\u{E9}'"]),
    ("\"$x ${y} \\$z $\"", ["<x> <y> $z $"]), ("$x$y.z $?", ["<x><y>.z", "<?>"]),
    ("'$x'", ["$x"]), ("*.c a?b [a-z]x **", ["{*}.c", "a{?}b", "{[a-z]}x", "{*}{*}"]),
    ("'*' \\* \"?\"", ["*", "*", "?"]), ("[ab", ["[ab"]), ("a#b #comment", ["a#b"]),
    ("a \\\n b", ["a", "b"]), ("'' \"\"", ["", ""]), ("a=b", []), ("a b=c", ["a", "b=c"]),
    ("a !b", ["a", "!b"]), ("2x a2>f", ["2x", "a2"]),
  ])
  func `words come out as they are meant`(source: String, expected: [String]) throws {
    #expect(try words(source) == expected)
  }

  @Test func `lists, pipes and host programs keep their structure`() throws {
    let source = "a | !b x | c && d || e; f\ng"
    let script = try Parser.parse(Array(source.utf8))
    #expect(script.statements.count == 3)
    let first = script.statements[0]
    #expect(first.first.stages.map(\.isHost) == [false, true, false])
    #expect(first.rest.map(\.condition) == [.ifSucceeded, .ifFailed])
    #expect(
      String(source.utf8.dropFirst(first.range.lowerBound).prefix(first.range.count))
        == "a | !b x | c && d || e")
  }

  @Test func `redirections may stand anywhere and keep their order`() throws {
    let script = try Parser.parse(Array(">o a <i 2>&1 >>p 2>e b".utf8))
    let command = try #require(script.statements.first?.first.stages.first)
    #expect(command.words.count == 2)
    let kinds = command.redirections.map { redirection in
      switch redirection.kind {
      case .output(_, let append): append ? ">>" : ">"
      case .error: "2>"
      case .errorToOutput: "2>&1"
      case .input: "<"
      case .document: "<<"
      }
    }
    #expect(kinds == [">", "<", "2>&1", ">>", "2>"])
  }

  @Test func `several heredocs on one line follow each other, quoted ones as they stand`() throws {
    let script = try Parser.parse(Array("a <<X <<'Y' | b\n$v \\$\nX\n$v\nY\nc".utf8))
    #expect(script.statements.count == 2)
    let texts = script.statements[0].first.stages[0].redirections.map {
      redirection -> [Word.Part] in
      if case .document(let word) = redirection.kind { word.parts } else { [] }
    }
    #expect(
      texts == [
        [.quoted([]), .variable("v", isQuoted: true), .quoted(Array(" $\n".utf8))],
        [.quoted(Array("$v\n".utf8))],
      ])
  }

  @Test(arguments: [
    ("echo 'abc", 1, 6, "unterminated quote"), ("echo \"a", 1, 6, "unterminated quote"),
    ("a\n  b & c", 2, 5, "there is no job control: \u{2018}&\u{2019} needs quotes"),
    ("a ; ; b", 1, 5, "a command was expected, not \u{2018};\u{2019}"),
    ("| a", 1, 1, "a command was expected, not \u{2018}|\u{2019}"),
    ("a >", 1, 3, "\u{2018}>\u{2019} needs a file"),
    ("(a)", 1, 1, "there are no subshells: \u{2018}(\u{2019} needs quotes"),
    ("echo $(ls)", 1, 6, "there is no command substitution: \u{2018}$(\u{2019}"),
    ("é ${x", 1, 3, "${ needs a name and }"), ("!", 1, 1, "! needs a host command"),
    ("a <<", 1, 3, "<< needs a word that ends the text"),
    ("$'\\x'", 1, 3, "an escape without digits"),
  ])
  func `errors name line and column`(
    source: String, line: Int, column: Int, message: String
  ) throws {
    let bytes = Array(source.utf8)
    let error = #expect(throws: SyntaxError.self) { try Parser.parse(bytes) }
    #expect(error?.message == message)
    let place = error?.place(in: bytes)
    #expect(place?.line == line)
    #expect(place?.column == column)
  }

  @Test func `the caret stands below the place`() throws {
    let source = Array("a\n\tcat 'x".utf8)
    let error = #expect(throws: SyntaxError.self) { try Parser.parse(source) }
    #expect(
      error?.text(in: source) == "line 2, column 6: unterminated quote\n  \tcat 'x\n  \t    ^")
  }

  @Test(arguments: [
    ("a 'b", true), ("a \"b", true), ("a |", true), ("a &&", true), ("a ||\n", true),
    ("a \\", true),
    ("a <<E\nx", true), ("a <<E\nE", false), ("a <<E\nx\nE\n", false), ("a", false), ("", false),
    ("a ; ; b", false), ("${x", true), ("$'a", true), ("# 'a", false), ("a <<'E F'\nE F\n", false),
  ])
  func `an interactive shell knows when to ask for more`(source: String, expected: Bool) {
    #expect(Parser.needsMore(Array(source.utf8)) == expected)
  }

  @Test func `no bytes at all make the parser trap`() throws {
    var generator = SeededGenerator(seed: try TestSeed.first(1))
    let alphabet = Array("ab '\"\\$*?[]<>|&;!#\n=2{}x-\0\u{E9}/`()".utf8)
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...24, using: &generator)
      let source = (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
      do {
        _ = try Parser.parse(source)
      } catch {
        #expect((0...source.count).contains(error.offset), "\(source)")
        _ = error.text(in: source)
      }
    }
  }

  @Test(arguments: [
    ("*", "abc", true), ("a*c", "abc", true), ("a*c", "abd", false), ("?", "é", true),
    ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false), ("*a*b*", "xaxxbx", true), ("", "", true),
    ("a\\*", "a*", true), ("a\\*", "ab", false), ("[]]", "]", true), ("[é-ü]", "ö", true),
  ])
  func `patterns match names`(pattern: String, name: String, expected: Bool) {
    #expect(GlobPattern(Array(pattern.utf8)).matches(Array(name.utf8)) == expected)
  }

  @Test(arguments: [
    "plain", "two words", "it's", "*", "$x", "", "\u{1B}[0m", "é", "~a", "#x", "a=b",
  ])
  func `quoting is what the parser reads back`(text: String) throws {
    let line = Array("x ".utf8) + quoted(Array(text.utf8))
    let word = try #require(try Parser.parse(line).statements.first?.first.stages.first?.words.last)
    let bytes = word.parts.flatMap { part -> [UInt8] in
      switch part {
      case .text(let text), .quoted(let text): text
      case .variable, .pattern: Array("NOT LITERAL".utf8)
      }
    }
    #expect(String(decoding: bytes, as: UTF8.self) == text)
  }
}
