/// Runs one transcript in a session and says, test by test, what its lines should be.
struct Replayer {
  let lines: [[UInt8]]
  let session: any ReplaySession
  let timeout: Int

  /// A test that has been run.
  struct Result {
    let test: TranscriptTest
    /// What its lines become when they say what happened.
    let lines: [[UInt8]]
    let holds: Bool
  }

  /// - Throws: where the transcript could not go on.
  func run(_ test: TranscriptTest) throws(TranscriptError) -> Result {
    var result: [[UInt8]] = []
    var copied = test.lines.lowerBound
    for step in test.steps {
      result += lines[copied..<step.line]
      result += try run(step)
      copied = step.expected.upperBound
    }
    result += lines[copied..<test.lines.upperBound]
    return Result(test: test, lines: result, holds: result.elementsEqual(lines[test.lines]))
  }

  /// The step's lines as they should be.
  private func run(_ step: TranscriptStep) throws(TranscriptError) -> [[UInt8]] {
    let step = adjusted(step)
    let prompt = session.prompt
    let outcome = session.run(step.input, timeout: timeout)
    if let failure = outcome.failure { throw TranscriptError(line: step.line + 1, failure) }

    var first = prompt + step.command
    // A line without a command may lack the blank at its end.
    if step.command.isEmpty, lines[step.line] + [0x20] == first { first.removeLast() }
    let expected = lines[step.expected].map { ExpectedLine($0) }
    let actual = OutputLine.lines(of: outcome)
    let kept = LineMatching.match(expected, actual)
    let output = zip(actual, kept).map { line, index in
      index.map { expected[$0].raw } ?? line.rendered
    }
    return [first] + lines[(step.line + 1)..<(step.line + 1 + step.continuation.count)] + output
  }

  /// Where the directory's name holds `> `, the line was split too early: the prompt is known now.
  private func adjusted(_ step: TranscriptStep) -> TranscriptStep {
    let prompt = session.prompt
    guard step.prompt != prompt, lines[step.line].starts(with: prompt) else { return step }
    var step = step
    step.command = Array(lines[step.line].dropFirst(prompt.count))
    return step
  }
}
