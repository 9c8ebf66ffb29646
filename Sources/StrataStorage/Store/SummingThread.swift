internal import Glibc
internal import StrataEngine
internal import Synchronization
internal import SystemPackage

/// A thread that makes the checksums of data files whose content the kernel has copied: reading it
/// again at once would cost what the copy has saved.
///
/// What it has not come to is done after the next start; `check` makes those that it meets.
final class SummingThread: Sendable {
  private struct State: ~Copyable {
    /// Runs, or has ended and is to be joined.
    var thread: pthread_t?
    var isRunning = false
    /// Whether there may be more than the thread has seen.
    var hasMore = false
    var isStopped = false
  }
  private let state = Mutex(State())

  /// Starts the thread, or tells it that there is more.
  func start(for store: StoreCore) {
    let task = Task(thread: self, store: store)
    state.withLock { state in
      state.hasMore = true
      guard !state.isRunning, !state.isStopped else { return }
      if let ended = state.thread.take() { pthread_join(ended, nil) }
      var thread = pthread_t()
      let context = Unmanaged.passRetained(task)
      let status = pthread_create(
        &thread, nil,
        { context in
          guard let context else { return nil }
          Unmanaged<Task>.fromOpaque(context).takeRetainedValue().run()
          return nil
        }, context.toOpaque())
      // Without a thread they wait for the next time.
      if status == 0 {
        (state.thread, state.isRunning) = (thread, true)
      } else {
        context.release()
      }
    }
  }

  /// Ends the thread as soon as it has read what it reads, and waits for it.
  func stop() {
    let thread = state.withLock { state in
      state.isStopped = true
      return state.thread.take()
    }
    if let thread { pthread_join(thread, nil) }
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

  private final class Task: Sendable {
    private let thread: SummingThread
    private let store: StoreCore

    init(thread: SummingThread, store: StoreCore) { (self.thread, self.store) = (thread, store) }

    func run() {
      // Those that cannot be read are left for `check` to name.
      var tried: Set<DataFiles.Key> = []
      while !thread.isStopped {
        guard let key = try? store.nextUnsummed(without: tried) else {
          if thread.isDone() { break }
          continue
        }
        tried.insert(key)
        try? store.sum(key)
      }
    }
  }
}

extension StoreCore {
  fileprivate func nextUnsummed(
    without tried: Set<DataFiles.Key>
  ) throws(FileError) -> DataFiles.Key? {
    try locked { () throws(FileError) in try database.unsummed(without: tried) }
  }

  /// Reads the file without keeping others from the store.
  fileprivate func sum(_ key: DataFiles.Key) throws(FileError) {
    let file = try locked { () throws(FileError) in
      files.watched = key
      return try files.opened(key)
    }
    let sum = try file.checksum()
    try locked { () throws(FileError) in
      // Nobody is watched any more if somebody has changed the file: its turn will come again.
      guard files.watched == key else { return }
      files.watched = nil
      try database.set(sum, of: key, isKnown: false)
    }
  }
}
