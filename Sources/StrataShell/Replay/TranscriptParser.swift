/// Takes a transcript apart: lines of a file, from a `#! strata-session 1` or a Markdown fence on.
struct TranscriptParser {
  let lines: [[UInt8]]
  private var next: Int
  private let end: Int
  private var transcript = Transcript()

  /// - Parameter range: the lines of the transcript among those of its file.
  init(_ lines: [[UInt8]], _ range: Range<Int>) {
    self.lines = lines
    next = range.lowerBound
    end = range.upperBound
  }

  /// - Parameters:
  ///   - name: of the test before the first heading.
  ///   - needsHeader: a file needs the line that tells the format, a block of Markdown does not.
  static func parse(
    _ lines: [[UInt8]], _ range: Range<Int>, name: [UInt8], needsHeader: Bool
  ) throws(TranscriptError) -> Transcript {
    var parser = TranscriptParser(lines, range)
    return try parser.parse(name: name, needsHeader: needsHeader)
  }

  private mutating func parse(name: [UInt8], needsHeader: Bool) throws(TranscriptError)
    -> Transcript
  {
    let start = next
    try parseHeader(isNeeded: needsHeader)
    try parseDirectives()
    var test = TranscriptTest(name: name, lines: start..<end)
    while next < end {
      let line = lines[next]
      if line.isEmpty {
        next += 1
      } else if let heading = TranscriptSyntax.heading(line) {
        finish(test, at: next)
        test = TranscriptTest(name: heading, lines: next..<end)
        next += 1
      } else if let (prompt, command) = TranscriptSyntax.prompt(line) {
        test.steps.append(parseStep(prompt: prompt, command: command))
      } else {
        throw TranscriptError(line: next + 1, "a prompt or a heading is expected here")
      }
    }
    finish(test, at: end)
    return transcript
  }

  private mutating func finish(_ test: TranscriptTest, at line: Int) {
    guard !test.steps.isEmpty else { return }
    var test = test
    test.lines = test.lines.lowerBound..<line
    transcript.tests.append(test)
  }

  private mutating func parseHeader(isNeeded: Bool) throws(TranscriptError) {
    guard next < end, lines[next].starts(with: TranscriptSyntax.header) else {
      if isNeeded {
        throw TranscriptError(line: next + 1, "the first line is not '#! strata-session 1'")
      }
      return
    }
    let version = lines[next].dropFirst(TranscriptSyntax.header.count)
    guard version.elementsEqual(" 1".utf8) else {
      let text = String(decoding: version, as: UTF8.self)
      throw TranscriptError(line: next + 1, "version\(text) of the format is not known, only 1 is")
    }
    next += 1
  }

  private mutating func parseDirectives() throws(TranscriptError) {
    while next < end {
      let line = lines[next]
      if line.isEmpty {
        next += 1
      } else if line.starts(with: "//".utf8) {
        next += 1
        var directive = DirectiveParser(line: next, text: Array(line.dropFirst(2)))
        if let terminator = directive.takeHeredoc() {
          directive.body = try parseBody(until: terminator)
        }
        try directive.apply(to: &transcript.setting)
      } else {
        return
      }
    }
  }

  private mutating func parseBody(until terminator: [UInt8]) throws(TranscriptError) -> [UInt8] {
    let start = next
    var body: [UInt8] = []
    while next < end {
      defer { next += 1 }
      if lines[next] == terminator { return body }
      body += lines[next] + [UInt8(ascii: "\n")]
    }
    let word = String(decoding: terminator, as: UTF8.self)
    throw TranscriptError(line: start, "the line '\(word)' that ends the file is missing")
  }

  private mutating func parseStep(prompt: [UInt8], command: [UInt8]) -> TranscriptStep {
    var step = TranscriptStep(line: next, prompt: prompt, command: command, expected: 0..<0)
    next += 1
    while next < end, let more = TranscriptSyntax.continuation(lines[next]) {
      step.continuation.append(more)
      next += 1
    }
    let first = next
    var last = next
    while next < end, !TranscriptSyntax.startsStep(lines[next]) {
      next += 1
      if !lines[next - 1].isEmpty { last = next }
    }
    step.expected = first..<last
    return step
  }
}
