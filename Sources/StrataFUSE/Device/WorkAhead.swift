internal import StrataEngine
internal import StrataSystem
internal import Synchronization

/// Does what is likely to be asked for next, on a thread that is there while trees are walked or files
/// are written.
final class WorkAhead: Sendable {
  private enum Thread { case none, waiting, busy }

  private struct State {
    var next: (@Sendable () -> Void)?
    var thread = Thread.none
  }

  /// How long the thread waits for more to do.
  private static let milliseconds = 100
  private let state = Mutex(State())
  private let alarm = Alarm()

  /// What is still waiting is not done any more: it is being asked for by now.
  func perform(_ next: @escaping @Sendable () -> Void) {
    let before = state.withLock { state in
      defer { (state.next, state.thread) = (next, .busy) }
      return state.thread
    }
    switch before {
    case .busy: return
    case .waiting: alarm.ring()
    case .none:
      let isStarted: Void? = try? WorkerThread.start { [self] in run() }
      if isStarted == nil { state.withLock { $0 = State() } }
    }
  }

  private func run() {
    while true {
      let next = state.withLock { state in
        if state.next == nil { state.thread = .waiting }
        return state.next.take()
      }
      if let next {
        next()
        continue
      }
      alarm.wait(milliseconds: Self.milliseconds)
      let isOver = state.withLock { state in
        if state.next == nil { state.thread = .none }
        return state.next == nil
      }
      if isOver { return MemoryAhead.shared.release() }
    }
  }
}
