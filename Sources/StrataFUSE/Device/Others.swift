internal import Glibc
internal import StrataEngine
internal import StrataSystem
internal import Synchronization

/// The other mounts of a fork, as one of them sees them. They are in no hurry to be told of names and
/// attributes, which the kernel asks for every time meanwhile; content it would keep.
final class Others: Sendable {
  /// Who waits for the kernel to be told waits no longer: it may hold a page until it gets an answer
  /// that itself waits.
  private static let patience = 50

  private struct State {
    var queue: [Item] = []
    var isRunning = false
  }

  private struct Item {
    let notification: Notification
    /// Nil where nobody waits.
    let done: Alarm?
  }

  private let isShared = Atomic(false)
  private let state = Mutex(State())

  var areThere: Bool { isShared.load(ordering: .relaxed) }
  func come(_ are: Bool) { isShared.store(are, ordering: .sequentiallyConsistent) }

  /// Has a thread that answers no requests tell the kernel, and waits for that a while.
  func send(_ notification: Notification, on device: Device) {
    let done = Alarm()
    if put(Item(notification: notification, done: done), device) {
      done.wait(milliseconds: Self.patience)
    }
  }

  /// The same from within a request that holds what the kernel may wait for.
  func sendLater(_ notification: Notification, on device: Device) {
    _ = put(Item(notification: notification, done: nil), device)
  }

  /// - Returns: whether there is a thread that tells the kernel. If none can be had, what is to be
  ///   told stays, and the next one that is sent tries again.
  private func put(_ item: Item, _ device: Device) -> Bool {
    let mustStart = state.withLock { state in
      state.queue.append(item)
      defer { state.isRunning = true }
      return !state.isRunning
    }
    guard mustStart else { return true }
    let started: Void? = try? WorkerThread.start { [self] in work(device) }
    if started != nil { return true }
    let waiting = state.withLock { state in
      state.isRunning = false
      return state.queue
    }
    // Who has come meanwhile has relied on the thread.
    for item in waiting { item.done?.ring() }
    return false
  }

  private func work(_ device: Device) {
    while let item = next() {
      item.notification.send(on: device)
      item.done?.ring()
    }
  }

  private func next() -> Item? {
    state.withLock { state in
      guard state.queue.isEmpty else { return state.queue.removeFirst() }
      state.isRunning = false
      return nil
    }
  }
}
