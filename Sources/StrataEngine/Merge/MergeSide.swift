/// What one side has changed since the common ancestor, by entry and by node.
///
/// The cost goes with what was changed: pages that the maps share are skipped whole.
struct MergeSide {
  let value: Namespace
  let ancestor: Namespace
  /// Names that lead to another node than before; nil is no node.
  private(set) var steps: [EntryKey: Step] = [:]
  /// The names that a node has lost, and got.
  private(set) var lost: [NodeID: Set<EntryKey>] = [:]
  private(set) var gained: [NodeID: Set<EntryKey>] = [:]
  /// Nodes of which something may have changed.
  private(set) var nodes: Set<NodeID> = []
  private(set) var keysVisited = 0

  struct Step {
    var old: NodeID?
    var new: NodeID?
  }

  init(_ value: Namespace, since ancestor: Namespace) throws(FileError) {
    (self.value, self.ancestor) = (value, ancestor)
    var keys: [EntryKey] = []
    var visited = 0
    value.entries.difference(from: ancestor.entries) { key, before, after in
      visited += 1
      if before?.node != after?.node || (before == nil) != (after == nil) { keys.append(key) }
    }
    var changed: Set<NodeID> = []
    value.nodes.difference(from: ancestor.nodes) { id, _, _ in
      visited += 1
      changed.insert(id)
    }
    nodes = changed
    keysVisited = visited
    for key in keys { try note(key) }
    // What a base shows in a directory has no entries of its own that would tell.
    for id in changed {
      let (was, isNow) = (try ancestor.isDirectory(id), try value.isDirectory(id))
      guard was != isNow else { continue }
      let side = was ? ancestor : value
      for row in try side.list(id, after: 2, limit: .max) {
        keysVisited += 1
        try note(EntryKey(id, row.name))
      }
    }
  }

  private mutating func note(_ key: EntryKey) throws(FileError) {
    let step = Step(
      old: try ancestor.node(under: key), new: try value.node(under: key))
    guard step.old != step.new, steps[key] == nil else { return }
    steps[key] = step
    if let old = step.old { lost[old, default: []].insert(key) }
    if let new = step.new { gained[new, default: []].insert(key) }
  }

  func names(of node: NodeID) -> (lost: Set<EntryKey>, gained: Set<EntryKey>) {
    (lost[node] ?? [], gained[node] ?? [])
  }

  /// Whether the node is there, and has a name that anybody knows of.
  func has(_ id: NodeID) throws(FileError) -> Bool {
    guard try value.isAlive(id) else { return false }
    guard lost[id] != nil, gained[id] == nil else { return true }
    return value.placement(of: id) != nil
  }
}

extension EntryKey: Hashable {
  func hash(into hasher: inout Hasher) {
    hasher.combine(directory)
    hasher.combine(name)
  }
}

extension Namespace {
  /// Whether the node is in the tree: not removed, and of a base or made by some layer.
  func isAlive(_ id: NodeID) throws(FileError) -> Bool {
    if let node = try own(id) { return node.links > 0 }
    return context.bases.node(id) != nil
  }

  func isDirectory(_ id: NodeID) throws(FileError) -> Bool {
    guard try isAlive(id) else { return false }
    return try kind(id) == .directory
  }

  /// The node that a name leads to; nil also where its directory is gone.
  func node(under key: EntryKey) throws(FileError) -> NodeID? {
    guard try isDirectory(key.directory) else { return nil }
    return try find(key.name, in: key.directory)
  }
}
