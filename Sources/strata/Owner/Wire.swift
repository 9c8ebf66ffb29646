internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem
internal import Synchronization
internal import SystemPackage

/// One end of a connection that carries JSON values, one a line. Any thread may send.
final class Wire: Sendable {
  /// Bytes that a line may have.
  static let longestLine = 16 << 20

  let socket: Descriptor
  private let sending = Mutex(())

  init(_ socket: Descriptor) { self.socket = socket }

  /// - Parameter descriptors: go along, 8 at the most.
  /// - Throws: EPIPE when nobody receives any more.
  func send(_ message: JSON, descriptors: [Int32] = []) throws(FileError) {
    let line = Array(message.serialized.utf8) + [UInt8(ascii: "\n")]
    try sending.withLock { _ throws(FileError) in
      do throws(Errno) {
        try socket.send(line, descriptors: descriptors)
      } catch {
        throw FileError(error)
      }
    }
  }

  /// Whether nobody is at the other end any more.
  var hasEnded: Bool {
    // POLLRDHUP, which the C library tells only to those who ask for GNU's names.
    let ended: Int16 = 0x2000
    var end = pollfd(fd: socket.rawValue, events: ended, revents: 0)
    return poll(&end, 1, 0) > 0
  }

  /// Ends the connection; who reads from it comes to the end.
  func close() { socket.shutDown() }
}

/// Takes the lines from a connection, in one thread.
struct WireReader {
  enum Line {
    case text([UInt8])
    /// One of more bytes than a line may have; it was passed over.
    case tooLong
  }

  private let socket: Descriptor
  private let longest: Int
  private var rest: [UInt8] = []
  /// Bytes of `rest` that are known to hold no end of a line.
  private var searched = 0
  private var isPassingOver = false
  /// Descriptors that have come and were not taken yet. Who sends too many loses the oldest.
  var descriptors: [Descriptor] = []

  init(_ wire: Wire, longest: Int = Wire.longestLine) {
    (socket, self.longest) = (wire.socket, longest)
  }

  /// The next line; nil at the end.
  mutating func next() throws(FileError) -> Line? {
    while true {
      if let line = takeLine() { return line }
      let received: (bytes: [UInt8], descriptors: [Descriptor])
      do throws(Errno) { received = try socket.receive() } catch { throw FileError(error) }
      if received.bytes.isEmpty { return nil }
      rest += received.bytes
      descriptors = (descriptors + received.descriptors).suffix(8)
    }
  }

  private mutating func takeLine() -> Line? {
    guard let end = rest[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
      searched = rest.count
      if rest.count > longest { isPassingOver = true }
      if isPassingOver { (rest, searched) = ([], 0) }
      return nil
    }
    let line = Array(rest[..<end])
    rest.removeFirst(end + 1)
    searched = 0
    defer { isPassingOver = false }
    return isPassingOver || line.count > longest ? .tooLong : .text(line)
  }
}
