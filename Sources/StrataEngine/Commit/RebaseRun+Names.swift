/// Settling names that the fork has given or taken away.
extension RebaseRun {
  mutating func settleNames() throws(FileError) {
    var waiting: [EntryKey] = []
    new.entries.forEach { key, _ in waiting.append(key) }
    while let key = waiting.popLast() { try settleName(key, &waiting) }
  }

  private mutating func settleName(
    _ key: EntryKey, _ waiting: inout [EntryKey]
  ) throws(FileError) {
    guard let entry = new.entries[key], let directory = new.nodes[key.directory],
      directory.links > 0, case .directory(let below?) = directory.body
    else { return }
    guard let found = try child(key.name, of: below) else {
      // A whiteout with nothing below it says nothing.
      if entry.node == nil {
        new.entries.remove(key)
        isChanged = true
      }
      return
    }
    if found.id == entry.node { return try settleTwin(key, found) }
    // What the fork has a record of it has seen, and wanted something else in its place.
    guard new.nodes[found.id] == nil else { return }
    if let own = entry.node, let node = new.nodes[own], node.origin == nil,
      node.kind == .directory, found.lastStatus.kind == .directory
    {
      // Both have made the directory.
      (isChanged, sharesDirectories) = (true, true)
      succeed(own, by: found)
      new.entries.remove(key)
      renew(found.id, found, found.lastStatus, found.lastStatus)
      _ = new.nodes.update(found.id) { $0.body = .directory(below: found) }
      recounted.formUnion([key.directory, found.id])
      waiting += names(in: found.id)
      return
    }
    if try agree(at: key, found, former: nil) { return }
    switch decide(.exists, path(of: key)) {
    case .ours: try noteRemoved(found)
    case .theirs: drop(key)
    case nil: break
    }
  }

  /// A node that the fork has made, or renamed, and that is the base's by now: another fork that had
  /// it, too, was committed.
  private mutating func settleTwin(
    _ key: EntryKey, _ base: BaseNode
  ) throws(FileError) {
    let path = path(of: key)
    guard let node = new.nodes[base.id] else {
      agreed.insert(path)
      new.entries.remove(key)
      return
    }
    guard node.origin == nil else {
      if base.lastStatus.links <= 1 { new.entries.remove(key) }
      return
    }
    isChanged = true
    if node.kind == .directory {
      agreed.insert(path)
      new.entries.remove(key)
      renew(base.id, base, base.lastStatus, base.lastStatus)
      _ = new.nodes.update(base.id) { $0.body = .directory(below: base) }
      recounted.insert(base.id)
      return
    }
    if try isSame(base.id, node, as: base, former: base.lastStatus.modified) {
      agreed.insert(path)
      new.entries.remove(key)
      new.nodes.remove(base.id)
      return
    }
    switch decide(.exists, path) {
    case .ours:
      new.entries.remove(key)
      renewOrigin(base.id, base, base.lastStatus)
    case .theirs:
      new.entries.remove(key)
      new.nodes.remove(base.id)
    case nil: break
    }
  }
}
