internal import Glibc
internal import StrataEngine
internal import Synchronization

/// Whose turn it is to change a fork, among the sessions that share a workspace: the commands of
/// two of them must not become one operation of the log. First come, first served.
public final class ForkTurns: Sendable {
  /// What a command keeps others away from.
  enum Span: Equatable {
    case fork(ForkID)
    /// All forks, for what works on the store as a whole.
    case everything

    func excludes(_ other: Span) -> Bool {
      self == other || self == .everything || other == .everything
    }
  }

  private struct Ticket {
    let id: UInt64
    let span: Span
    let wake: Turn
  }

  private struct State {
    /// In the order in which they came; the holders among them.
    var tickets: [Ticket] = []
    var last: UInt64 = 0
    var users: [ForkID: Int] = [:]

    func isTurn(of index: Int) -> Bool {
      !tickets[..<index].contains { $0.span.excludes(tickets[index].span) }
    }
  }

  private let state = Mutex(State())

  public init() {}

  /// Waits for the turn.
  /// - Parameter isTooLong: called once when that takes more than a second.
  /// - Returns: what to give back; nil if it was cancelled.
  func take(_ span: Span, _ cancellation: Cancellation, isTooLong: () -> Void) -> UInt64? {
    let wake = Turn()
    let (id, isFree) = state.withLock { state in
      state.last += 1
      state.tickets.append(Ticket(id: state.last, span: span, wake: wake))
      return (state.last, state.isTurn(of: state.tickets.count - 1))
    }
    if isFree { return id }
    var waits = 0
    while !wake.wait(milliseconds: 100) {
      if cancellation.isCancelled {
        give(id)
        return nil
      }
      waits += 1
      if waits == 10 { isTooLong() }
    }
    return id
  }

  func give(_ id: UInt64) {
    state.withLock { state in
      guard let index = state.tickets.firstIndex(where: { $0.id == id }) else { return }
      let before = state.tickets.indices.map(state.isTurn(of:))
      state.tickets.remove(at: index)
      for later in state.tickets.indices where state.isTurn(of: later) {
        if !before[later < index ? later : later + 1] { state.tickets[later].wake.give() }
      }
    }
  }

  // MARK: Forks in use

  /// Notes that a session is in a fork.
  /// - Throws: ENOENT if somebody has dropped it.
  func enter(_ fork: Fork) throws(FileError) {
    try state.withLock { state throws(FileError) in
      guard fork.workspace.fork(named: fork.name) === fork else { throw .notFound }
      state.users[fork.id, default: 0] += 1
    }
  }

  func leave(_ fork: ForkID) {
    state.withLock { state in
      let count = (state.users[fork] ?? 1) - 1
      state.users[fork] = count > 0 ? count : nil
    }
  }

  /// Drops a fork that no session is in.
  /// - Throws: EBUSY for another, and for `main`.
  func drop(_ fork: Fork) throws(FileError) {
    try state.withLock { state throws(FileError) in
      if fork.id != .main, state.users[fork.id] != nil {
        throw FileError(.resourceBusy, saying: "another client is in the fork")
      }
      try fork.workspace.drop(fork)
    }
  }
}
