/// What is told of the differences that were collected.
extension Difference {
  func changes() throws(FileError) -> [Change] {
    var changes: [Change] = []
    var gone = removed
    var oldPaths: [NodeID: [[UInt8]]] = [:]
    for (path, id) in removed where added[path] == nil { oldPaths[id, default: []].append(path) }
    for id in oldPaths.keys { oldPaths[id]?.sort { $1.lexicographicallyPrecedes($0) } }
    var renamed: Set<NodeID> = []
    /// New paths by old ones, of what was renamed.
    var directories: [ArraySlice<UInt8>: ArraySlice<UInt8>] = [:]
    var implied: Set<[UInt8]> = []
    for (path, id) in added.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      guard !isAside(id, in: new) else { continue }
      if let before = removed[path] {
        gone[path] = nil
        if before != id { changes.append(try replacement(path, before, id)) }
      } else if let oldPath = oldPaths[id]?.popLast() {
        gone[oldPath] = nil
        let (oldParent, newParent) = (Self.split(oldPath), Self.split(path))
        directories[oldPath[...]] = path[...]
        if directories[oldParent.directory] == newParent.directory, oldParent.name == newParent.name
        {
          // The line of the directory tells of it.
          implied.insert(path)
          continue
        }
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
    let told = Set(changes.map(\.path))
    for id in touched.subtracting(renamed) where !isAside(id, in: new) {
      if let change = try modification(id, besides: told, implied) { changes.append(change) }
    }
    return changes.sorted { $0.path.lexicographicallyPrecedes($1.path) }
  }

  private static func split(
    _ path: [UInt8]
  ) -> (directory: ArraySlice<UInt8>, name: ArraySlice<UInt8>) {
    let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
    return (path[..<slash], path[slash...])
  }

  private func isAside(_ id: NodeID, in value: Namespace) -> Bool {
    value.nodes[id].map { $0.side != .none } ?? false
  }

  /// A change of a node that is under the same path in both trees, if nothing is told of the path.
  private func modification(
    _ id: NodeID, besides told: Set<[UInt8]>, _ implied: Set<[UInt8]>
  ) throws(FileError) -> Change? {
    let before = try old.record(id)
    let after = try new.record(id)
    let bytes = contentDifference(before, after)
    guard bytes != nil || isMetadataChanged(id, before, after) else { return nil }
    func isPlace(_ path: [UInt8]?) throws(FileError) -> Bool {
      guard let path, !told.contains(path) else { return false }
      // Where it has replaced another node, that has been told already, or is no change.
      guard added[path] == nil || removed[path] == id || implied.contains(path) else {
        return false
      }
      return try find(path, in: new) == id
    }
    var place = new.path(of: id)
    if try !isPlace(place), after.links > 1, after.kind != .directory {
      place = nil
      for path in new.paths(of: id) {
        if place == nil, try isPlace(path) { place = path }
      }
    }
    guard let path = place, try isPlace(path) else { return nil }
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
  ) throws(FileError) -> Change {
    let left = try old.attributes(before)
    let right = try new.attributes(after)
    let isSameKind = left.kind == right.kind
    var looksSame = false
    if isSameKind, left.kind == .directory {
      looksSame = left.mode == right.mode && left.uid == right.uid && left.gid == right.gid
      if looksSame {
        looksSame = try old.extendedAttributes(before) == new.extendedAttributes(after)
      }
    }
    let isContent = right.kind != .directory
    return Change(
      kind: !isSameKind ? .typeChanged : isContent ? .modified : .metadata, path: path, node: after,
      fileKind: right.kind, oldFileKind: left.kind, oldNode: before, oldSize: left.size,
      newSize: right.size, isContentChanged: isContent,
      bytes: right.kind == .regular ? right.size : 0, isOnlyIdentity: looksSame)
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

  /// Compares up to the first difference.
  private func isEqual(
    _ a: FileContent, _ b: FileContent, in blocks: [Range<UInt64>], size: Int64
  ) -> Bool {
    let reader = BelowReader(old.context.bases)
    func bytes(_ content: FileContent, _ range: Range<Int64>) -> [UInt8]? {
      var buffer = [UInt8](repeating: 0, count: range.count)
      let result: Void? = buffer.withUnsafeMutableBytes {
        try? content.read(into: $0, at: range.lowerBound, reader)
      }
      return result == nil ? nil : buffer
    }
    for run in blocks {
      let end = min(Int64(clamping: run.upperBound) * Int64(Block.size), size)
      var position = Int64(clamping: run.lowerBound) * Int64(Block.size)
      while position < end {
        let piece = position..<min(position + (1 << 16), end)
        guard let left = bytes(a, piece), left == bytes(b, piece) else { return false }
        position = piece.upperBound
      }
    }
    return true
  }

  /// Whether one of two states of a base's file is kept since a commit.
  private func isKeptOf(_ a: FileContent, _ b: FileContent) -> Bool {
    guard let left = a.below, let right = b.below, left.stamp != right.stamp else { return false }
    return left.node.state.withLock { state in
      state.kept.contains { $0.status.stamp == left.stamp || $0.status.stamp == right.stamp }
    }
  }

  /// Bytes in blocks that are not shared; nil if all content is.
  private func contentDifference(_ a: Node, _ b: Node) -> Int64? {
    guard case .file(let left) = a.body, case .file(let right) = b.body else { return nil }
    var unshared: [Range<UInt64>] = []
    right.extents.difference(from: left.extents) { block, before, after in
      if let before, let after, before.holding.isSame(as: after.holding), before.end == after.end {
        return
      }
      // Where one of them is cut otherwise, it is told as often as it has extents there.
      let start = max(block, unshared.last?.upperBound ?? 0)
      let end = max(before?.end ?? 0, after?.end ?? 0, start)
      for part in right.parts(of: start..<end, with: [left])
      where !right.shares(part.lowerBound, with: left) {
        unshared.append(part)
      }
    }
    let blocks = unshared.reduce(0) { $0 + Int64($1.count) }
    let isBelowSame = left.below?.node.id == right.below?.node.id
    let all = 0..<UInt64(clamping: (a.size + Int64(Block.size) - 1) / Int64(Block.size))
    if blocks == 0, a.size == b.size, isBelowSame, isKeptOf(left, right) {
      // Before a commit, and behind it.
      return isEqual(left, right, in: [all], size: a.size) ? nil : a.size
    }
    guard blocks > 0 || a.size != b.size || !isBelowSame else { return nil }
    // Other blocks may have the same bytes: squash has folded them, or the same was written again.
    if a.size == b.size, isEqual(left, right, in: isBelowSame ? unshared : [all], size: a.size) {
      return nil
    }
    guard isBelowSame else { return max(a.size, b.size) }
    return min(max(blocks * Int64(Block.size), abs(a.size - b.size)), max(a.size, b.size))
  }
}
