extension Workspace {
  /// What must be done to the old tree to get the new one, by path.
  ///
  /// The cost goes with what differs: shared pages of the maps are skipped whole. A directory that
  /// was removed, or made, is listed with all that was in it. What lives in side layers is left out.
  public func diff(_ old: Namespace, _ new: Namespace) throws(FileError) -> [Change] {
    try changes(old, new).filter { !$0.isOnlyIdentity }
  }

  /// What a fork has changed since it was made.
  /// - Throws: ESTALE, saying that a rebase is needed, where the host has no more what it was changed in.
  public func diff(_ fork: Fork) throws(FileError) -> [Change] {
    let (origin, value) = fork.state.withLock { ($0.origin, $0.world.value) }
    do throws(FileError) {
      return try diff(origin, value)
    } catch {
      throw error.sayingToRebase
    }
  }

  /// The changes from one tree to another, with directories that are others and look the same.
  /// - Parameter isReversal: whether the new tree has directories that the old one has lost.
  func changes(
    _ old: Namespace, _ new: Namespace, isReversal: Bool = false
  ) throws(FileError) -> [Change] {
    try context.whole { () throws(FileError) in
      var difference = Difference(old: old, new: new)
      difference.isReversal = isReversal
      try difference.collectEntries()
      try difference.collectNodes()
      return try difference.changes()
    }
  }
}

/// The walk over two values.
struct Difference {
  let old: Namespace
  let new: Namespace
  /// Where something disappeared, and where something came up: node by path.
  var removed: [[UInt8]: NodeID] = [:]
  var added: [[UInt8]: NodeID] = [:]
  /// Nodes in both whose records differ.
  var touched: Set<NodeID> = []
  var isReversal = false

  init(old: Namespace, new: Namespace) {
    self.old = old
    self.new = new
  }

  // MARK: Collecting

  mutating func collectEntries() throws(FileError) {
    var keys: [EntryKey] = []
    new.entries.difference(from: old.entries) { key, before, after in
      if before?.node != after?.node || (before == nil) != (after == nil) { keys.append(key) }
    }
    var lost: [(path: [UInt8], node: NodeID)] = []
    var gained: [(path: [UInt8], node: NodeID)] = []
    for key in keys {
      let before = try effective(key, in: old)
      let after = try effective(key, in: new)
      guard before != after else { continue }
      if let before, let path = path(of: key, in: old) { lost.append((path, before)) }
      if let after, let path = path(of: key, in: new) { gained.append((path, after)) }
    }
    let moved = try movedDirectories(lost, gained)
    for (path, id) in lost { try expand(id, path, in: old, except: moved, &removed) }
    for (path, id) in gained { try expand(id, path, in: new, except: moved, &added) }
  }

  /// Directories whose old path leads to nothing in the new tree, and the new one to nothing in the
  /// old: a single line tells of all that is in them. Others are listed path by path.
  private func movedDirectories(
    _ lost: [(path: [UInt8], node: NodeID)], _ gained: [(path: [UInt8], node: NodeID)]
  ) throws(FileError) -> Set<NodeID> {
    var from: [NodeID: [UInt8]] = [:]
    for (path, id) in lost where isDirectory(id, in: old) { from[id] = path }
    var moved: Set<NodeID> = []
    for (path, id) in gained {
      guard let oldPath = from[id] else { continue }
      if try find(path, in: old) == nil, try find(oldPath, in: new) == nil { moved.insert(id) }
    }
    return moved
  }

  /// The node at an absolute path without links on the way; nil if there is none.
  func find(_ path: [UInt8], in value: Namespace) throws(FileError) -> NodeID? {
    var place = NodeID.root
    for name in path.split(separator: UInt8(ascii: "/")) {
      guard isDirectory(place, in: value), let next = try value.find(Name(name), in: place) else {
        return nil
      }
      place = next
    }
    return place
  }

  private func isAlive(_ id: NodeID, in value: Namespace) -> Bool {
    if let node = value.nodes[id] { return node.links > 0 }
    return value.path(of: id) != nil
  }

  private func effective(_ key: EntryKey, in value: Namespace) throws(FileError) -> NodeID? {
    guard isDirectory(key.directory, in: value) else { return nil }
    do throws(FileError) {
      return try value.find(key.name, in: key.directory)
    } catch {
      // A directory that is to come back is nowhere as yet; nor is one that a layer has made, which
      // a commit had put on the host for a while.
      let isMade = new.nodes[key.directory].map { $0.origin == nil } ?? false
      guard error.errno == .staleNFSFileHandle, isReversal || isMade else { throw error }
      return nil
    }
  }

  func isDirectory(_ id: NodeID, in value: Namespace) -> Bool {
    (try? value.kind(id)) == .directory
  }

  private func path(of key: EntryKey, in value: Namespace) -> [UInt8]? {
    guard key.directory == .root || value.path(of: key.directory) != nil else { return nil }
    return value.path(of: key.name, in: key.directory)
  }

  /// Notes a node and, for a directory, all below it but for what merely moved.
  private func expand(
    _ id: NodeID, _ path: [UInt8], in value: Namespace, except moved: Set<NodeID>,
    _ found: inout [[UInt8]: NodeID]
  ) throws(FileError) {
    var waiting = [(id, path)]
    while let (node, path) = waiting.popLast() {
      if moved.contains(node), node != id { continue }
      found[path] = node
      guard isDirectory(node, in: value), !moved.contains(node) else { continue }
      for entry in try value.list(node, after: 2, limit: .max) {
        guard let child = try value.find(entry.name, in: node) else { continue }
        waiting.append((child, path + [UInt8(ascii: "/")] + entry.name.bytes))
      }
    }
  }

  mutating func collectNodes() throws(FileError) {
    var ids: [NodeID] = []
    new.nodes.difference(from: old.nodes) { id, _, _ in ids.append(id) }
    for id in ids where isAlive(id, in: old) && isAlive(id, in: new) { touched.insert(id) }
  }
}
