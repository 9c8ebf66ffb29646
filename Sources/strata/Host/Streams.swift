internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import SystemPackage

/// A descriptor of the process that bytes go to.
final class DescriptorSink: ByteSink {
  private let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  func write(_ bytes: [UInt8]) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let put = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if put > 0 {
        done += put
      } else if errno == EAGAIN {
        var end = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&end, 1, -1)
      } else if errno != EINTR {
        throw FileError.last
      }
    }
  }

  /// False for a terminal that is stopped, and a pipe or socket that is full.
  var isReady: Bool {
    var end = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&end, 1, 0) > 0
  }
}

/// A descriptor of the process that bytes come from.
final class DescriptorSource: ByteSource {
  private let descriptor: Int32
  let isProcessInput: Bool
  private let cancellation: Cancellation

  /// - Parameter isProcessInput: whether it is the standard input that host programs inherit.
  init(_ descriptor: Int32, _ cancellation: Cancellation, isProcessInput: Bool = true) {
    self.descriptor = descriptor
    self.cancellation = cancellation
    self.isProcessInput = isProcessInput
  }

  var isTerminal: Bool { isatty(descriptor) == 1 }

  /// - Throws: EINTR after Ctrl-C.
  func read() throws(FileError) -> [UInt8] {
    try Self.read(descriptor) { () throws(FileError) in
      if cancellation.isCancelled { throw FileError(.interrupted) }
    }
  }

  /// Bytes that come, as long as `check` throws nothing, which is called ten times a second.
  static func read(
    _ descriptor: Int32, unless check: () throws(FileError) -> Void
  ) throws(FileError) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      try check()
      // A signal may come between the question above and the wait, so that does not wait for good.
      var end = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&end, 1, 100)
      if ready == 0 || (ready < 0 && errno == EINTR) { continue }
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count >= 0 { return Array(buffer[..<count]) }
      if errno != EINTR, errno != EAGAIN { throw FileError.last }
    }
  }
}
