extension Namespace {
  /// Brings the record of a node to the top, without content, so that it can be changed.
  @discardableResult
  mutating func bringUp(_ id: NodeID) throws(FileError) -> Layer {
    if nodes[id] != nil { return writableTop() }
    let node = try record(id)
    let layer = writableTop()
    nodes.insert(id, node)
    return layer
  }

  /// Changes the record of a node in the top layer.
  mutating func change<R>(
    _ id: NodeID, _ body: (inout Node) throws(FileError) -> R
  ) throws(FileError) -> R {
    let layer = try bringUp(id)
    let result = try nodes.update(id) { node throws(FileError) in
      let result = try body(&node)
      node.owner = layer.id
      return result
    }
    guard let result else { throw FileError(.staleNFSFileHandle) }
    return result
  }

  /// Whether what a layer owns was sealed by a fork, or is the base's, and so is "from below".
  func isBelow(_ owner: LayerID) -> Bool { owner <= sealedThrough }

  /// Notes a change of a directory's entries.
  mutating func touchDirectory(
    _ id: NodeID, links: Int = 0, at now: Timestamp
  ) throws(FileError) {
    try change(id) { node in
      node.modified = now
      node.changed = now
      node.links = UInt32(Int(node.links) + links)
    }
  }

  /// Takes one link from a node; with the last of them, and unless somebody has it open, the
  /// record goes as well.
  mutating func dropLink(
    _ id: NodeID, isOpen: Bool, at now: Timestamp
  ) throws(FileError) {
    let isGone = try change(id) { node -> Bool in
      node.links = node.kind == .directory ? 0 : node.links - 1
      node.changed = now
      return node.links == 0
    }
    if isGone, !isOpen { forget(id) }
  }

  /// Forgets a node that has no name any more and was closed. Of one that a base shows a record
  /// without content stays: it says that the node is gone here, and what it was made from.
  mutating func forget(_ id: NodeID) {
    guard let node = nodes[id], node.links == 0 else { return }
    guard node.origin != nil else {
      nodes.remove(id)
      return
    }
    _ = nodes.update(id) { node in
      node.xattrs = .empty
      switch node.body {
      case .file: node.body = .file(FileContent(below: nil, owner: nil))
      case .directory: node.body = .directory(below: nil)
      case .symlink(let link):
        node.body = .symlink(SymlinkBody(target: link.target, below: nil))
      case .special(let kind, let device, _):
        node.body = .special(kind, device: device, below: nil)
      }
    }
  }

  /// Takes a name away, by a whiteout where the bases would show something in its place.
  mutating func hide(
    _ name: Name, in directory: NodeID, _ effects: inout [Effect]
  ) throws(FileError) {
    let layer = writableTop()
    guard let below = try showsBelow(name, in: directory) else {
      entries.remove(EntryKey(directory, name))
      return
    }
    entries.insert(EntryKey(directory, name), .whiteout(owner: layer.id))
    layer.count { $0.whiteouts += 1 }
    effects.append(
      Effect(kind: .whiteout, node: below.id, directory: directory, name: name, to: layer))
  }

  /// Puts a node under a name.
  mutating func show(_ id: NodeID, _ kind: FileKind, as name: Name, in directory: NodeID) {
    entries.insert(EntryKey(directory, name), Entry(id, kind, owner: writableTop().id))
  }

  /// A directory that may get new entries.
  func checkDirectory(_ id: NodeID) throws(FileError) -> Node {
    let node = try record(id)
    guard node.kind == .directory else { throw .notDirectory }
    guard node.links > 0 else { throw .notFound }
    return node
  }

  func checkNew(_ name: Name) throws(FileError) {
    if name.count > Name.maximumLength { throw FileError(.fileNameTooLong) }
    if name.isDot || name.isDotDot { throw .exists }
    if name.count == 0 { throw .notFound }
    guard name.isValid else { throw .invalid }
  }
}
