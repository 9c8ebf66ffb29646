public import StrataEngine
internal import Synchronization

/// The numbers of nodes over an upper directory, the same in each mount: of what is below the host's
/// own, of all else a number that the upper directory notes.
public final class OverlayNumbers: NodeNumbering {
  private struct State {
    /// What the upper directory has noted.
    var noted: [NodeID: UInt64] = [:]
    /// Added to the number of what is noted nowhere yet and of no base: leads above all that is.
    var first: UInt64 = 0
  }

  private let state = Mutex(State())

  init() {}

  public func number(of node: NodeID) -> UInt64 {
    state.withLock { state in
      state.noted[node] ?? node.rawValue + (Self.isOwn(node.rawValue) ? state.first : 0)
    }
  }

  /// The number that a mount before has given a node.
  func note(_ number: UInt64, of node: NodeID) {
    state.withLock { state in
      state.noted[node] = number
      guard Self.isOwn(number) else { return }
      state.first = max(state.first, number - NodeID.firstOwn + 1)
    }
  }

  /// Whether it is in the range of what no base has.
  private static func isOwn(_ number: UInt64) -> Bool {
    (NodeID.firstOwn..<2 * NodeID.firstOwn).contains(number)
  }
}
