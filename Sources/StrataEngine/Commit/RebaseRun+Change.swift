/// The changes of the value that settling comes to.
extension RebaseRun {
  func names(in directory: NodeID) -> [EntryKey] {
    var keys: [EntryKey] = []
    new.entries.forEach(from: EntryKey(startOf: directory)) { key, _ in
      guard key.directory == directory else { return false }
      keys.append(key)
      return true
    }
    return keys
  }

  mutating func hide(_ key: EntryKey) {
    new.entries.insert(key, .whiteout(owner: new.writableTop().id))
    recounted.insert(key.directory)
  }

  /// The base has by itself what the fork has made of a node.
  mutating func giveToBase(_ id: NodeID) {
    isChanged = true
    forget(id)
  }

  /// Lets go of a record and of the names that go with it.
  mutating func forget(_ id: NodeID) {
    for key in names[id, default: []] where new.entries[key]?.node == id {
      new.entries.remove(key)
      recounted.insert(key.directory)
    }
    new.nodes.remove(id)
  }

  /// Takes a name back, with all that the fork has made under it. What is a base's goes home.
  mutating func drop(_ key: EntryKey) {
    let entry = new.entries[key]
    new.entries.remove(key)
    recounted.insert(key.directory)
    guard let id = entry?.node, var node = new.nodes[id] else { return }
    let others = names[id, default: []].filter { new.entries[$0]?.node == id }
    if let base = node.origin?.node {
      let home = EntryKey(base.parent, base.name)
      if let hidden = new.entries[home], hidden.node == nil { new.entries.remove(home) }
      if others.isEmpty { (node.parent, node.name) = (home.directory, home.name) }
      new.nodes.insert(id, node)
      recounted.insert(home.directory)
      return
    }
    if node.kind == .directory { for key in names(in: id) { drop(key) } }
    if others.isEmpty {
      new.nodes.remove(id)
    } else {
      node.links = UInt32(others.count)
      (node.parent, node.name) = (others[0].directory, others[0].name)
      new.nodes.insert(id, node)
    }
  }

  /// A record and its names become those of the node that has replaced it.
  mutating func succeed(_ id: NodeID, by twin: BaseNode) {
    successors[id] = twin.id
    for key in names[id, default: []] {
      guard let entry = new.entries[key], entry.node == id, let kind = entry.kind else { continue }
      new.entries.insert(key, Entry(twin.id, kind, owner: entry.owner))
      names[twin.id, default: []].append(key)
    }
    for key in names(in: id) {
      guard let entry = new.entries[key] else { continue }
      let moved = EntryKey(twin.id, key.name)
      new.entries.remove(key)
      new.entries.insert(moved, entry)
      if let node = entry.node { names[node, default: []].append(moved) }
    }
    guard let node = new.nodes[id] else { return }
    new.nodes.remove(id)
    new.nodes.insert(twin.id, node)
  }

  func below(_ base: BaseNode, _ status: BaseStatus) -> Below {
    Below(node: base, stamp: status.stamp, limit: status.size)
  }

  /// What the record was made from is what the host has now.
  mutating func renewOrigin(_ id: NodeID, _ base: BaseNode, _ status: BaseStatus) {
    isChanged = true
    let origin = below(base, status)
    _ = new.nodes.update(id) { $0.origin = origin }
  }

  /// The fork's changes, over what the host has now.
  /// - Parameter before: what the host had; attributes that the fork has left so are the host's.
  mutating func renew(
    _ id: NodeID, _ base: BaseNode, _ status: BaseStatus, _ before: BaseStatus
  ) {
    let isKnown = new.nodes[id]?.origin?.stamp == before.stamp
    renewOrigin(id, base, status)
    let gain = Int64(status.links) - Int64(before.links)
    _ = new.nodes.update(id) { node in
      if isKnown {
        if node.mode == before.mode { node.mode = status.mode }
        if node.uid == before.uid { node.uid = status.uid }
        if node.gid == before.gid { node.gid = status.gid }
        if node.kind != .directory {
          // The host has given it names, or taken some away, besides those that the fork has.
          node.links = UInt32(clamping: max(Int64(node.links) + gain, 1))
        }
      }
      guard case .file(var content) = node.body, let old = content.below else { return }
      let wasWhole = old.limit == old.stamp.size
      let limit = wasWhole ? status.size : min(old.limit, status.size)
      if wasWhole, node.size == old.stamp.size {
        // The file was not cut or grown; its blocks stay in it.
        var end: Int64 = 0
        content.extents.forEach { _, extent in end = Int64(extent.end) * Int64(Block.size) }
        node.size = max(status.size, min(end, node.size))
      }
      content.below = Below(node: base, stamp: status.stamp, limit: limit)
      node.body = .file(content)
    }
  }

  /// The host's content and attributes, under the names that the fork has given.
  mutating func takeTheirs(_ id: NodeID, _ base: BaseNode) throws(FileError) {
    guard let own = new.nodes[id] else { return }
    new.nodes.remove(id)
    guard
      names[id, default: []].contains(where: { new.entries[$0]?.node == id })
        || own.links != base.lastStatus.links
    else { return }
    var record = try new.record(id)
    (record.parent, record.name, record.links) = (own.parent, own.name, own.links)
    record.owner = own.owner
    new.nodes.insert(id, record)
  }

  /// The fork knows what the base has there, and does not want it.
  mutating func noteRemoved(_ base: BaseNode) throws(FileError) {
    isChanged = true
    var record = try new.record(base.id)
    record.links = 0
    record.owner = new.writableTop().id
    new.nodes.insert(base.id, record)
    new.forget(base.id)
  }

  /// What the host has no more goes on in the fork, as something that the fork has made.
  mutating func detach(_ id: NodeID, _ node: Node) throws(FileError) {
    let key = EntryKey(node.parent, node.name)
    if names[id, default: []].allSatisfy({ new.entries[$0]?.node != id }) {
      try keepDirectory(key.directory)
      let place = EntryKey(successors[key.directory] ?? key.directory, key.name)
      new.entries.insert(place, Entry(id, node.kind, owner: new.writableTop().id))
      names[id, default: []].append(place)
      recounted.insert(place.directory)
    }
    let layer = new.writableTop()
    _ = new.nodes.update(id) { node in
      node.origin = nil
      node.xattrs = node.xattrs ?? .empty
      node.links = node.kind == .directory ? node.links : UInt32(max(names[id]?.count ?? 1, 1))
      switch node.body {
      case .file(var content):
        content.owner = content.owner ?? layer
        node.body = .file(content)
      case .directory: node.body = .directory(below: nil)
      case .symlink(let link):
        node.body = .symlink(SymlinkBody(target: link.target, below: nil))
      case .special(let kind, let device, _):
        node.body = .special(kind, device: device, below: nil)
      }
    }
    if node.kind == .directory { recounted.insert(id) }
  }

  /// Makes sure that a directory that gets an entry is there.
  private mutating func keepDirectory(_ id: NodeID) throws(FileError) {
    guard id != .root, successors[id] == nil else { return }
    if let node = new.nodes[id] {
      guard node.links > 0, let base = node.origin?.node else { return }
      if case .here = try fate(of: base) { return }
      return try detach(id, node)
    }
    guard let base = bases.node(id) else { return }
    switch try fate(of: base) {
    case .here: return
    case .replaced(let twin): successors[id] = twin.id
    case .gone:
      let last = base.lastStatus
      // Where the fork has moved it to, it has a record of.
      let node =
        old.nodes[id]
        ?? Node(
          mode: last.mode, links: 2, uid: last.uid, gid: last.gid, size: last.size,
          accessed: last.accessed, modified: last.modified, changed: last.changed,
          owner: new.writableTop().id, parent: base.parent, name: base.name, xattrs: .empty,
          body: .directory(below: nil), side: .none)
      new.nodes.insert(id, node)
      try detach(id, node)
    }
  }

  /// Shows again what the fork has removed, and what it is in.
  mutating func unremove(_ id: NodeID, _ base: BaseNode) throws(FileError) {
    isChanged = true
    if let parent = bases.node(base.parent), new.nodes[parent.id]?.links == 0 {
      try unremove(parent.id, parent)
    }
    if base.lastStatus.kind == .directory, let listed = try? bases.listing(of: base) {
      for entry in listed {
        guard let found = try child(entry.name, of: base) else { continue }
        // Other things that the fork has taken out of the directory stay so.
        if new.nodes[found.id]?.links == 0 || !names[found.id, default: []].isEmpty {
          hide(EntryKey(id, entry.name))
        }
      }
    }
    new.nodes.remove(id)
    drop(EntryKey(base.parent, base.name))
  }
}
