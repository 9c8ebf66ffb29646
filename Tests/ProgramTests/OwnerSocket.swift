import Glibc
import StrataShell

/// A client of a workspace's owner that says what the test wants, and not what a client should.
final class OwnerSocket {
  private let descriptor: Int32
  private var rest: [UInt8] = []

  init(_ workspace: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array("\(workspace)/.strata/socket".utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
    }
    guard status == 0 else { throw TestFailure("connect: \(errno)") }
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) throws {
    var done = 0
    while done < bytes.count {
      let sent = bytes[done...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard sent > 0 else { throw TestFailure("send: \(errno)") }
      done += sent
    }
  }

  func send(_ line: String) throws { try send(Array("\(line)\n".utf8)) }

  /// The next message; nil when the owner has hung up.
  func next() throws -> JSON? {
    while true {
      if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(rest[..<end])
        rest.removeFirst(end + 1)
        return try JSON(parsing: line)
      }
      var buffer = [UInt8](repeating: 0, count: 65536)
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count >= 0 else { throw TestFailure("recv: \(errno)") }
      if count == 0 { return nil }
      rest += buffer[..<count]
    }
  }

  /// Sends a request and gives its answer, with what was written to standard output meanwhile.
  func call(_ method: String, _ params: String = "{}") throws -> (answer: JSON, output: String) {
    try send(#"{"jsonrpc":"2.0","id":"q","method":"\#(method)","params":\#(params)}"#)
    var output: [UInt8] = []
    while let message = try next() {
      if message["id"] == .string("q") { return (message, String(decoding: output, as: UTF8.self)) }
      if message["method"] == .string("output") {
        output += message["params"]?["data"]?.bytesValue ?? []
      }
    }
    throw TestFailure("the owner hung up")
  }
}
