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
    let done: Alarm
  }

  private let isShared = Atomic(false)
  private let state = Mutex(State())

  var areThere: Bool { isShared.load(ordering: .relaxed) }
  func come(_ are: Bool) { isShared.store(are, ordering: .sequentiallyConsistent) }

  /// Has a thread that answers no requests tell the kernel, and waits for that a while.
  func send(_ notification: Notification, on device: Device) {
    guard let done = try? Alarm() else { return }
    let mustStart = state.withLock { state in
      state.queue.append(Item(notification: notification, done: done))
      defer { state.isRunning = true }
      return !state.isRunning
    }
    if mustStart {
      let started: Void? = try? WorkerThread.start { [self] in work(device) }
      if started == nil { return state.withLock { ($0.queue, $0.isRunning) = ([], false) } }
    }
    done.wait(milliseconds: Self.patience)
  }

  private func work(_ device: Device) {
    while let item = next() {
      item.notification.send(on: device)
      item.done.ring()
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
