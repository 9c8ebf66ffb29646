public import StrataEngine

/// What replaying needs of the outside: the files, and sessions to run commands in.
public protocol ReplayHost: AnyObject {
  /// The whole of a file.
  func contents(of file: [UInt8]) throws(FileError) -> [UInt8]

  /// Replaces a file.
  func replace(_ file: [UInt8], with bytes: [UInt8]) throws(FileError)

  /// Opens a fresh session: a virtual clock, sequential ids, a fixed seed, no rc file, no colour.
  /// - Parameter directory: what the paths of the setting are relative to.
  /// - Throws: what a person is told of a base or plugin that cannot be had.
  func open(_ setting: ReplaySetting, relativeTo directory: [UInt8]) throws(FileError)
    -> any ReplaySession

  /// The `.session` files in a directory, in order; nil if it is none.
  func transcripts(in directory: [UInt8]) throws(FileError) -> [[UInt8]]?
}

/// A session that a transcript runs in. It is closed when it is let go.
public protocol ReplaySession: AnyObject {
  /// `fork*:/path> `, as a terminal would show it now.
  var prompt: [UInt8] { get }

  /// Runs what was typed: a line, or the lines of a heredoc, without a newline at the end.
  /// - Parameter timeout: seconds after which it is given up.
  func run(_ input: [UInt8], timeout: Int) -> ReplayOutcome
}

/// What came of one command.
public struct ReplayOutcome: Sendable {
  public enum Piece: Equatable, Sendable {
    /// Bytes of standard output or standard error, in the order in which they were written.
    case output([UInt8])
    /// An event as ``Event/line`` gives it: `@ fork work`.
    case event([UInt8])
  }

  public var pieces: [Piece]
  public var status: Int32
  /// Why nothing can be run after this, if so: the time was up.
  public var failure: String?

  public init(pieces: [Piece] = [], status: Int32 = 0, failure: String? = nil) {
    self.pieces = pieces
    self.status = status
    self.failure = failure
  }
}
