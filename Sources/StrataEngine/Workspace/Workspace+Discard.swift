/// Dropping some of a fork's changes.
extension Workspace {
  /// Puts the given paths, with all below them, back to what they were when the fork was made, as one
  /// operation.
  /// - Returns: the changes that were dropped.
  /// - Throws: EBUSY while a run is under way in the fork.
  @discardableResult
  public func discard(
    _ fork: Fork, _ paths: [[UInt8]], _ command: String
  ) throws(FileError) -> [Change] {
    try replacement(command, on: fork) { () throws(FileError) in
      do throws(FileError) {
        return try drop(paths, of: fork)
      } catch {
        throw error.sayingToRebase
      }
    }
  }

  /// The same, as part of the operation that is under way. Programs in the fork wait for the end of it.
  @discardableResult
  func drop(_ paths: [[UInt8]], of fork: Fork) throws(FileError) -> [Change] {
    try fork.state.withLock { state throws(FileError) in
      var value = state.world.value
      var changes = try diff(state.origin, value)
      changes = changes.filter(try ChangeFilter(paths, changes, in: value).contains)
      guard !changes.isEmpty else { return [] }
      try value.revert(changes, to: state.origin)
      state.replace(with: value)
      return changes
    }
  }
}

extension [UInt8] {
  /// Whether a path is one of some, or lies below one.
  package func isBelow(_ tops: [[UInt8]]) -> Bool {
    let slash = UInt8(ascii: "/")
    return tops.contains { top in
      top == [slash] || self == top || starts(with: top + [slash])
    }
  }
}

extension Namespace {
  /// Takes changes back: new things go, from the leaves up; what was moved goes home; what was removed
  /// comes back, from the root down; then content and attributes are what they were.
  fileprivate mutating func revert(
    _ changes: [Change], to origin: Namespace
  ) throws(FileError) {
    var effects: [Effect] = []
    let upward = changes.sorted { $1.path.lexicographicallyPrecedes($0.path) }
    let downward = changes.sorted {
      ($0.oldPath ?? $0.path).lexicographicallyPrecedes($1.oldPath ?? $1.path)
    }
    for change in upward where change.kind == .added || change.oldNode != nil {
      try removeMade(change.path, &effects)
    }
    // Two that have changed places are not in each other's way while they have no place at all.
    var waiting: [(NodeID, [UInt8])] = []
    for change in upward where change.kind == .renamed {
      try detach(change.path)
      if let oldPath = change.oldPath { waiting.append((change.node, oldPath)) }
    }
    for change in downward where change.kind == .removed || change.oldNode != nil {
      try bringBack(change.oldPath ?? change.path, change.oldNode ?? change.node, origin)
    }
    for (node, path) in waiting.sorted(by: { $0.1.lexicographicallyPrecedes($1.1) }) {
      try bringBack(path, node, origin)
    }
    for change in changes where change.kind != .added && change.kind != .removed {
      try restoreContent(change.oldNode ?? change.node, origin)
    }
  }

  private func split(_ path: [UInt8]) throws(FileError) -> (directory: NodeID, name: Name) {
    let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
    return (try node(at: Array(path[..<slash])), Name(path[(slash + 1)...]))
  }

  private mutating func removeMade(
    _ path: [UInt8], _ effects: inout [Effect]
  ) throws(FileError) {
    let (directory, name) = try split(path)
    guard let node = try find(name, in: directory) else { return }
    if try kind(node) == .directory {
      // What is not discarded in it was moved there from elsewhere, and keeps it.
      guard try isEmpty(node) else { return }
      try removeDirectory(name, in: directory, isOpen: { _ in false }, &effects)
    } else {
      try unlink(name, in: directory, isOpen: { _ in false }, &effects)
    }
  }

  /// Takes a name away from a node that gets another one.
  private mutating func detach(_ path: [UInt8]) throws(FileError) {
    let (directory, name) = try split(path)
    guard let node = try find(name, in: directory) else { return }
    var effects: [Effect] = []
    try bringUp(directory)
    try hide(name, in: directory, &effects)
    let isDirectory = try kind(node) == .directory
    try touchDirectory(directory, links: isDirectory ? -1 : 0, at: context.clock())
  }

  /// Gives a node the name again that it had in the origin.
  private mutating func bringBack(
    _ path: [UInt8], _ node: NodeID, _ origin: Namespace
  ) throws(FileError) {
    let (directory, name) = try split(path)
    if try find(name, in: directory) == node { return }
    let kind = try origin.kind(node)
    let isGone = nodes[node].map { $0.links == 0 } ?? true
    if isGone, let record = origin.nodes[node] {
      nodes.insert(node, record)
    } else if isGone {
      nodes.remove(node)
    }
    let key = EntryKey(directory, name)
    if let entry = origin.entries[key], entry.node == node {
      entries.insert(key, entry)
    } else if try showsBelow(name, in: directory)?.id == node {
      entries.remove(key)
    } else {
      show(node, kind, as: name, in: directory)
    }
    let now = context.clock()
    if nodes[node] != nil {
      try change(node) { record in
        (record.parent, record.name) = (directory, name)
        if !isGone, kind != .directory, record.links == 0 { record.links = 1 }
      }
    }
    try touchDirectory(directory, links: kind == .directory ? 1 : 0, at: now)
  }

  /// Content and attributes as the origin has them; names and their number stay.
  private mutating func restoreContent(
    _ node: NodeID, _ origin: Namespace
  ) throws(FileError) {
    guard let now = nodes[node] else { return }
    var former = try origin.record(node)
    if origin.nodes[node] == nil, former.links == now.links, former.parent == now.parent,
      former.name == now.name, now.kind != .directory
    {
      nodes.remove(node)
      return
    }
    (former.links, former.parent, former.name) = (now.links, now.parent, now.name)
    former.owner = writableTop().id
    if now.kind == .directory { (former.modified, former.body) = (now.modified, now.body) }
    nodes.insert(node, former)
  }
}
