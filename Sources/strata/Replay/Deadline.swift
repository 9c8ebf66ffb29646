internal import Glibc
internal import Synchronization

/// Calls something when the time is up, from a thread of its own, unless the work was done before.
final class Deadline: Sendable {
  private let seconds: Int
  private let action: @Sendable () -> Void
  private let passed = Atomic(false)
  /// The second is closed when the work is done.
  private let ends: (read: Int32, write: Int32)?

  /// - Parameter seconds: from the beginning of the work.
  init(seconds: Int, action: @escaping @Sendable () -> Void) {
    self.seconds = seconds
    self.action = action
    var pair: [Int32] = [0, 0]
    ends = pipe(&pair) == 0 ? (pair[0], pair[1]) : nil
    for end in pair { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
  }

  deinit { if let ends { _ = close(ends.read) } }

  /// Whether the time was up before the work was done.
  var hasPassed: Bool { passed.load(ordering: .acquiring) }

  /// Does the work. Called once. Without a thread or a pipe to be had, nothing limits it.
  func during<R>(_ work: () -> R) -> R {
    guard let ends else { return work() }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self)
    let error = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Deadline>.fromOpaque(context).takeRetainedValue().wait() }
        return nil
      }, context.toOpaque())
    if error != 0 { context.release() }
    defer {
      _ = close(ends.write)
      if error == 0 { pthread_join(thread, nil) }
    }
    return work()
  }

  private func wait() {
    guard let ends else { return }
    var end = pollfd(fd: ends.read, events: Int16(POLLIN), revents: 0)
    let milliseconds = Int32(clamping: seconds.multipliedReportingOverflow(by: 1000).partialValue)
    while true {
      let ready = poll(&end, 1, milliseconds)
      if ready > 0 { return }
      if ready == 0 { break }
      guard errno == EINTR else { return }
    }
    passed.store(true, ordering: .releasing)
    action()
  }
}
