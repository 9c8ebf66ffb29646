public import StrataEngine
internal import Synchronization

/// Where bytes go: a terminal, a file, the next command of a pipe.
public protocol ByteSink: AnyObject, Sendable {
  /// Takes all the bytes.
  /// - Throws: what the place says; EPIPE when nobody reads any more.
  func write(_ bytes: [UInt8]) throws(FileError)
  /// Whether it takes what a pipe does at once, 4096 bytes, without waiting for who reads.
  var isReady: Bool { get }
}

extension ByteSink {
  public var isReady: Bool { true }
}

/// Where bytes come from.
public protocol ByteSource: AnyObject, Sendable {
  /// The next bytes, as many as there happen to be; empty at the end, and only there.
  func read() throws(FileError) -> [UInt8]
  /// Whether it is the program's own standard input, which a host program may be given as it is.
  var isProcessInput: Bool { get }
  /// Whether a person types there, who can be asked.
  var isTerminal: Bool { get }
}

extension ByteSource {
  public var isProcessInput: Bool { false }
  public var isTerminal: Bool { false }

  /// Bytes up to the end of a line, or of all; what has come behind it is lost. For answers and
  /// greetings, of which there is one at a time.
  public func readLine() throws(FileError) -> [UInt8] {
    var line: [UInt8] = []
    while !line.contains(UInt8(ascii: "\n")) {
      let bytes = try read()
      if bytes.isEmpty { break }
      line += bytes
    }
    return Array(line.prefix { $0 != UInt8(ascii: "\n") })
  }

  /// All that is left.
  public func readToEnd() throws(FileError) -> [UInt8] {
    var all: [UInt8] = []
    while true {
      let bytes = try read()
      if bytes.isEmpty { return all }
      all += bytes
    }
  }
}

/// A sink that keeps what it is given.
public final class MemorySink: ByteSink {
  private let collected = Mutex<[UInt8]>([])

  public init() {}

  public func write(_ bytes: [UInt8]) { collected.withLock { $0 += bytes } }

  public var bytes: [UInt8] { collected.withLock { $0 } }

  /// Hands over what has come so far and starts anew.
  public func take() -> [UInt8] {
    collected.withLock { collected in
      defer { collected = [] }
      return collected
    }
  }
}

/// A sink that keeps nothing.
final class NullSink: ByteSink {
  func write(_ bytes: [UInt8]) {}
}

/// A source of bytes that are known beforehand: a heredoc, a test's input, nothing at all.
public final class MemorySource: ByteSource {
  private let rest: Mutex<[UInt8]>

  public init(_ bytes: [UInt8] = []) { rest = Mutex(bytes) }

  public func read() -> [UInt8] {
    rest.withLock { rest in
      defer { rest = [] }
      return rest
    }
  }
}
