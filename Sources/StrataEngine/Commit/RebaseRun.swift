/// Brings a value over to the bases as they are now, node by node and name by name. The cost goes
/// with what the value has changed, not with what the bases hold.
struct RebaseRun {
  let old: Namespace
  var new: Namespace
  let settle: (CommitConflict) -> Settlement?
  /// What nobody has settled.
  var open: [CommitConflict] = []
  /// The paths of those.
  private var told: Set<[UInt8]> = []
  var settled = 0
  var isChanged = false
  /// Paths of what both sides have changed to the same.
  var agreed: Set<[UInt8]> = []
  var sharesDirectories = false
  var isMoved = false
  /// Names that layers have given to nodes, when the run began.
  var names: [NodeID: [EntryKey]] = [:]
  /// What nodes of the bases that were replaced have become.
  var successors: [NodeID: NodeID] = [:]
  /// Directories whose subdirectories are to be counted again.
  var recounted: Set<NodeID> = []
  /// Directories of the bases that were listed to find what was moved in them.
  var searched: Set<NodeID> = []
  /// Nodes of the bases that were found in other places than before.
  var found: Set<NodeID> = []

  var bases: BaseIndex { old.context.bases }

  init(_ value: Namespace, _ settle: @escaping (CommitConflict) -> Settlement?) {
    (old, new, self.settle) = (value, value, settle)
    new.version = value.context.bases.version.withLock { $0 }
    isChanged = new.version != old.version
  }

  mutating func run() throws(FileError) -> RebaseOutcome {
    let records = try collect()
    // A directory is settled before what is in it.
    for (id, node, base) in records where node.kind == .directory {
      try settleDirectory(id, node, base)
    }
    for (id, node, base) in records where node.kind != .directory {
      try settleFile(id, node, base)
    }
    try settleNames()
    rename()
    for directory in recounted { try count(directory) }
    open.sort { $0.path.lexicographicallyPrecedes($1.path) }
    return RebaseOutcome(
      value: new, open: open, settled: settled, isChanged: isChanged, agreed: agreed,
      sharesDirectories: sharesDirectories, isMoved: isMoved, found: found)
  }

  /// The records of what is a base's, from the root down.
  private mutating func collect() throws(FileError) -> [(NodeID, Node, BaseNode)] {
    let old = old
    return try old.context.whole { () throws(FileError) in
      var found: [(depth: Int, NodeID, Node, BaseNode)] = []
      old.nodes.forEach { id, node in
        guard let base = node.origin?.node else { return }
        found.append((path(id).count { $0 == UInt8(ascii: "/") }, id, node, base))
      }
      old.entries.forEach { key, entry in
        if let node = entry.node { names[node, default: []].append(key) }
      }
      return found.sorted { ($0.depth, $0.1) < ($1.depth, $1.1) }.map { ($0.1, $0.2, $0.3) }
    }
  }

  /// Asks how a conflict is settled, and notes it if nobody says.
  mutating func decide(_ kind: CommitConflict.Kind, _ path: [UInt8]) -> Settlement? {
    let conflict = CommitConflict(kind: kind, path: path)
    guard let choice = settle(conflict) else {
      if told.insert(path).inserted { open.append(conflict) }
      return nil
    }
    settled += 1
    isChanged = true
    return choice
  }

  /// Where a node is, or was before it was removed: also where the host has it no more.
  func path(_ id: NodeID) -> [UInt8] {
    var names: [Name] = []
    var place = id
    // No path is longer; a damaged store might have a ring.
    while place != .root, names.count < 1 << 14 {
      if let node = old.nodes[place] {
        names.append(node.name)
        place = node.parent
      } else if let base = bases.node(place) {
        let kept = base.kept(at: old.version)
        names.append(kept?.name ?? base.name)
        place = kept?.parent ?? base.parent
      } else {
        break
      }
    }
    if names.isEmpty { return [UInt8(ascii: "/")] }
    return names.reversed().reduce(into: []) { path, name in
      path.append(UInt8(ascii: "/"))
      path.append(contentsOf: name.bytes)
    }
  }

  func path(of key: EntryKey) -> [UInt8] {
    let directory = path(key.directory)
    return (directory.count == 1 ? [] : directory) + [UInt8(ascii: "/")] + key.name.bytes
  }

  /// The parents of what was in a directory that was replaced.
  private mutating func rename() {
    guard !successors.isEmpty else { return }
    var changed: [(NodeID, Node)] = []
    new.nodes.forEach { id, node in
      guard let parent = successors[node.parent] else { return }
      var node = node
      node.parent = parent
      changed.append((id, node))
    }
    for (id, node) in changed { new.nodes.insert(id, node) }
  }

  /// A directory's links: 2, and one for each subdirectory.
  private mutating func count(_ id: NodeID) throws(FileError) {
    guard var node = new.nodes[id], node.kind == .directory, node.links > 0 else { return }
    let children = try new.list(id, after: 2, limit: .max)
    node.links = 2 + UInt32(children.count { $0.kind == .directory })
    new.nodes.insert(id, node)
  }
}
