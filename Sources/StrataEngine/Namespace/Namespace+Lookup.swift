extension Namespace {
  /// The record that layers have of a node; nil for one that they have left as the bases have it.
  @inline(__always)
  func own(_ id: NodeID) throws(FileError) -> Node? {
    if let node = nodes[id] { return node }
    // Damage is rare, so that what is not there is looked for once more only after some was seen.
    guard let health = context.persistence?.health, health.count != 0 else { return nil }
    return try context.whole { nodes[id] }
  }

  /// What layers say of a name; nil if they say nothing.
  @inline(__always)
  func ownEntry(_ key: EntryKey) throws(FileError) -> Entry? {
    if let entry = entries[key] { return entry }
    guard let health = context.persistence?.health, health.count != 0 else { return nil }
    return try context.whole { entries[key] }
  }

  /// The record of a node: a layer's, or made of what the base says.
  /// - Throws: ESTALE for a node that is not, or no longer, in this value.
  func record(_ id: NodeID) throws(FileError) -> Node {
    if let node = try own(id) { return node }
    guard let base = context.bases.node(id) else { throw FileError(.staleNFSFileHandle) }
    return try baseRecord(base)
  }

  private func baseRecord(_ base: BaseNode) throws(FileError) -> Node {
    let attributes = try context.bases.attributes(of: base, at: version)
    let stamp = try context.bases.status(of: base, at: version).stamp
    let origin = Below(node: base, stamp: stamp, limit: attributes.size)
    let body: Node.Body
    switch attributes.kind {
    case .regular:
      body = .file(FileContent(below: origin, owner: nil))
    case .directory:
      body = .directory(below: base)
    case .symlink:
      body = .symlink(
        SymlinkBody(target: try context.bases.readLink(base, at: version), below: base))
    case let kind:
      body = .special(kind, device: attributes.device, below: base)
    }
    return Node(
      mode: attributes.mode, links: attributes.links, uid: attributes.uid, gid: attributes.gid,
      size: attributes.size, accessed: attributes.accessed, modified: attributes.modified,
      changed: attributes.changed, owner: .base, parent: base.parent, name: base.name, xattrs: nil,
      body: body, side: .none, origin: origin)
  }

  func attributes(_ id: NodeID) throws(FileError) -> Attributes {
    if let node = try own(id) { return node.attributes(id) }
    guard let base = context.bases.node(id) else { throw FileError(.staleNFSFileHandle) }
    return try context.bases.attributes(of: base, at: version)
  }

  /// What a directory shows from below; nil if it shows nothing.
  func directoryBelow(_ id: NodeID) throws(FileError) -> BaseNode? {
    if let node = try own(id) {
      guard case .directory(let below) = node.body else { throw .notDirectory }
      return below
    }
    guard let base = context.bases.node(id) else { throw FileError(.staleNFSFileHandle) }
    guard kind(of: base) == .directory else { throw .notDirectory }
    return base
  }

  /// The node under a name; nil if there is none.
  func find(_ name: Name, in directory: NodeID) throws(FileError) -> NodeID? {
    if let entry = try ownEntry(EntryKey(directory, name)) { return entry.node }
    guard let below = try directoryBelow(directory) else { return nil }
    return try context.bases.child(name, of: below, at: version)?.id
  }

  /// One step of a path: the node under a name, and what it is.
  /// - Throws: ENOENT, ENOTDIR, ENAMETOOLONG.
  func step(_ name: Name, in directory: NodeID) throws(FileError) -> (NodeID, FileKind) {
    if let entry = try ownEntry(EntryKey(directory, name)) {
      if let node = entry.node, let kind = entry.kind { return (node, kind) }
      throw .notFound
    }
    let node = try lookup(name, in: directory)
    return (node, try kind(node))
  }

  /// Whether the bases show something under the name in this directory, so that removing it takes
  /// a whiteout.
  func showsBelow(_ name: Name, in directory: NodeID) throws(FileError) -> BaseNode? {
    guard let below = try directoryBelow(directory) else { return nil }
    return try context.bases.child(name, of: below, at: version)
  }

  /// - Throws: ENOENT, ENOTDIR, ENAMETOOLONG.
  public func lookup(_ name: Name, in directory: NodeID) throws(FileError) -> NodeID {
    if name.isDot || name.isDotDot {
      guard try kind(directory) == .directory else { throw .notDirectory }
      return name.isDot ? directory : try parent(of: directory)
    }
    if let node = try find(name, in: directory) { return node }
    if name.count > Name.maximumLength { throw FileError(.fileNameTooLong) }
    throw .notFound
  }

  func kind(_ id: NodeID) throws(FileError) -> FileKind {
    if let node = try own(id) { return node.kind }
    guard let base = context.bases.node(id) else { throw FileError(.staleNFSFileHandle) }
    return kind(of: base)
  }

  /// A base's node as this value takes it to be.
  @inline(__always)
  private func kind(of base: BaseNode) -> FileKind {
    base.kept(at: version)?.status.kind ?? base.lastStatus.kind
  }

  /// The directory's `..`; the root is its own.
  func parent(of directory: NodeID) throws(FileError) -> NodeID {
    if let node = try own(directory) { return node.parent }
    guard let base = context.bases.node(directory) else { throw FileError(.staleNFSFileHandle) }
    return base.kept(at: version)?.parent ?? base.parent
  }

  func readLink(_ id: NodeID) throws(FileError) -> [UInt8] {
    if let node = try own(id) {
      guard case .symlink(let link) = node.body else { throw .invalid }
      return link.target
    }
    guard let base = context.bases.node(id) else { throw FileError(.staleNFSFileHandle) }
    guard kind(of: base) == .symlink else { throw .invalid }
    return try context.bases.readLink(base, at: version)
  }

  func extendedAttributes(_ id: NodeID) throws(FileError) -> [Name: [UInt8]] {
    let node = try own(id)
    if let own = node?.xattrs { return own.values }
    guard let base = node == nil ? context.bases.node(id) : node?.below else {
      if node == nil { throw FileError(.staleNFSFileHandle) }
      return [:]
    }
    return try context.bases.extendedAttributes(of: base, at: version)
  }
}
