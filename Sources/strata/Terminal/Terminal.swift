internal import CReadline
internal import Glibc

/// The terminal that a person types at, through readline. There is one a process.
final class Terminal {
  /// What came of asking for a line.
  enum Input: Equatable {
    case line([UInt8])
    /// Ctrl-C dropped what was typed.
    case interrupted
    /// Ctrl-D, or the terminal is gone.
    case end
    /// The process is asked to end by this signal.
    case terminated(signal: Int32)
  }

  /// A word of the line that Tab was typed in.
  struct Word {
    /// The line from its beginning to the end of the word.
    var line: [UInt8]
    /// Where the word begins, behind a quote that is open.
    var start: Int
    /// `'` or `"` when one is open.
    var quote: UInt8?
  }

  struct Candidate {
    /// What is to stand in the place of the word, quoted as needed.
    var replacement: [UInt8]
    /// What the list shows.
    var shown: [UInt8]
  }

  private let complete: (Word) -> [Candidate]
  private let interrupt: @Sendable () -> Void

  /// - Parameters:
  ///   - complete: the candidates for a word.
  ///   - interrupt: called on another thread for a Ctrl-C while no line is being read.
  /// - Returns: nil when signals or threads cannot be had.
  init?(complete: @escaping (Word) -> [Candidate], interrupt: @escaping @Sendable () -> Void) {
    self.complete = complete
    self.interrupt = interrupt
    // Readline's callbacks have no end, so neither has what they are given.
    let context = Unmanaged.passRetained(self).toOpaque()
    let error = strata_terminal_start(
      context,
      { context, matches, line, start, end, quote in
        guard let context, let line else { return }
        let terminal = Unmanaged<Terminal>.fromOpaque(context).takeUnretainedValue()
        let word = Word(
          line: Array(UnsafeRawBufferPointer(start: line, count: Int(end))), start: Int(start),
          quote: quote == 0 ? nil : UInt8(bitPattern: quote))
        for candidate in terminal.complete(word) {
          let isAdded = strata_matches_add(
            matches, Terminal.cString(candidate.replacement), Terminal.cString(candidate.shown))
          guard isAdded else { return }
        }
      },
      { context in
        guard let context else { return }
        Unmanaged<Terminal>.fromOpaque(context).takeUnretainedValue().interrupt()
      })
    guard error == 0 else { return nil }
  }

  /// Asks for a line.
  func read(prompt: [UInt8]) -> Input {
    var line: UnsafeMutablePointer<CChar>?
    let outcome = strata_terminal_read(Self.cString(prompt), &line)
    defer { free(line) }
    switch outcome {
    case STRATA_LINE:
      guard let line else { return .end }
      return .line(Array(UnsafeRawBufferPointer(start: line, count: strlen(line))))
    case STRATA_INTERRUPTED: return .interrupted
    case STRATA_TERMINATED: return .terminated(signal: strata_terminal_signal())
    default: return .end
    }
  }

  /// With a NUL at its end; bytes from a NUL on cannot be passed and are dropped.
  static func cString(_ bytes: [UInt8]) -> [CChar] {
    bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
  }
}
