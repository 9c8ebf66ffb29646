internal import StrataEngine
internal import StrataShell
internal import Synchronization
internal import SystemPackage

/// Requests to the other end that wait for an answer. One thread makes them, another one, which
/// reads the connection, brings the answers.
final class RemoteCalls: Sendable {
  private struct State {
    var last: Int64 = 0
    var waiting: [Int64: Turn] = [:]
    var answers: [Int64: Result<JSON, RemoteError>] = [:]
    var isAtEnd = false
  }

  private let wire: Wire
  private let state = Mutex(State())

  init(_ wire: Wire) { self.wire = wire }

  /// - Throws: ECONNRESET if the connection ends before the answer; the errno of a failure there.
  func call(
    _ method: String, _ params: JSON, descriptors: [Int32] = []
  ) throws(FileError) -> JSON {
    let turn = Turn()
    let id = state.withLock { state -> Int64? in
      if state.isAtEnd { return nil }
      state.last += 1
      state.waiting[state.last] = turn
      return state.last
    }
    guard let id else { throw FileError(.connectionReset) }
    try wire.send(Message.request(method, params, id: id), descriptors: descriptors)
    turn.wait()
    switch state.withLock({ $0.answers.removeValue(forKey: id) }) {
    case .success(let value): return value
    case .failure(let error):
      throw FileError(
        Errno(rawValue: Int32(truncatingIfNeeded: error.errno ?? Int64(Errno.ioError.rawValue))),
        error.errno == nil ? error.message : nil)
    case nil: throw FileError(.connectionReset)
    }
  }

  /// An answer has come. One that nobody waits for is left.
  func take(_ id: Int64, _ result: Result<JSON, RemoteError>) {
    let turn = state.withLock { state in
      let turn = state.waiting.removeValue(forKey: id)
      if turn != nil { state.answers[id] = result }
      return turn
    }
    turn?.give()
  }

  /// No more answers will come.
  func end() {
    let turns = state.withLock { state in
      state.isAtEnd = true
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    for turn in turns { turn.give() }
  }
}
