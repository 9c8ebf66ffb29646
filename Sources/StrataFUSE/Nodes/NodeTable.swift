internal import StrataEngine
internal import Synchronization

/// What the kernel knows by number: how often each node was looked up and not yet forgotten.
///
/// The kernel's number of a node is the engine's, with a variant in the upper bits: a node that is
/// looked up afresh while descriptors go on with what it was has a new variant.
final class NodeTable: Sendable {
  private static let shardCount: UInt64 = 16
  private static let variantShift: UInt64 = 48

  private struct State {
    /// Lookups, by the kernel's number.
    var counts: [UInt64: UInt64] = [:]
    /// Nodes whose variant is not 0.
    var variants: [NodeID: UInt64] = [:]
    /// What descriptors that are open under a former number go on with.
    var former: [UInt64: Former] = [:]
    /// Numbers whose content the kernel was handed.
    var handedOver: Set<UInt64> = []
    /// Numbers of directories that programs come back to.
    var familiar: Set<UInt64> = []
  }

  /// What a number stands for that the node has no more.
  enum Former: Sendable {
    /// A file of a former tree, in which it goes on.
    case file(OpenFile)
    /// A file that the kernel reads by itself, as it was when it got another number.
    case attributes(Attributes)
  }

  private final class Shard: Sendable {
    let state = Mutex(State())
  }

  private let shards = (0..<Int(shardCount)).map { _ in Shard() }

  private func shard(_ node: NodeID) -> Shard {
    shards[Int(truncatingIfNeeded: node.rawValue % Self.shardCount)]
  }

  static func node(_ number: UInt64) -> NodeID {
    NodeID(number & ((1 << variantShift) - 1))
  }

  private static func number(_ node: NodeID, _ variant: UInt64?) -> UInt64 {
    node.rawValue | (variant ?? 0) << variantShift
  }

  /// The kernel's number of a node that it is told of, which counts as a lookup.
  func lookUp(_ node: NodeID) -> UInt64 {
    shard(node).state.withLock { state in
      let number = Self.number(node, state.variants.isEmpty ? nil : state.variants[node])
      state.counts[number, default: 0] += 1
      return number
    }
  }

  /// - Returns: whether the kernel knows the node by no number any more.
  func forget(_ number: UInt64, _ count: UInt64) -> Bool {
    let node = Self.node(number)
    let (isGone, former) = shard(node).state.withLock { state -> (Bool, Former?) in
      guard let known = state.counts[number] else { return (false, nil) }
      if known > count {
        state.counts[number] = known - count
        return (false, nil)
      }
      state.counts[number] = nil
      if !state.handedOver.isEmpty { state.handedOver.remove(number) }
      if !state.familiar.isEmpty { state.familiar.remove(number) }
      // Released behind the lock: closing a file asks who holds its node.
      let former = state.former.removeValue(forKey: number)
      guard !state.variants.isEmpty, let variant = state.variants[node] else {
        return (true, former)
      }
      let others = (0...variant).contains { state.counts[Self.number(node, $0)] != nil }
      return (!others, former)
    }
    _ = former
    return isGone
  }

  /// Whether the kernel has not been handed the content of a number yet; it has been from now on.
  func takesContent(_ number: UInt64) -> Bool {
    shard(Self.node(number)).state.withLock { $0.handedOver.insert(number).inserted }
  }

  /// Whether programs were not known to come back to a directory; they are from now on, as long as the
  /// kernel knows it.
  func becomesFamiliar(_ number: UInt64) -> Bool {
    shard(Self.node(number)).state.withLock { $0.familiar.insert(number).inserted }
  }

  /// The node, if the number is the one that it has now.
  func current(_ number: UInt64) -> NodeID? {
    let node = Self.node(number)
    return shard(node).state.withLock { state in
      Self.number(node, state.variants.isEmpty ? nil : state.variants[node]) == number
        ? node : nil
    }
  }

  /// What a former number stands for, if a file is open under it.
  func former(_ number: UInt64) -> Former? {
    shard(Self.node(number)).state.withLock { $0.former[number] }
  }

  func holds(_ node: NodeID) -> Bool {
    shard(node).state.withLock { state in
      if state.counts[node.rawValue] != nil { return true }
      guard !state.variants.isEmpty, let variant = state.variants[node] else { return false }
      return (1...variant).contains { state.counts[Self.number(node, $0)] != nil }
    }
  }

  /// The numbers under which the kernel knows a node.
  func numbers(of node: NodeID) -> [UInt64] {
    shard(node).state.withLock { state in
      (0...(state.variants[node] ?? 0)).map { Self.number(node, $0) }
        .filter { state.counts[$0] != nil || $0 == NodeID.root.rawValue }
    }
  }

  /// Has the node looked up under another number from now on.
  /// - Parameter former: what is open under the one that it had; GETATTR without a handle asks it.
  func renew(_ node: NodeID, keeping former: Former?) {
    guard node != .root else { return }
    let replaced = shard(node).state.withLock { state in
      let variant = state.variants[node] ?? 0
      let number = Self.number(node, variant)
      let replaced = state.former.removeValue(forKey: number)
      if state.counts[number] != nil, let former { state.former[number] = former }
      state.variants[node] = (variant + 1) & 0x7FFF
      return replaced
    }
    _ = replaced
  }

  /// All numbers that the kernel knows.
  var all: [UInt64] { shards.flatMap { $0.state.withLock { Array($0.counts.keys) } } }

  /// How many numbers the kernel knows.
  var count: Int { shards.reduce(0) { $0 + $1.state.withLock { $0.counts.count } } }
}
