/// A namespace value as the store knows it: the records of its maps' roots (0 is an empty map), and
/// its layers.
public struct StoredTree: Equatable, Sendable {
  public var nodes: UInt64
  public var entries: UInt64
  public var annotations: UInt64
  /// The newest sealed layer; 0 is right above the bases.
  public var sealed: LayerID
  public var sealedThrough: LayerID
  /// The state of the bases that it is over.
  public var version: BaseVersion

  public init(
    nodes: UInt64, entries: UInt64, annotations: UInt64, sealed: LayerID, sealedThrough: LayerID,
    version: BaseVersion
  ) {
    self.version = version
    (self.nodes, self.entries, self.annotations) = (nodes, entries, annotations)
    (self.sealed, self.sealedThrough) = (sealed, sealedThrough)
  }
}

extension StoredTree {
  package var encoded: [UInt8] {
    var writer = PageWriter()
    for value in [
      nodes, entries, annotations, sealed.rawValue, sealedThrough.rawValue, version,
    ] {
      writer.number(value)
    }
    return writer.result
  }

  package init(encoded bytes: [UInt8]) throws(FileError) {
    var reader = PageReader(bytes)
    self.init(
      nodes: try reader.number(), entries: try reader.number(), annotations: try reader.number(),
      sealed: LayerID(try reader.number()), sealedThrough: LayerID(try reader.number()),
      version: try reader.number())
  }
}

public struct StoredFork: Equatable, Sendable {
  public var id: ForkID
  public var name: String
  public var parent: ForkID?
  public var value: StoredTree
  public var origin: StoredTree

  public init(
    id: ForkID, name: String, parent: ForkID?, value: StoredTree, origin: StoredTree
  ) {
    (self.id, self.name, self.parent) = (id, name, parent)
    (self.value, self.origin) = (value, origin)
  }
}

public struct StoredLayer: Equatable, Sendable {
  public var id: LayerID
  public var fork: ForkID
  public var name: String
  public var parent: LayerID
  /// How many layers lie below.
  public var depth: Int
  public var stats: LayerStats
  /// What it has taken besides, by merges.
  public var sources: [Source]

  public struct Source: Equatable, Sendable {
    public var layer: LayerID
    /// The value that was taken, if it is kept.
    public var value: StoredTree?

    public init(layer: LayerID, value: StoredTree?) { (self.layer, self.value) = (layer, value) }
  }

  public init(
    id: LayerID, fork: ForkID, name: String, parent: LayerID, depth: Int, stats: LayerStats,
    sources: [Source]
  ) {
    (self.id, self.fork, self.name, self.parent) = (id, fork, name, parent)
    (self.depth, self.stats, self.sources) = (depth, stats, sources)
  }
}

public struct StoredOperation: Equatable, Sendable {
  /// What became of an operation.
  public enum State: Int64, Sendable { case done, undone, abandoned }

  public var id: UInt64
  public var fork: ForkID
  public var command: String
  public var time: Timestamp
  public var before: StoredTree
  public var after: StoredTree
  /// 0 if it only went back to an older value.
  public var layer: LayerID
  public var state: State

  public init(
    id: UInt64, fork: ForkID, command: String, time: Timestamp, before: StoredTree,
    after: StoredTree, layer: LayerID, state: State
  ) {
    (self.id, self.fork, self.command, self.time) = (id, fork, command, time)
    (self.before, self.after, self.layer, self.state) = (before, after, layer, state)
  }
}

/// A copy-on-write event, for `why`.
public struct StoredEvent: Equatable, Sendable {
  public var node: NodeID
  public var kind: EventKind
  /// The base for a layer right above it.
  public var from: LayerID
  public var to: LayerID
  public var bytes: Int64?
  public var rule: String?

  public init(
    node: NodeID, kind: EventKind, from: LayerID, to: LayerID, bytes: Int64?, rule: String?
  ) {
    (self.node, self.kind, self.from, self.to) = (node, kind, from, to)
    (self.bytes, self.rule) = (bytes, rule)
  }

  /// The most that a store keeps of a node.
  public static let mostPerNode = Journal.perNode
}

/// A node of the bases that a record refers to.
public struct StoredBaseNode: Equatable, Sendable {
  public struct Place: Equatable, Sendable {
    public var base: Int
    /// From the base's root, without a slash in front; empty for the root.
    public var path: [UInt8]
    public var stamp: BaseStamp

    public init(base: Int, path: [UInt8], stamp: BaseStamp) {
      (self.base, self.path, self.stamp) = (base, path, stamp)
    }
  }

  public var id: NodeID
  public var parent: NodeID
  public var name: Name
  public var status: BaseStatus
  public var places: [Place]
  public var kept: [KeptNode]

  public init(
    id: NodeID, parent: NodeID, name: Name, status: BaseStatus, places: [Place],
    kept: [KeptNode] = []
  ) {
    self.kept = kept
    (self.id, self.parent, self.name) = (id, parent, name)
    (self.status, self.places) = (status, places)
  }
}

/// The newest numbers that were given out.
public struct StoredCounters: Equatable, Sendable {
  public var node: UInt64 = NodeID.root.rawValue
  public var layer: UInt64 = 0
  public var fork: UInt32 = 0
  public var record: UInt64 = 0
  public var operation: UInt64 = 0
  public var version: BaseVersion = 0
  public init() {}
}

/// What a workspace begins with: forks, and of the log no more than numbers.
public struct StoredOpening: Sendable {
  public struct Entry: Equatable, Sendable {
    public var id: UInt64
    public var fork: ForkID
    public var state: StoredOperation.State

    public init(id: UInt64, fork: ForkID, state: StoredOperation.State) {
      (self.id, self.fork, self.state) = (id, fork, state)
    }
  }

  public var counters = StoredCounters()
  public var forks: [StoredFork] = []
  /// In the order of their numbers.
  public var operations: [Entry] = []
  public var sideLayers: [SideLayer] = []
  public init() {}
}

/// All of a workspace but what is read as it is looked at.
public struct StoredWorkspace: Sendable {
  public var counters = StoredCounters()
  public var forks: [StoredFork] = []
  /// Parents before their children.
  public var layers: [StoredLayer] = []
  /// In the order of their numbers.
  public var operations: [StoredOperation] = []
  public var sideLayers: [SideLayer] = []
  /// Whether all rows could be read.
  public var isWhole = true
  public init() {}
}

/// What one transaction writes beside the records that were put before.
public struct StoreBatch: Sendable {
  public var counters = StoredCounters()
  public var forks: [StoredFork] = []
  public var droppedForks: [ForkID] = []
  public var droppedOperations: [UInt64] = []
  public var layers: [StoredLayer] = []
  public var operations: [StoredOperation] = []
  public var baseNodes: [StoredBaseNode] = []
  public var sideLayers: [SideLayer] = []
  public var events: [StoredEvent] = []
  /// Trees that need their records though no row leads to them.
  public var trees: [StoredTree] = []
  public init() {}

  /// Whether there is nothing in it that has to be written.
  public var isEmpty: Bool {
    forks.isEmpty && droppedForks.isEmpty && droppedOperations.isEmpty && layers.isEmpty
      && operations.isEmpty && baseNodes.isEmpty && sideLayers.isEmpty && events.isEmpty
  }
}
