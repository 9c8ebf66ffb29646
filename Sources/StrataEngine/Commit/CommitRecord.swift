/// What a commit does to the workspace's idea of the bases, so that it can be finished after a crash,
/// too: made before the host is touched, and kept in the commit's journal.
public struct CommitRecord: Equatable, Sendable {
  public var fork: ForkID
  public var command: String
  /// The number of the commit, from 1.
  public var version: BaseVersion
  /// What nodes of the bases were, for the values from before.
  public var kept: [Kept]
  /// Where nodes are from now on: paths that the commit has put something at.
  public var placed: [Placed]
  public var reach: Reach
  /// The fork's names and nodes that the base has by itself now.
  public var settled: [Settled]
  /// Paths that were left to the host: the fork has dropped its changes there.
  public var left: [[UInt8]] = []
  /// Paths where a change of the host has given way to the fork's.
  public var overridden: [[UInt8]] = []
  /// The value that was committed; nil where nothing outlives the process.
  public var planned: StoredTree?

  /// Nodes that are the bases' as the commit has left them.
  var nodes: Set<NodeID> { Set(kept.map(\.id) + placed.map(\.node) + settled.map(\.node)) }

  public enum Reach: UInt8, Sendable {
    /// Some of the fork's changes: others stay its own.
    case part
    case whole
    /// A commit is taken back: the fork sees what it saw, as all others do.
    case reversal
  }

  public struct Kept: Equatable, Sendable {
    public var id: NodeID
    public var node: KeptNode
  }

  public struct Placed: Equatable, Sendable {
    public var path: [UInt8]
    public var node: NodeID
  }

  /// A name that the fork has an entry of, and the node concerned.
  public struct Settled: Equatable, Sendable {
    public var directory: NodeID
    public var name: Name
    public var node: NodeID
  }
}

extension CommitRecord {
  public var encoded: [UInt8] {
    var writer = PageWriter()
    writer.number(UInt64(fork.rawValue))
    writer.bytes(Array(command.utf8))
    writer.number(version)
    writer.number(UInt64(kept.count))
    for row in kept {
      writer.number(row.id.rawValue)
      row.node.write(to: &writer)
    }
    writer.number(UInt64(placed.count))
    for row in placed {
      writer.bytes(row.path)
      writer.number(row.node.rawValue)
    }
    writer.byte(reach.rawValue)
    writer.number(UInt64(settled.count))
    for row in settled {
      writer.number(row.directory.rawValue)
      writer.bytes(row.name.bytes)
      writer.number(row.node.rawValue)
    }
    writer.number(UInt64(left.count))
    for path in left { writer.bytes(path) }
    writer.bytes(planned?.encoded ?? [])
    writer.number(UInt64(overridden.count))
    for path in overridden { writer.bytes(path) }
    return writer.result
  }

  /// - Throws: EIO for bytes that are damaged.
  public init(encoded bytes: [UInt8]) throws(FileError) {
    var reader = PageReader(bytes)
    fork = ForkID(try reader.number(as: UInt32.self))
    command = String(decoding: try reader.bytes(), as: UTF8.self)
    version = try reader.number()
    kept = []
    for _ in 0..<(try reader.count()) {
      kept.append(Kept(id: NodeID(try reader.number()), node: try KeptNode(from: &reader)))
    }
    placed = []
    for _ in 0..<(try reader.count()) {
      placed.append(Placed(path: try reader.bytes(), node: NodeID(try reader.number())))
    }
    guard let reach = Reach(rawValue: try reader.byte()) else { throw .damaged }
    self.reach = reach
    settled = []
    for _ in 0..<(try reader.count()) {
      settled.append(
        Settled(
          directory: NodeID(try reader.number()), name: Name(try reader.bytes()),
          node: NodeID(try reader.number())))
    }
    // Records of older versions end here, or behind the next part.
    guard !reader.isAtEnd else { return }
    for _ in 0..<(try reader.count()) { left.append(try reader.bytes()) }
    guard !reader.isAtEnd else { return }
    let tree = try reader.bytes()
    planned = tree.isEmpty ? nil : try StoredTree(encoded: tree)
    guard !reader.isAtEnd else { return }
    for _ in 0..<(try reader.count()) { overridden.append(try reader.bytes()) }
  }
}
