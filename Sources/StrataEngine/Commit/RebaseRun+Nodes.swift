/// Settling what became of the nodes that the fork has changed.
extension RebaseRun {
  // MARK: Files, links and special files

  mutating func settleFile(
    _ id: NodeID, _ node: Node, _ base: BaseNode
  ) throws(FileError) {
    let before = base.lastStatus
    let fate = try fate(of: base)
    if node.links == 0 { return try settleRemoved(id, node, base, fate) }
    switch fate {
    case .here(let status):
      if try settleMove(id, node, base) { return }
      follow(id, node, base)
      guard status.stamp != node.origin?.stamp else { return }
      isChanged = true
      if try agree(id, node, base) { return }
      switch decide(.changed, path(id)) {
      case .ours: renew(id, base, status, before)
      case .theirs: try takeTheirs(id, base)
      case nil: break
      }
    case .replaced(let twin):
      if try agree(id, node, twin) { return }
      switch decide(isIndependent(node) ? .changed : .replaced, path(id)) {
      case .ours:
        succeed(id, by: twin)
        renew(twin.id, twin, twin.lastStatus, before)
      case .theirs:
        succeed(id, by: twin)
        try takeTheirs(twin.id, twin)
      case nil: break
      }
    case .gone: try settleGone(id, node, base)
    }
  }

  /// - Returns: whether the host has made the same change, so that it is the base's now.
  private mutating func agree(
    _ id: NodeID, _ node: Node, _ base: BaseNode
  ) throws(FileError) -> Bool {
    guard try isSame(id, node, as: base, former: node.origin?.stamp.modified) else { return false }
    agreed.insert(path(id))
    giveToBase(id)
    return true
  }

  /// The same for what the fork has put in the place of something else.
  mutating func agree(
    at key: EntryKey, _ base: BaseNode, former: Timestamp?
  ) throws(FileError) -> Bool {
    guard let own = new.entries[key]?.node, let node = new.nodes[own], node.origin == nil,
      try isSame(own, node, as: base, former: former)
    else { return false }
    agreed.insert(path(of: key))
    isChanged = true
    drop(key)
    return true
  }

  private mutating func settleGone(
    _ id: NodeID, _ node: Node, _ base: BaseNode
  ) throws(FileError) {
    let kind: CommitConflict.Kind = isIndependent(node) ? .gone : .lost
    let path = path(id)
    switch decide(kind, path) {
    case .ours where kind == .gone: try detach(id, node)
    case .ours:
      settled -= 1
      open.append(CommitConflict(kind: kind, path: path))
    case .theirs: forget(id)
    case nil: break
    }
  }

  /// Whether the content is there without the host's file.
  private func isIndependent(_ node: Node) -> Bool {
    guard case .file(let content) = node.body, let below = content.below else { return true }
    return below.node.state.withLock { state in
      state.kept.contains { $0.status.stamp == below.stamp && !$0.file.isEmpty }
    }
  }

  mutating func settleRemoved(
    _ id: NodeID, _ node: Node, _ base: BaseNode, _ fate: Fate
  ) throws(FileError) {
    switch fate {
    case .here(let status):
      if try settleMove(id, node, base) { return }
      let isSame =
        node.kind == .directory
        ? try !hasUnknown(base) : status.stamp == node.origin?.stamp
      if isSame {
        if status.stamp != node.origin?.stamp { renewOrigin(id, base, status) }
        return
      }
      let key = EntryKey(base.parent, base.name)
      if try agree(at: key, base, former: node.origin?.stamp.modified) {
        new.nodes.remove(id)
        return
      }
      switch decide(node.kind == .directory ? .notEmpty : .changed, path(id)) {
      case .ours:
        renewOrigin(id, base, status)
        if node.kind == .directory { try learn(base) }
      case .theirs: try unremove(id, base)
      case nil: break
      }
    case .replaced(let twin):
      let key = EntryKey(twin.parent, twin.name)
      if try agree(at: key, twin, former: node.origin?.stamp.modified) {
        new.nodes.remove(id)
        return
      }
      switch decide(.changed, path(id)) {
      case .ours:
        new.nodes.remove(id)
        try noteRemoved(twin)
      case .theirs: try unremove(id, base)
      case nil: break
      }
    case .gone:
      new.nodes.remove(id)
      isChanged = true
    }
  }

  /// What the fork has removed or renamed, and the host has renamed as well.
  /// - Returns: whether it is so.
  private mutating func settleMove(
    _ id: NodeID, _ node: Node, _ base: BaseNode
  ) throws(FileError) -> Bool {
    // A file that has got a further name is where it was; one that was renamed has its own only.
    let isElsewhere =
      hasName(id) && (node.kind == .directory || names[id]?.count == Int(node.links))
    let isMoved = node.links == 0 || isElsewhere
    guard isMoved, try isShown(base) else { return false }
    let key = EntryKey(base.parent, base.name)
    switch decide(.changed, path(id)) {
    case .ours: hide(key)
    case .theirs:
      for key in names[id, default: []] { new.entries.remove(key) }
      if node.links == 0 {
        new.nodes.remove(id)
      } else {
        _ = new.nodes.update(id) { ($0.parent, $0.name) = (base.parent, base.name) }
      }
      recounted.insert(base.parent)
    case nil: break
    }
    return true
  }

  /// What the fork has not renamed itself is where the host has moved it to.
  private mutating func follow(_ id: NodeID, _ node: Node, _ base: BaseNode) {
    let (parent, name) = base.state.withLock { ($0.parent, $0.name) }
    guard id != .root, !hasName(id), (node.parent, node.name) != (parent, name),
      (try? isShown(base)) == true
    else { return }
    (isChanged, isMoved) = (true, true)
    _ = new.nodes.update(id) { ($0.parent, $0.name) = (parent, name) }
  }

  private func hasName(_ id: NodeID) -> Bool { !names[id, default: []].isEmpty }

  // MARK: Directories

  mutating func settleDirectory(
    _ id: NodeID, _ node: Node, _ base: BaseNode
  ) throws(FileError) {
    let before = base.lastStatus
    let fate = try fate(of: base)
    if node.links == 0 { return try settleRemoved(id, node, base, fate) }
    switch fate {
    case .here(let status):
      if try settleMove(id, node, base) { return }
      follow(id, node, base)
      guard status.stamp != node.origin?.stamp else { return }
      isChanged = true
      recounted.insert(id)
      renew(id, base, status, before)
    case .replaced(let twin):
      isChanged = true
      succeed(id, by: twin)
      renew(twin.id, twin, twin.lastStatus, before)
      _ = new.nodes.update(twin.id) { $0.body = .directory(below: twin) }
      recounted.insert(twin.id)
    case .gone:
      isChanged = true
      let isOwn =
        node.mode != before.mode || node.uid != before.uid || node.gid != before.gid
        || names(in: id).contains { new.entries[$0]?.node != nil }
      guard isOwn else { return forget(id) }
      switch decide(.noDirectory, path(id)) {
      case .ours: try detach(id, node)
      case .theirs:
        for key in names(in: id) { drop(key) }
        forget(id)
      case nil: break
      }
    }
  }

  /// Whether the host has put something into a directory that the fork has removed.
  private func hasUnknown(_ directory: BaseNode) throws(FileError) -> Bool {
    for entry in try bases.listing(of: directory) {
      if let found = try child(entry.name, of: directory), old.nodes[found.id] == nil {
        return true
      }
    }
    return false
  }

  private mutating func learn(_ directory: BaseNode) throws(FileError) {
    for entry in try bases.listing(of: directory) {
      guard let found = try child(entry.name, of: directory), old.nodes[found.id] == nil else {
        continue
      }
      try noteRemoved(found)
    }
  }
}
