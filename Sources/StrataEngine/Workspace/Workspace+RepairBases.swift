internal import Synchronization

/// Rows of nodes of the bases that are lost or damaged.
extension Workspace {
  /// Looks the nodes that records refer to up on the host. What is not found there has no row from then
  /// on, and something in its place for as long as the process lives.
  /// - Returns: those that were not found.
  func mendBaseNodes(
    _ survey: StoreSurvey, _ inventory: StoreInventory, _ persistence: Persistence,
    _ pending: inout StoreBatch, _ lines: inout [String]
  ) throws(FileError) -> Set<NodeID> {
    let damaged = Set(inventory.damagedBaseNodes.keys)
    let lost = survey.baseNodes.subtracting(inventory.baseNodes)
      .subtracting(pending.baseNodes.map(\.id))
    guard !lost.isEmpty || !damaged.isEmpty else { return [] }
    let hints = try self.survey(persistence, &pending, hintsOf: lost).hints
    // What commits have kept of a node cannot be had of the host.
    let found = context.bases.version.withLock { $0 } == 0 ? context.bases.find(hints) : []
    for id in found.sorted() {
      context.bases.node(id)?.state.withLock { $0.isStored = false }
      state.withLock { _ = $0.changedBaseNodes.insert(id) }
      let path = context.bases.node(id).map { $0.state.withLock { $0.places[0].path.bytes } } ?? []
      lines.append(
        "node \(id.rawValue) of a base was found on the host: "
          + String(decoding: path, as: UTF8.self))
    }
    let missing = lost.subtracting(found)
    for id in missing.sorted() {
      context.bases.replaceLost(id)
      lines.append("node \(id.rawValue) of a base is lost")
    }
    var garbage = StoreGarbage()
    garbage.baseNodes = damaged.subtracting(found).sorted()
    for id in garbage.baseNodes where !missing.contains(id) {
      lines.append("dropped what was known of node \(id.rawValue) of a base, which is not needed")
    }
    if !garbage.isEmpty { try persistence.store.remove(garbage) }
    return missing
  }
}

extension Namespace {
  /// Whether a record is laid on one of some nodes of the bases.
  func isOver(_ bases: Set<NodeID>) -> Bool {
    guard !bases.isEmpty else { return false }
    var isOver = false
    nodes.forEach { _, node in if node.isOver(bases) { isOver = true } }
    return isOver
  }
}

extension Node {
  func isOver(_ bases: Set<NodeID>) -> Bool {
    [origin?.node, below].contains { $0.map { bases.contains($0.id) } ?? false }
  }

  /// The same without the nodes of the bases that are lost; a file's content is another matter.
  func without(_ bases: Set<NodeID>) -> Node {
    var node = self
    if let origin, bases.contains(origin.node.id) { node.origin = nil }
    guard let below, bases.contains(below.id) else { return node }
    switch body {
    case .file: break
    case .directory: node.body = .directory(below: nil)
    case .symlink(let link): node.body = .symlink(SymlinkBody(target: link.target, below: nil))
    case .special(let kind, let device, _):
      node.body = .special(kind, device: device, below: nil)
    }
    return node
  }
}
