public import StrataEngine

/// What the shell needs of the machine it runs on. The shell does no input or output of its own.
///
/// Paths are the host's, relative ones from the program's working directory. Errors are the host's.
public protocol Host: AnyObject, Sendable {
  /// A variable of the program's environment.
  func environment(_ name: String) -> [UInt8]?
  func now() -> Timestamp
  /// Seconds that local time is ahead of UTC at that moment.
  func secondsFromUTC(at time: Timestamp) -> Int

  func userName(_ uid: UInt32) -> String?
  func groupName(_ gid: UInt32) -> String?
  /// The user's number and that of the group that the user logs in with.
  func user(named name: String) -> (uid: UInt32, gid: UInt32)?
  func group(named name: String) -> UInt32?

  /// Starts `sh -c` with the command line.
  func start(_ command: HostCommand) throws(FileError) -> any HostProcess

  /// - Parameter follow: whether a symbolic link at the end is looked through.
  func attributes(_ path: [UInt8], follow: Bool) throws(FileError) -> Attributes
  /// The names in a directory without `.` and `..`, in any order.
  func list(_ path: [UInt8]) throws(FileError) -> [[UInt8]]
  func readLink(_ path: [UInt8]) throws(FileError) -> [UInt8]
  func open(_ path: [UInt8]) throws(FileError) -> any HostFile
  /// Makes a regular file or replaces the content of one, when it is finished: one that is let go
  /// before leaves what was there. A device or FIFO is written to directly.
  func create(_ path: [UInt8], mode: UInt32) throws(FileError) -> any HostFile
  func makeDirectory(_ path: [UInt8], mode: UInt32) throws(FileError)
  func makeSymlink(_ path: [UInt8], target: [UInt8]) throws(FileError)
  /// Sets mode, owner and times of what is at the path; a symbolic link itself, not its target.
  func setAttributes(_ path: [UInt8], _ changes: AttributeChanges) throws(FileError)
}

/// An open file of the host. Closed when it is let go.
public protocol HostFile: AnyObject, Sendable {
  /// Up to `count` bytes at `offset`; empty at the end.
  func read(_ count: Int, at offset: Int64) throws(FileError) -> [UInt8]
  /// Writes all the bytes at `offset`.
  func write(_ bytes: [UInt8], at offset: Int64) throws(FileError)
  /// Makes what was written durable and closes, so that a full disk shows itself here at last.
  func finish() throws(FileError)
}

/// A host program to be started.
public struct HostCommand: Sendable {
  public enum Stream: Sendable { case inherited, piped, none }

  /// For `sh -c`.
  public var line: [UInt8]
  /// Variables over those of the program's own environment.
  public var environment: [String: [UInt8]]
  public var input: Stream
  public var output: Stream
  public var error: Stream
  /// What else the program gets open, under numbers from ``firstDescriptor`` on; they stay who calls'.
  public var descriptors: [Int32]
  /// Signals are the program's: Ctrl-C does not end who waits for it, other signals go on to it.
  public var takesSignals = false

  /// Above what a program opens in its first moments.
  public static let firstDescriptor: Int32 = 20
  /// So many descriptors at the most.
  public static let mostDescriptors: Int32 = 4

  public init(
    line: [UInt8], environment: [String: [UInt8]] = [:], input: Stream, output: Stream,
    error: Stream, descriptors: [Int32] = []
  ) {
    self.line = line
    self.environment = environment
    self.input = input
    self.output = output
    self.error = error
    self.descriptors = descriptors
  }
}

/// A host program that runs.
public protocol HostProcess: AnyObject, Sendable {
  /// Gives the bytes to the program's standard input. Never waits for good: what the program writes
  /// meanwhile is kept for ``read()``.
  /// - Throws: EPIPE if the program reads no more.
  func write(_ bytes: [UInt8]) throws(FileError)
  func closeInput()
  /// What the program wrote next, waiting for it; empty bytes now and then if nothing comes, so that
  /// who waits may think of something else.
  func read() throws(FileError) -> HostChunk
  /// What it has written by now; nil if nothing, without waiting.
  func readAvailable() throws(FileError) -> HostChunk?
  /// Sends a signal by its number.
  func signal(_ number: Int32)
  /// Waits for the end: the exit status, or 128 and the number of the signal that ended it.
  func wait() throws(FileError) -> Int32
}

public enum HostChunk: Equatable, Sendable {
  case output([UInt8])
  case error([UInt8])
  /// Both of its streams are closed.
  case end
}
