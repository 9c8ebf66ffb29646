internal import Synchronization

/// Which base nodes a store had when they were first asked for, so that a walk through a tree that
/// nobody has looked at asks the store once for many nodes that it does not have.
///
/// Nodes that are stored later are known in memory; those that are removed the store is asked for in
/// vain.
final class StoredNumbers: Sendable {
  /// Numbers that are asked for together: inodes of a directory are often near each other.
  private static let blockShift: UInt64 = 12

  private let blocks = Mutex<[UInt64: Set<NodeID>]>([:])

  /// Whether the store may have a node; what it cannot say, it may.
  func mayHave(_ id: NodeID, in store: any WorkspaceStore) -> Bool {
    let block = id.rawValue >> Self.blockShift
    if let known = blocks.withLock({ $0[block] }) { return known.contains(id) }
    let first = block << Self.blockShift
    let last = first | (1 << Self.blockShift - 1)
    guard let found = try? store.baseNodes(numbered: NodeID(first)...NodeID(last)) else {
      return true
    }
    blocks.withLock { $0[block] = Set(found) }
    return found.contains(id)
  }
}
