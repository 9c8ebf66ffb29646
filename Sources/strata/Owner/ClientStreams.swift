internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import Synchronization

/// A stream of a client that has given no descriptors for it: what is written goes there as
/// notifications.
final class NotificationSink: ByteSink {
  /// Bytes in one notification.
  private static let most = 1 << 20

  private let wire: Wire
  private let method: String

  init(_ wire: Wire, _ method: String) { (self.wire, self.method) = (wire, method) }

  func write(_ bytes: [UInt8]) throws(FileError) {
    for start in stride(from: 0, to: bytes.count, by: Self.most) {
      let part = Array(bytes[start..<min(start + Self.most, bytes.count)])
      try wire.send(Message.request(method, .members(["data": .bytes(part)])))
    }
  }

  var isReady: Bool { DescriptorSink(wire.socket.rawValue).isReady }
}

/// The standard input of such a client, which is asked for it; and that of all where it is a terminal: the
/// kernel knows who may read from one just now, and stops who may not. Us it would let.
final class ClientInput: ByteSource {
  private let connection: OwnerConnection
  /// One goes on behind its end.
  let isTerminal: Bool
  /// Host programs inherit it.
  var isProcessInput: Bool { isTerminal }
  private let isAtEnd = Mutex(false)

  init(_ connection: OwnerConnection, isTerminal: Bool = false) {
    (self.connection, self.isTerminal) = (connection, isTerminal)
  }

  /// - Throws: EINVAL for an answer that is none, EINTR where Ctrl-C has ended who would answer.
  func read() throws(FileError) -> [UInt8] {
    if isAtEnd.withLock({ $0 }) { return [] }
    let answer: JSON
    do throws(FileError) {
      answer = try connection.call("stdin", .object([]))
    } catch {
      let isGone = [.brokenPipe, .connectionReset].contains(error.errno)
      throw isGone ? FileError(.interrupted) : error
    }
    guard let bytes = answer["data"]?.bytesValue else {
      throw FileError(.invalidArgument, "the client's answer has no data")
    }
    if bytes.isEmpty, !isTerminal { isAtEnd.withLock { $0 = true } }
    return bytes
  }
}
