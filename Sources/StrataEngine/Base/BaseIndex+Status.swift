internal import Synchronization
internal import SystemPackage

/// Attributes as the host has them, compared once an epoch.
extension BaseIndex {
  /// What values of a version take the node to be.
  func status(
    of node: BaseNode, at version: BaseVersion
  ) throws(FileError) -> BaseStatus {
    try moves.undisturbed { () throws(FileError) in
      if let kept = node.kept(at: version) { return kept.status }
      return try status(of: node)
    }
  }

  /// The attributes as the host has them in this epoch.
  func status(of node: BaseNode) throws(FileError) -> BaseStatus {
    try revalidate(node)
    return node.lastStatus
  }

  /// What `stat` says to values of a version of a node that no layer has touched.
  func attributes(
    of node: BaseNode, at version: BaseVersion
  ) throws(FileError) -> Attributes {
    try moves.undisturbed { () throws(FileError) in try attributesNow(of: node, at: version) }
  }

  private func attributesNow(
    of node: BaseNode, at version: BaseVersion
  ) throws(FileError) -> Attributes {
    let kept = node.kept(at: version)
    let status: BaseStatus
    if let kept { status = kept.status } else { status = try self.status(of: node) }
    return Attributes(
      node: node.id, kind: status.kind, mode: status.mode,
      links: status.kind == .directory && kept == nil
        ? try directoryLinks(node, status) : status.links,
      uid: status.uid, gid: status.gid, size: status.size, blocks: status.blocks,
      device: status.device, accessed: status.accessed, modified: status.modified,
      changed: status.changed)
  }

  /// 2 and one for each subdirectory. Some hosts (btrfs, overlayfs) do not count, and no host
  /// counts across several bases; then the names are counted, once.
  private func directoryLinks(
    _ node: BaseNode, _ status: BaseStatus
  ) throws(FileError) -> UInt32 {
    let (count, known) = node.state.withLock { ($0.places.count, $0.subdirectories) }
    if count == 1, status.links >= 2 { return status.links }
    if let known { return known + 2 }
    guard let listed = try? listing(of: node) else { return max(status.links, 2) }
    let subdirectories = UInt32(listed.count { $0.kind == .directory })
    node.state.withLock { $0.subdirectories = subdirectories }
    return subdirectories + 2
  }

  /// Compares a node with the host now, as on opening a file.
  func refresh(_ id: NodeID, at version: BaseVersion) throws(FileError) {
    guard let node = node(id) else { return }
    try moves.undisturbed { () throws(FileError) in
      guard node.kept(at: version) == nil else { return }
      try compare(node, now: epoch.load(ordering: .relaxed))
    }
  }

  /// Compares with the host, once an epoch.
  func revalidate(_ node: BaseNode) throws(FileError) {
    let now = epoch.load(ordering: .relaxed)
    if node.state.withLock({ $0.epoch }) != now { try compare(node, now: now) }
  }

  private func compare(_ node: BaseNode, now: UInt64) throws(FileError) {
    let (places, before) = node.state.withLock { ($0.places, $0.status) }
    var current: [BaseNode.Place] = []
    var top: BaseStatus?
    for place in places {
      guard let status = try readers[place.base].status(of: place.path), !status.isWhiteout,
        status.kind == before.kind
      else { continue }
      if top == nil { top = status }
      current.append(.init(base: place.base, path: place.path, stamp: status.stamp))
    }
    if top?.identity != before.identity, before.kind != .directory, try find(node, before, now) {
      return
    }
    // Of a file the content may be another base's than the attributes.
    guard let top, top.identity == before.identity,
      top.kind == .directory || current.count == places.count
    else {
      throw stale(node, was: before.identity, isNow: top?.identity)
    }
    let isSame =
      current.count == places.count && zip(current, places).allSatisfy { $0.stamp == $1.stamp }
    node.state.withLock { state in
      state.epoch = now
      state.status = top
      state.places = current
      guard !isSame else { return }
      state.children = [:]
      state.listing = nil
      state.subdirectories = nil
    }
    if !isSame {
      changes.withLock { $0.append(BaseChange(node: node, before: before, after: top)) }
    }
  }

  /// Looks for a file under the further names that it was seen under, when one is gone.
  func find(
    _ node: BaseNode, _ before: BaseStatus, _ now: UInt64
  ) throws(FileError) -> Bool {
    for (parent, name) in node.state.withLock({ $0.otherNames }) {
      guard let place = self.node(parent)?.state.withLock({ $0.places[0] }) else { continue }
      let path = place.path.appending(name)
      guard let status = try readers[place.base].status(of: path),
        status.identity == before.identity
      else { continue }
      node.state.withLock { state in
        (state.parent, state.name) = (parent, name)
        state.otherNames.removeAll { $0 == (parent, name) }
        state.places = [.init(base: place.base, path: path, stamp: status.stamp)]
        (state.status, state.epoch) = (status, now)
      }
      return true
    }
    return false
  }

  private func stale(
    _ node: BaseNode, was: BaseIdentity, isNow now: BaseIdentity?
  ) -> FileError {
    let (place, parent) = (node.state.withLock { $0.places[0] }, self.node(node.parent))
    parent?.state.withLock { $0.children[node.name] = nil }
    let path = String(decoding: place.path.bytes, as: UTF8.self)
    let seen = "the host's \(path) was inode \(was.inode)"
    return FileError(
      .staleNFSFileHandle, now.map { "\(seen), is inode \($0.inode)" } ?? "\(seen), is gone")
  }
}
