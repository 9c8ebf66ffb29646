internal import Synchronization

/// A run of blocks of a file that one owner holds.
public struct BlockRun: Equatable, Sendable {
  public enum Owner: Equatable, Sendable {
    case hole
    /// The base with this number, from 0, topmost first.
    case base(Int)
    case layer(LayerID, name: String)
  }
  /// Numbers of blocks of ``Block/size`` bytes.
  public var blocks: Range<UInt64>
  public var owner: Owner
  /// Names of the other forks that refer to the very same pages.
  public var sharedWith: [String]
}

/// Where the memory of a fork's changed content is.
public struct ContentStats: Equatable, Sendable {
  /// Files with content of their own or with blocks from below replaced.
  public var files = 0
  /// Runs of blocks by owner, over all those files: 1 each is no fragmentation.
  public var extents = 0
  public var largestExtents = 0
  public var ownPages = 0
  /// Pages that another fork or an older value refers to as well.
  public var sharedPages = 0
  /// Nodes that some layer has made or changed.
  public var nodes = 0
}

extension Fork {
  /// The layers from the newest down to the bases.
  public var layers: [Layer] {
    Array(sequence(first: value.newest) { $0?.parent }.prefix { $0 != nil }.compactMap { $0 })
  }

  /// Who owns which blocks of a file.
  /// - Throws: EISDIR, EINVAL for what has no content.
  public func blockMap(of node: NodeID) throws(FileError) -> [BlockRun] {
    let value = value
    let record = try value.record(node)
    guard case .file(let content) = record.body else {
      throw record.kind == .directory ? .isDirectory : .invalid
    }
    let names = Dictionary(layers.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
    let others = workspace.forks.filter { $0 !== self }.compactMap {
      fork -> (String, FileContent)? in
      guard case .file(let content)? = fork.value.nodes[node]?.body else { return nil }
      return (fork.name, content)
    }
    var runs: [BlockRun] = []
    func add(_ blocks: Range<UInt64>, _ owner: BlockRun.Owner, _ shared: [String] = []) {
      guard !blocks.isEmpty else { return }
      if let last = runs.last, last.owner == owner, last.sharedWith == shared,
        last.blocks.upperBound == blocks.lowerBound
      {
        runs[runs.count - 1].blocks = last.blocks.lowerBound..<blocks.upperBound
      } else {
        runs.append(BlockRun(blocks: blocks, owner: owner, sharedWith: shared))
      }
    }
    let end = FileContent.blocks(upTo: record.size)
    let shown = content.below.map { FileContent.blocks(upTo: min($0.limit, record.size)) } ?? 0
    func addBelow(_ blocks: Range<UInt64>) {
      let split = min(max(shown, blocks.lowerBound), blocks.upperBound)
      if let below = content.below { add(blocks.lowerBound..<split, .base(below.node.base)) }
      add(split..<blocks.upperBound, .hole)
    }
    var position: UInt64 = 0
    content.forEachExtent(in: 0..<end) { blocks, holding in
      let blocks = blocks.clamped(to: 0..<end)
      if position < blocks.lowerBound { addBelow(position..<blocks.lowerBound) }
      if let owner = holding.owner {
        for part in content.parts(of: blocks, with: others.map(\.1)) {
          let shared = others.filter { content.shares(part.lowerBound, with: $0.1) }
          add(part, .layer(owner, name: names[owner] ?? name), shared.map { $0.0 })
        }
      } else {
        add(blocks, .hole)
      }
      position = blocks.upperBound
    }
    if position < end { addBelow(position..<end) }
    return runs
  }

  /// The layer that changed a node last; nil if it is as the bases have it.
  public func owner(of node: NodeID) -> Layer? {
    guard let owner = value.nodes[node]?.owner else { return nil }
    return layers.first { $0.id == owner }
  }

  /// The layer whose whiteout hides a name; nil if none does.
  public func whiteout(of name: Name, in directory: NodeID) -> Layer? {
    guard let entry = value.entries[EntryKey(directory, name)], entry.node == nil else {
      return nil
    }
    return layers.first { $0.id == entry.owner }
  }

  /// The side layer that a node was routed to.
  public func sideLayer(of node: NodeID) -> SideLayer? {
    guard let side = value.nodes[node]?.side, side != .none else { return nil }
    return workspace.sideLayer(side)
  }

  /// What was written in this fork since it was made, over all its layers.
  public var layerStats: LayerStats {
    layers.lazy.filter { $0.fork == self.id }.reduce(into: LayerStats()) { $0 += $1.stats }
  }

  /// Walks what was changed; proportional to that.
  public var contentStats: ContentStats {
    let value = value
    let others = workspace.forks.filter { $0 !== self }.map(\.value)
    var stats = ContentStats()
    value.nodes.forEach { id, node in
      stats.nodes += 1
      guard case .file(let content) = node.body, !content.extents.isEmpty else { return }
      stats.files += 1
      let twins = others.compactMap { other -> FileContent? in
        if case .file(let content)? = other.nodes[id]?.body { return content }
        return nil
      }
      content.extents.forEach { block, extent in
        guard !extent.holding.isZero else { return }
        for part in content.parts(of: block..<extent.end, with: twins) {
          let isShared = twins.contains { content.shares(part.lowerBound, with: $0) }
          if isShared { stats.sharedPages += part.count } else { stats.ownPages += part.count }
        }
      }
      let runs = (try? blockMap(of: id).count) ?? 0
      stats.extents += runs
      stats.largestExtents = max(stats.largestExtents, runs)
    }
    return stats
  }
}

extension Workspace {
  /// Written blocks in memory, each counted once however many forks share it.
  public static var pagesInMemory: Int { Page.liveCount }

  /// Bytes of content that a side layer holds in a fork.
  public func usedBytes(of layer: SideLayer, in fork: Fork) -> Int64 {
    var used: Int64 = 0
    fork.value.nodes.forEach { _, node in
      if node.side == layer.id, case .file = node.body { used += node.size }
    }
    return used
  }
}
