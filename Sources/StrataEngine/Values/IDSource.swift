internal import Synchronization

/// Gives out the numbers of a workspace: ascending, each once.
final class IDSource: Sendable {
  private let lastNode = Atomic<UInt64>(NodeID.root.rawValue)
  private let lastLayer = Atomic<UInt64>(0)
  private let lastFork = Atomic<UInt32>(0)

  func nextNode() -> NodeID { NodeID(lastNode.add(1, ordering: .relaxed).newValue) }
  func nextLayer() -> LayerID { LayerID(lastLayer.add(1, ordering: .relaxed).newValue) }
  func nextFork() -> ForkID { ForkID(lastFork.add(1, ordering: .relaxed).newValue) }

  /// The newest layer there is: everything made from now on has a greater number.
  var newestLayer: LayerID { LayerID(lastLayer.load(ordering: .relaxed)) }
}
