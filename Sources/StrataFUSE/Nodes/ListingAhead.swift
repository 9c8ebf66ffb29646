internal import StrataEngine
internal import StrataSystem
internal import Synchronization

/// Lists directories before they are asked for, on a thread that is there while trees are walked.
final class ListingAhead: Sendable {
  private struct State {
    var next: ListedNext?
    var isRunning = false
    var isWaiting = false
  }

  /// How long the thread waits for more to do.
  private static let milliseconds = 100
  private let state = Mutex(State())
  private let alarm: Alarm

  init() throws(FileError) { alarm = try Alarm() }

  /// What is still waiting is not listed ahead any more: it is being asked for by now.
  func list(_ next: ListedNext) {
    let (isThere, isWaiting) = state.withLock { state in
      defer { (state.next, state.isRunning, state.isWaiting) = (next, true, false) }
      return (state.isRunning, state.isWaiting)
    }
    if isWaiting { alarm.ring() }
    guard !isThere else { return }
    let isStarted: Void? = try? WorkerThread.start { [self] in run() }
    if isStarted == nil { state.withLock { ($0.next, $0.isRunning) = (nil, false) } }
  }

  private func run() {
    while true {
      let next = state.withLock { state in
        defer { state.isWaiting = state.next == nil }
        return state.next.take()
      }
      if let next {
        next.list()
        continue
      }
      alarm.wait(milliseconds: Self.milliseconds)
      let isOver = state.withLock { state in
        state.isWaiting = false
        if state.next == nil { state.isRunning = false }
        return !state.isRunning
      }
      if isOver { return }
    }
  }
}
