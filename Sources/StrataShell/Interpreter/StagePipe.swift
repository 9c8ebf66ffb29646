internal import Glibc
internal import StrataEngine
internal import Synchronization
internal import SystemPackage

/// A pipe between two commands of the shell.
///
/// Its two ends take turns: the writer runs in a thread of its own, but only while the reader waits
/// for bytes, until it has written a good deal or has ended. So nothing grows without bound, a
/// reader that stops early stops the writer, and still only one command runs at any moment: what
/// they do to the session needs no locks, and comes in the same order every time.
final class StagePipe: ByteSink, ByteSource {
  private static let limit = 1 << 16

  private struct State {
    var buffer: [UInt8] = []
    var isWriterDone = false
    var isReaderDone = false
  }

  private let state = Mutex(State())
  private let writersTurn = Turn()
  private let readersTurn = Turn()

  /// Starts the writer, which waits for its first turn.
  /// - Throws: EAGAIN if there can be no further thread.
  func start(_ writer: @escaping () -> Void) throws(FileError) {
    let thread = try Thread { [self] in
      writersTurn.wait()
      writer()
      state.withLock { $0.isWriterDone = true }
      readersTurn.give()
    }
    thread.detach()
  }

  func write(_ bytes: [UInt8]) throws(FileError) {
    let (isBroken, isFull) = state.withLock { state in
      if !state.isReaderDone { state.buffer += bytes }
      return (state.isReaderDone, state.buffer.count >= StagePipe.limit)
    }
    if isBroken { throw FileError(.brokenPipe) }
    guard isFull else { return }
    readersTurn.give()
    writersTurn.wait()
    if state.withLock({ $0.isReaderDone }) { throw FileError(.brokenPipe) }
  }

  func read() -> [UInt8] {
    while true {
      let (bytes, isEnd) = state.withLock { state in
        defer { state.buffer = [] }
        return (state.buffer, state.isWriterDone)
      }
      if !bytes.isEmpty || isEnd { return bytes }
      writersTurn.give()
      readersTurn.wait()
    }
  }

  /// The reader wants no more. The writer comes to its end before this returns.
  func finishReading() {
    while !state.withLock({ $0.isWriterDone }) {
      // A writer that has had no turn yet gets one: its effects are wanted, though nobody reads.
      writersTurn.give()
      readersTurn.wait()
      state.withLock { state in
        state.buffer = []
        state.isReaderDone = true
      }
    }
  }
}

/// The right to run, handed from one thread to another.
package final class Turn: @unchecked Sendable {
  // Sendable: a semaphore is made to be used by several threads, and the pointer never changes.
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  package init() { sem_init(semaphore, 0, 0) }

  package func give() { sem_post(semaphore) }

  package func wait() {
    while sem_wait(semaphore) == -1 && errno == EINTR {}
  }

  /// - Returns: whether the turn came in time.
  package func wait(milliseconds: Int) -> Bool {
    var limit = timespec()
    clock_gettime(CLOCK_REALTIME, &limit)
    limit.tv_nsec += milliseconds * 1_000_000
    limit.tv_sec += limit.tv_nsec / 1_000_000_000
    limit.tv_nsec %= 1_000_000_000
    while sem_timedwait(semaphore, &limit) == -1 {
      if errno != EINTR { return false }
    }
    return true
  }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }
}
