/// A node's file in a layer.
public struct DataFileID: Hashable, Sendable {
  public var layer: LayerID
  public var node: NodeID
  public init(layer: LayerID, node: NodeID) { (self.layer, self.node) = (layer, node) }
}

/// All that a store holds, by what it takes.
public struct StoreInventory: Sendable {
  /// Bytes of each record.
  public var records: [UInt64: Int] = [:]
  public var files: [DataFileID: File] = [:]
  public var layers: Set<LayerID> = []
  public var baseNodes: Set<NodeID> = []
  /// Those of which the row cannot be read, and why.
  public var damagedBaseNodes: [NodeID: String] = [:]

  public struct File: Equatable, Sendable {
    public var size: Int64
    /// Bytes that the disk has given it: holes take none.
    public var allocated: Int64
    public init(size: Int64, allocated: Int64) { (self.size, self.allocated) = (size, allocated) }
  }

  public init() {}
}

/// What can go.
public struct StoreGarbage: Sendable {
  public var operations: [UInt64] = []
  public var layers: [LayerID] = []
  public var records: [UInt64] = []
  public var files: [DataFileID] = []
  public var baseNodes: [NodeID] = []
  /// Commits whose kept objects nobody sees any more.
  public var commits: [BaseVersion] = []
  /// Blocks of files that stay, which nothing leads to.
  public var holes: [DataFileID: [Range<UInt64>]] = [:]
  /// What that frees, in records, in files, in holes and in what commits have kept.
  public var recordBytes: Int64 = 0
  public var fileBytes: Int64 = 0
  public var holeBytes: Int64 = 0
  public var commitBytes: Int64 = 0
  /// Less is not worth a hole: the disk's own notes on a file count as its blocks.
  static let smallestHole: Int64 = 64 << 10
  public init() {}

  public var isEmpty: Bool {
    operations.isEmpty && layers.isEmpty && records.isEmpty && files.isEmpty && baseNodes.isEmpty
      && holes.isEmpty && commits.isEmpty
  }
}
