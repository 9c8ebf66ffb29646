internal import Glibc

/// A semaphore.
public final class Alarm: @unchecked Sendable {
  // Sendable: a semaphore is for several threads; its address never changes.
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  // Only a value that is too large, or a semaphore between processes, could be refused.
  public init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  public func wait() { while sem_wait(semaphore) != 0 {} }
  public func ring() { sem_post(semaphore) }

  /// Waits until it rings, so many milliseconds at most.
  public func wait(milliseconds: Int) {
    var end = timespec()
    clock_gettime(CLOCK_REALTIME, &end)
    let sum = end.tv_nsec + milliseconds * 1_000_000
    (end.tv_sec, end.tv_nsec) = (end.tv_sec + sum / 1_000_000_000, sum % 1_000_000_000)
    while sem_timedwait(semaphore, &end) != 0, errno == EINTR {}
  }
}
