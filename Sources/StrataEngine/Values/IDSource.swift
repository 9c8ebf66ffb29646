internal import Synchronization

/// Gives out the numbers of a workspace: ascending, each once.
final class IDSource: Sendable {
  private let lastNode: Atomic<UInt64>
  private let lastLayer = Atomic<UInt64>(0)
  private let lastFork = Atomic<UInt32>(0)
  private let lastRecord = Atomic<UInt64>(0)

  /// - Parameter keepsInodes: whether nodes of bases have their host's inode numbers.
  init(keepsInodes: Bool = false) {
    lastNode = Atomic(keepsInodes ? NodeID.firstOwn - 1 : NodeID.root.rawValue)
  }

  /// Whether the numbers below ``NodeID/firstOwn`` are those of the host's inodes. A workspace that
  /// began without goes on without.
  var keepsInodes: Bool { lastNode.load(ordering: .relaxed) >= NodeID.firstOwn - 1 }

  func nextNode() -> NodeID { NodeID(lastNode.add(1, ordering: .relaxed).newValue) }
  func nextLayer() -> LayerID { LayerID(lastLayer.add(1, ordering: .relaxed).newValue) }
  func nextFork() -> ForkID { ForkID(lastFork.add(1, ordering: .relaxed).newValue) }

  func nextRecord() -> UInt64 { lastRecord.add(1, ordering: .relaxed).newValue }

  /// Goes on where a former process has stopped.
  func `continue`(from counters: StoredCounters) {
    lastNode.store(counters.node, ordering: .relaxed)
    lastLayer.store(counters.layer, ordering: .relaxed)
    lastFork.store(counters.fork, ordering: .relaxed)
    lastRecord.store(counters.record, ordering: .relaxed)
  }

  var counters: StoredCounters {
    var counters = StoredCounters()
    counters.node = lastNode.load(ordering: .relaxed)
    counters.layer = lastLayer.load(ordering: .relaxed)
    counters.fork = lastFork.load(ordering: .relaxed)
    counters.record = lastRecord.load(ordering: .relaxed)
    return counters
  }

  /// The newest layer there is: everything made from now on has a greater number.
  var newestLayer: LayerID { LayerID(lastLayer.load(ordering: .relaxed)) }
}
