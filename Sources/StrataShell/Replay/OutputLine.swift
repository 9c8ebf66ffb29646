/// One line of what a command did, and how a transcript writes it.
struct OutputLine: Equatable {
  enum Kind { case output, event, status }

  let kind: Kind
  /// The line without its newline; an event with its `@ `, a status with its brackets.
  let content: [UInt8]
  /// False for a last line of output without a newline.
  let isComplete: Bool
  /// As a transcript writes it.
  let rendered: [UInt8]

  private init(_ kind: Kind, _ content: [UInt8], isComplete: Bool = true, isLast: Bool = false) {
    self.kind = kind
    self.content = content
    self.isComplete = isComplete
    var line = content
    if kind == .output {
      if Self.mustEscape(content) || (isLast && content.isEmpty) {
        line = EscapedText.escape(content, ambiguous: TranscriptSyntax.isAmbiguous(content))
        line += " (esc)".utf8
      }
      if !isComplete { line += " (no-eol)".utf8 }
    }
    rendered = line
  }

  private static func mustEscape(_ content: [UInt8]) -> Bool {
    TranscriptSyntax.isAmbiguous(content) || content.last == 0x20
      || !EscapedText.isPlain(content)
  }

  /// The lines of an outcome: output and events as they came, then the status if it is not 0.
  static func lines(of outcome: ReplayOutcome) -> [OutputLine] {
    var lines: [OutputLine] = []
    var partial: [UInt8] = []
    var waiting: [[UInt8]] = []
    // Blank lines at the end would be taken for space between steps.
    var blanks = 0
    func flushBlanks(isLast: Bool) {
      for _ in 0..<blanks { lines.append(OutputLine(.output, [], isLast: isLast)) }
      blanks = 0
    }
    func add(_ content: [UInt8], isComplete: Bool = true) {
      if content.isEmpty, isComplete {
        blanks += 1
      } else {
        flushBlanks(isLast: false)
        lines.append(OutputLine(.output, content, isComplete: isComplete))
      }
    }
    func addEvents() {
      if !waiting.isEmpty { flushBlanks(isLast: false) }
      for event in waiting { lines.append(OutputLine(.event, event)) }
      waiting = []
    }
    for piece in outcome.pieces {
      switch piece {
      case .event(let event):
        // Not in the middle of a line.
        waiting.append(event)
        if partial.isEmpty { addEvents() }
      case .output(let bytes):
        for byte in bytes {
          if byte != UInt8(ascii: "\n") {
            partial.append(byte)
            continue
          }
          add(partial)
          partial = []
          addEvents()
        }
      }
    }
    if !partial.isEmpty { add(partial, isComplete: false) }
    addEvents()
    flushBlanks(isLast: outcome.status == 0)
    if outcome.status != 0 {
      lines.append(OutputLine(.status, Array("[\(outcome.status)]".utf8)))
    }
    return lines
  }
}
