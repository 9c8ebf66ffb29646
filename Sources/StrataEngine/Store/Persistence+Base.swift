/// How records refer to nodes of the bases.
extension Persistence {
  func write(_ below: Below, to writer: inout PageWriter, _ batch: inout StoreBatch) {
    write(below.node, to: &writer, &batch)
    let stamp = below.stamp
    writer.number(bases.portable(stamp.identity.device, ofBase: below.node.base))
    writer.number(stamp.identity.inode)
    writer.number(stamp.identity.generation)
    for value in [stamp.size, stamp.modified, stamp.changed, below.limit] { writer.signed(value) }
  }

  func below(_ row: BelowRecord) throws(FileError) -> Below {
    guard let node = try baseNode(row.node) else { throw .damaged }
    let identity = BaseIdentity(
      device: bases.device(row.device, ofBase: node.base), inode: row.inode,
      generation: row.generation)
    return Below(
      node: node,
      stamp: BaseStamp(
        identity: identity, size: row.size, modified: row.modified, changed: row.changed),
      limit: row.limit)
  }

  /// The node's number, 0 for none; the node itself goes to the batch, and so do the directories on
  /// the way to it.
  func write(_ node: BaseNode?, to writer: inout PageWriter, _ batch: inout StoreBatch) {
    writer.number(node?.id.rawValue ?? 0)
    save(node, &batch)
  }

  /// Puts the rows that the store does not have of a node and of the directories it is in.
  func save(_ node: BaseNode?, _ batch: inout StoreBatch) {
    var next = node
    while let node = next, node.markStored() {
      batch.baseNodes.append(stored(node))
      next = node.id == .root ? nil : bases.node(node.parent)
    }
  }

  func baseNode(_ id: NodeID) throws(FileError) -> BaseNode? {
    guard id.rawValue != 0 else { return nil }
    guard let node = bases.node(id) else {
      throw FileError(.ioError, "node \(id.rawValue) of the base is not in the store")
    }
    return node
  }
}

extension BaseNode {
  /// Whether this is the first call: the node has to be written then.
  fileprivate func markStored() -> Bool {
    state.withLock { state in
      defer { state.isStored = true }
      return !state.isStored
    }
  }
}

extension Persistence {
  /// The row of a node, with devices as ``BaseIndex/portable(_:ofBase:)`` writes them.
  private func stored(_ node: BaseNode) -> StoredBaseNode {
    let state = node.state.withLock { $0 }
    func portable(_ identity: BaseIdentity, _ base: Int) -> BaseIdentity {
      var identity = identity
      identity.device = bases.portable(identity.device, ofBase: base)
      return identity
    }
    var status = state.status
    status.identity = portable(status.identity, state.places[0].base)
    return StoredBaseNode(
      id: node.id, parent: state.parent, name: state.name, status: status,
      places: state.places.map { place in
        var stamp = place.stamp
        stamp.identity = portable(stamp.identity, place.base)
        return .init(
          base: place.base, path: place.path.parent == nil ? [] : place.path.bytes, stamp: stamp)
      },
      kept: state.kept.map { kept in
        var kept = kept
        let base = state.places[0].base
        kept.status.identity = portable(kept.status.identity, base)
        if let after = kept.after { kept.after?.identity = portable(after.identity, base) }
        return kept
      })
  }
}
