internal import StrataEngine
internal import StrataSystem
internal import Synchronization

/// A thread that makes the checksums of data files whose content the kernel has copied: reading it
/// again at once would cost what the copy has saved.
///
/// What it has not come to is done after the next start; `check` makes those that it meets.
final class SummingThread: Sendable {
  private struct State: ~Copyable {
    /// Runs, or has ended and is to be joined.
    var thread: WorkerThread.Joinable?
    var isRunning = false
    /// Whether there may be more than the thread has seen.
    var hasMore = false
    var isStopped = false
  }
  private let state = Mutex(State())

  /// Starts the thread, or tells it that there is more.
  func start(for store: StoreCore) {
    state.withLock { state in
      state.hasMore = true
      guard !state.isRunning, !state.isStopped else { return }
      state.thread.take()?.join()
      // Without a thread they wait for the next time.
      state.thread = try? WorkerThread.startJoinable { [self] in run(store) }
      state.isRunning = state.thread != nil
    }
  }

  /// Ends the thread as soon as it has read the piece that it reads, and waits for it.
  func stop() {
    let thread = state.withLock { state in
      state.isStopped = true
      return state.thread.take()
    }
    thread?.join()
  }

  private var isStopped: Bool { state.withLock { $0.isStopped } }

  /// - Returns: whether there is nothing more to do; then the thread must end.
  private func isDone() -> Bool {
    state.withLock { state in
      defer { state.hasMore = false }
      guard !state.hasMore || state.isStopped else { return false }
      state.isRunning = false
      return true
    }
  }

  private func run(_ store: StoreCore) {
    var last: DataFiles.Key?
    while !isStopped {
      guard let key = try? store.nextUnsummed(after: last) else {
        if isDone() { break }
        // What is new may be anywhere.
        last = nil
        continue
      }
      last = key
      // One that cannot be read is left for `check` to name.
      try? store.sumUp(key) { isStopped }
    }
  }
}

extension StoreCore {
  fileprivate func nextUnsummed(after last: DataFiles.Key?) throws(FileError) -> DataFiles.Key? {
    try locked { () throws(FileError) in try database.unsummed(after: last) }
  }

  fileprivate func sumUp(
    _ key: DataFiles.Key, unless isStopped: () -> Bool
  ) throws(FileError) {
    try sum(key, unless: isStopped) {
    } settle: { (_, sum) throws(FileError) in
      // If somebody has changed the file its turn will come again.
      if let sum { try database.set(sum, of: key, isKnown: false) }
    }
  }
}
