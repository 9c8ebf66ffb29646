internal import StrataEngine
internal import StrataSystem
internal import Synchronization

/// Does what is likely to be asked for next: short work at once, other on a thread that is there while
/// trees are walked or files are written.
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
  /// How long the last such work took; the first is not believed to be short.
  private let last = Atomic<Int64>(.max)
  private static let short: Int64 = 300_000

  /// Work that mostly is short: what has been read from disk before.
  /// - Parameter here: whether whoever calls would do nothing else meanwhile. A thread more takes the
  ///   processor of the program that is to be served, which then moves on to that of the worker.
  func perform(here: Bool, _ next: @escaping @Sendable () -> Void) {
    guard here, last.load(ordering: .relaxed) < Self.short else {
      return perform { [self] in measure(next) }
    }
    measure(next)
  }

  private func measure(_ next: () -> Void) {
    let start = Ticks.now
    next()
    last.store(Ticks.now - start, ordering: .relaxed)
  }

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
