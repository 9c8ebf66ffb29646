extension Workspace {
  /// What must be done to the old tree to get the new one, by path.
  ///
  /// The cost goes with what differs: shared pages of the maps are skipped whole. A directory that
  /// was removed, or made, is listed with all that was in it. What lives in side layers is left out.
  public func diff(_ old: Namespace, _ new: Namespace) throws(FileError) -> [Change] {
    var difference = Difference(old: old, new: new)
    try difference.collectEntries()
    try difference.collectNodes()
    return try difference.changes()
  }
}

/// The walk over two values.
struct Difference {
  let old: Namespace
  let new: Namespace
  /// Where something disappeared, and where something came up: node by path.
  private var removed: [[UInt8]: NodeID] = [:]
  private var added: [[UInt8]: NodeID] = [:]
  /// Nodes in both whose records differ.
  private var touched: Set<NodeID> = []

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
    for key in keys {
      let before = try effective(key, in: old)
      let after = try effective(key, in: new)
      guard before != after else { continue }
      if let before, let path = path(of: key, in: old) {
        try expand(before, path, in: old, &removed)
      }
      if let after, let path = path(of: key, in: new) {
        added[path] = after
        if isOnlyIn(new, after) { try expand(after, path, in: new, &added) }
      }
    }
  }

  /// A directory that the other side does not have anywhere brings all its content with it.
  private func isOnlyIn(_ value: Namespace, _ id: NodeID) -> Bool {
    let other = value.fork == new.fork && value.nodes.isIdentical(to: new.nodes) ? old : new
    return !isAlive(id, in: other)
  }

  private func isAlive(_ id: NodeID, in value: Namespace) -> Bool {
    if let node = value.nodes[id] { return node.links > 0 }
    return value.path(of: id) != nil
  }

  private func effective(_ key: EntryKey, in value: Namespace) throws(FileError) -> NodeID? {
    guard isDirectory(key.directory, in: value) else { return nil }
    return try value.find(key.name, in: key.directory)
  }

  private func isDirectory(_ id: NodeID, in value: Namespace) -> Bool {
    (try? value.kind(id)) == .directory
  }

  private func path(of key: EntryKey, in value: Namespace) -> [UInt8]? {
    guard key.directory == .root || value.path(of: key.directory) != nil else { return nil }
    return value.path(of: key.name, in: key.directory)
  }

  /// Notes a node and, for a directory, all below it.
  private func expand(
    _ id: NodeID, _ path: [UInt8], in value: Namespace, _ found: inout [[UInt8]: NodeID]
  ) throws(FileError) {
    var waiting = [(id, path)]
    while let (node, path) = waiting.popLast() {
      found[path] = node
      guard isDirectory(node, in: value) else { continue }
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

  // MARK: Telling

  func changes() throws(FileError) -> [Change] {
    var changes: [Change] = []
    var gone = removed
    var oldPaths: [NodeID: [[UInt8]]] = [:]
    for (path, id) in removed where added[path] != id { oldPaths[id, default: []].append(path) }
    for paths in oldPaths.keys { oldPaths[paths]?.sort { $0.lexicographicallyPrecedes($1) } }
    var renamed: Set<NodeID> = []
    for (path, id) in added.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      guard !isAside(id, in: new) else { continue }
      if let before = removed[path] {
        gone[path] = nil
        if before != id, let change = try replacement(path, before, id) { changes.append(change) }
      } else if var paths = oldPaths[id], !paths.isEmpty {
        let oldPath = paths.removeFirst()
        oldPaths[id] = paths
        gone[oldPath] = nil
        renamed.insert(id)
        changes.append(try renaming(oldPath, path, id))
      } else {
        let row = try new.attributes(id)
        changes.append(
          Change(
            kind: .added, path: path, node: id, fileKind: row.kind, newSize: row.size,
            isContentChanged: true, bytes: row.kind == .regular ? row.size : 0))
      }
    }
    for (path, id) in gone where !isAside(id, in: old) {
      let row = try old.attributes(id)
      changes.append(
        Change(
          kind: .removed, path: path, node: id, fileKind: row.kind, oldSize: row.size,
          isContentChanged: true, bytes: row.kind == .regular ? row.size : 0))
    }
    for id in touched.subtracting(renamed) where !isAside(id, in: new) {
      if let change = try modification(id) { changes.append(change) }
    }
    return changes.sorted { $0.path.lexicographicallyPrecedes($1.path) }
  }

  private func isAside(_ id: NodeID, in value: Namespace) -> Bool {
    value.nodes[id].map { $0.side != .none } ?? false
  }

  private func modification(_ id: NodeID) throws(FileError) -> Change? {
    let before = try old.record(id)
    let after = try new.record(id)
    let bytes = contentDifference(before, after)
    guard bytes != nil || isMetadataChanged(id, before, after) else { return nil }
    guard let path = new.path(of: id) else { return nil }
    return Change(
      kind: bytes == nil ? .metadata : .modified, path: path, node: id, fileKind: after.kind,
      oldSize: before.size, newSize: after.size, isContentChanged: bytes != nil, bytes: bytes ?? 0)
  }

  private func renaming(
    _ oldPath: [UInt8], _ path: [UInt8], _ id: NodeID
  ) throws(FileError) -> Change {
    let before = try old.record(id)
    let after = try new.record(id)
    let bytes = contentDifference(before, after)
    return Change(
      kind: .renamed, path: path, oldPath: oldPath, node: id, fileKind: after.kind,
      oldSize: before.size, newSize: after.size, isContentChanged: bytes != nil, bytes: bytes ?? 0)
  }

  /// Another node under the same path: a modification to whoever looks at paths only.
  private func replacement(
    _ path: [UInt8], _ before: NodeID, _ after: NodeID
  ) throws(FileError) -> Change? {
    let left = try old.attributes(before)
    let right = try new.attributes(after)
    let isSameKind = left.kind == right.kind
    if isSameKind, left.kind == .directory {
      guard left.mode != right.mode || left.uid != right.uid || left.gid != right.gid else {
        return nil
      }
    }
    let isContent = right.kind != .directory
    return Change(
      kind: !isSameKind ? .typeChanged : isContent ? .modified : .metadata, path: path, node: after,
      fileKind: right.kind, oldFileKind: left.kind, oldNode: before, oldSize: left.size,
      newSize: right.size, isContentChanged: isContent,
      bytes: right.kind == .regular ? right.size : 0)
  }

  /// What a person changed: the times of a directory, and what only moved, are no change.
  private func isMetadataChanged(_ id: NodeID, _ a: Node, _ b: Node) -> Bool {
    if a.mode != b.mode || a.uid != b.uid || a.gid != b.gid { return true }
    if a.kind != .directory, a.modified != b.modified { return true }
    guard a.xattrs !== b.xattrs else { return false }
    let left = try? old.extendedAttributes(id)
    let right = try? new.extendedAttributes(id)
    return left != right
  }

  /// Bytes in blocks that are not shared; nil if all content is.
  private func contentDifference(_ a: Node, _ b: Node) -> Int64? {
    guard case .file(let left) = a.body, case .file(let right) = b.body else { return nil }
    var blocks: Int64 = 0
    right.extents.difference(from: left.extents) { block, before, after in
      if let before, let after, before.page === after.page, before.end == after.end { return }
      let end = max(before?.end ?? 0, after?.end ?? 0)
      blocks += before?.page == nil && after?.page == nil ? Int64(end - block) : 1
    }
    let isBelowSame = left.below?.node.id == right.below?.node.id
    guard blocks > 0 || a.size != b.size || !isBelowSame else { return nil }
    guard isBelowSame else { return max(a.size, b.size) }
    return min(max(blocks * Int64(Block.size), abs(a.size - b.size)), max(a.size, b.size))
  }
}
