internal import Glibc
internal import Synchronization

/// What still needs the owner: connected clients, and in time whatever else outlives a shell, such
/// as a mount.
final class Occupancy: Sendable {
  private let count = Mutex(0)
  /// Becomes readable when nothing needs it any more.
  let emptied: (read: Int32, write: Int32)

  /// - Returns: nil when no pipe can be had.
  init?() {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    emptied = (ends[0], ends[1])
  }

  deinit {
    _ = close(emptied.read)
    _ = close(emptied.write)
  }

  func retain() { count.withLock { $0 += 1 } }

  func release() {
    count.withLock { $0 -= 1 }
    var byte: UInt8 = 0
    _ = write(emptied.write, &byte, 1)
  }

  var isEmpty: Bool {
    var bytes = [UInt8](repeating: 0, count: 64)
    while read(emptied.read, &bytes, bytes.count) > 0 {}
    return count.withLock { $0 == 0 }
  }
}
