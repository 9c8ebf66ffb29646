internal import Glibc
internal import Synchronization

/// One thread at a time runs plugins. A plugin that uses the namespace comes in a second time on the
/// same thread: then it is told so, and nobody is asked or told about it.
///
/// All programs in mounts, and all sessions, may wait for who is inside. So what may wait for one of
/// them itself, as for a terminal that is stopped, is left for when it is outside (``whenLeft(_:)``).
final class Gate: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var depth = 0
  /// What the thread that is inside does once it is outside.
  private var later: [() -> Void] = []
  private static let mostLater = 1000
  /// The thread that is inside; 0 for none.
  private let holder = Atomic<UInt>(0)

  init() {
    var attributes = pthread_mutexattr_t()
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
    pthread_mutex_init(mutex, &attributes)
    pthread_mutexattr_destroy(&attributes)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// Whether this thread is inside.
  var isMine: Bool { holder.load(ordering: .relaxed) == UInt(pthread_self()) }

  func enter<R, E: Error>(_ body: (_ isInside: Bool) throws(E) -> R) throws(E) -> R {
    pthread_mutex_lock(mutex)
    depth += 1
    holder.store(UInt(pthread_self()), ordering: .relaxed)
    defer { leave() }
    return try body(depth > 1)
  }

  private func leave() {
    depth -= 1
    var bodies: [() -> Void] = []
    if depth == 0 {
      holder.store(0, ordering: .relaxed)
      swap(&bodies, &later)
    }
    pthread_mutex_unlock(mutex)
    for body in bodies { body() }
  }

  /// Has the body run by this thread once it is outside. What is more than it can be meant to do, a
  /// loop that reports for example, is left out.
  func whenLeft(_ body: @escaping () -> Void) {
    guard isMine else { return body() }
    if later.count < Self.mostLater { later.append(body) }
  }
}
