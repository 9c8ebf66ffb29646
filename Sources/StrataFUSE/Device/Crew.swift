internal import StrataSystem
internal import Synchronization

/// The workers of a mount, and which of them listens to the kernel.
///
/// A request wakes everybody who listens, and a wake-up costs more than most requests. So one worker
/// listens and answers by itself as long as that is quick; before it begins something that may take
/// long it wakes another one to listen meanwhile. Who then finds that another listens already goes to
/// sleep. Where requests come faster than one can answer, a second one helps until there are none.
final class Crew: Sendable {
  private struct State {
    var listening = 0
    var sleeping = 0
    var isOver = false
  }

  private let state = Mutex(State())
  private let alarm = Alarm()
  /// After how many requests, one soon after another, programs are busy with this mount, and after how
  /// many of one thread in a row it is the only one. The sooner the better: a small tree is walked with
  /// some dozens.
  private static let many = 6
  private let sinceQuiet = Atomic(0)
  /// The thread that the last request came from, and how many of it came in a row.
  private let caller = Atomic<UInt32>(0)
  private let ofCaller = Atomic(0)

  /// Called by a worker that is about to listen; returns when it is its turn.
  func takeTurn(isListening: Bool) {
    let mustSleep = state.withLock { state in
      if isListening { state.listening -= 1 }
      guard state.listening > 0, !state.isOver else {
        state.listening += 1
        return false
      }
      state.sleeping += 1
      return true
    }
    if mustSleep { alarm.wait() }
  }

  /// Called by a worker that listens and finds request after request.
  func callHelp() {
    let wakes = state.withLock { state in
      guard state.listening == 1, state.sleeping > 0 else { return false }
      state.sleeping -= 1
      state.listening += 1
      return true
    }
    if wakes { alarm.ring() }
  }

  /// Called by a worker that listens and finds no request; returns when it is its turn again.
  /// - Returns: whether it has been away.
  func leaveIfOthersListen() -> Bool {
    let leaves = state.withLock { state in
      guard state.listening > 1, !state.isOver else { return false }
      state.listening -= 1
      state.sleeping += 1
      return true
    }
    if leaves { alarm.wait() }
    return leaves
  }

  /// Called by a worker that listens and is about to be busy for a while.
  func handOver() {
    let wakes = state.withLock { state in
      state.listening -= 1
      guard state.listening == 0, state.sleeping > 0 else { return false }
      state.sleeping -= 1
      state.listening += 1
      return true
    }
    if wakes { alarm.ring() }
  }

  /// Has everybody look for themselves from now on: also who is busy just now, and would find that
  /// another listens who has gone.
  func wakeAll() {
    let count = state.withLock { state in
      defer { (state.sleeping, state.isOver) = (0, true) }
      return state.sleeping
    }
    for _ in 0..<count { alarm.ring() }
  }

  /// Called by a worker that has got a request.
  /// - Parameter thread: who asks; 0 for the kernel itself.
  /// - Returns: whether it is from now on that programs are busy with this mount.
  func noteRequest(from thread: UInt32) -> Bool {
    if thread != 0 {
      if caller.load(ordering: .relaxed) == thread {
        ofCaller.add(1, ordering: .relaxed)
      } else {
        caller.store(thread, ordering: .relaxed)
        ofCaller.store(0, ordering: .relaxed)
      }
    }
    let begins = sinceQuiet.add(1, ordering: .relaxed).newValue == Self.many
    if begins { IdleLatency.shared.hold() }
    return begins
  }

  /// Whether all requests have come from one thread for a while. It mostly waits for its answer before
  /// it asks on, so there is nobody to be listened to meanwhile but who comes just now.
  var servesOne: Bool { ofCaller.load(ordering: .relaxed) >= Self.many }

  /// Whether requests have come soon one after another until now.
  var isBusy: Bool { sinceQuiet.load(ordering: .relaxed) >= Self.many }

  /// Whether there have been requests, and nobody has noted since that it is quiet.
  var mayBeBusy: Bool { sinceQuiet.load(ordering: .relaxed) > 0 }

  /// Called by a worker that has waited for a request in vain, or has done with the mount.
  func noteQuiet() {
    if sinceQuiet.exchange(0, ordering: .relaxed) >= Self.many { IdleLatency.shared.release() }
  }
}
