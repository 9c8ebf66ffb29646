internal import CReadline
internal import Glibc
internal import StrataShell

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

  /// The ways to go on with the word before the cursor, and where in the line it begins.
  typealias Complete = (_ line: [UInt8], _ cursor: Int) -> (start: Int, candidates: [Completion])

  private let complete: Complete
  private let interrupt: @Sendable () -> Void

  /// - Parameters:
  ///   - interrupt: called on another thread for a Ctrl-C while no line is being read.
  /// - Returns: nil when signals or threads cannot be had.
  init?(complete: @escaping Complete, interrupt: @escaping @Sendable () -> Void) {
    self.complete = complete
    self.interrupt = interrupt
    // Without a locale, readline takes each byte for a character.
    setlocale(LC_CTYPE, "")
    // Readline's callbacks have no end, so neither has what they are given.
    let context = Unmanaged.passRetained(self).toOpaque()
    let error = strata_terminal_start(
      context,
      { context, matches, line, cursor in
        guard let context, let line else { return 0 }
        let terminal = Unmanaged<Terminal>.fromOpaque(context).takeUnretainedValue()
        let bytes = Array(UnsafeRawBufferPointer(start: line, count: strlen(line)))
        let (start, candidates) = terminal.complete(bytes, Int(cursor))
        for candidate in candidates {
          let isAdded = strata_matches_add(
            matches, Terminal.cString(candidate.replacement), Terminal.cString(candidate.display),
            candidate.isFinal)
          if !isAdded { break }
        }
        return Int32(start)
      },
      { context in
        guard let context else { return }
        Unmanaged<Terminal>.fromOpaque(context).takeUnretainedValue().interrupt()
      })
    guard error == 0 else { return nil }
  }

  /// Drops a Ctrl-C that nobody has been told of yet, and waits until nobody is being told of one.
  func settle() { strata_terminal_settle() }

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
