/// A recorded session: what was typed, and what is expected to come of it.
///
/// The lines stay as they are in the file, so that it can be written again with nothing changed but
/// what no longer holds.
struct Transcript {
  /// Its tests, in order; what comes before the first heading belongs to a test without a name.
  var tests: [TranscriptTest] = []
  var setting = ReplaySetting()
}

/// A heading and the steps under it.
struct TranscriptTest {
  var name: [UInt8]
  /// Its lines, heading included, as indexes of the file's lines.
  var lines: Range<Int>
  var steps: [TranscriptStep] = []
}

/// One command with its expected output.
struct TranscriptStep {
  /// The prompt line, as an index of the file's lines.
  var line: Int
  /// `fork:/path> `; a prompt line without a command may lack the blank.
  var prompt: [UInt8]
  var command: [UInt8]
  /// The lines after `> ` that continue the command.
  var continuation: [[UInt8]] = []
  /// The expected lines, as indexes of the file's lines; blank lines at the end are not among them.
  var expected: Range<Int>

  /// What the shell is to run.
  var input: [UInt8] {
    ([command] + continuation).joined(separator: [UInt8(ascii: "\n")]).map { $0 }
  }
}

/// A transcript that cannot be replayed, and where.
public struct TranscriptError: Error, Equatable, Sendable {
  /// From 1.
  public var line: Int
  public var message: String

  public init(line: Int, _ message: String) {
    self.line = line
    self.message = message
  }
}
