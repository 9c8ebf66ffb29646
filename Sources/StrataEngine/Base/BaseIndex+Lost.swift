internal import Synchronization

/// Nodes that records refer to and the store has no row of any more.
extension BaseIndex {
  /// Makes those known again that are found on the host.
  /// - Parameter lost: what records say of each.
  /// - Returns: those that were found.
  func find(_ lost: [NodeID: Set<BaseHint>]) -> Set<NodeID> {
    var found = Set(lost.keys.filter { id in byID.withLock { $0[id] } != nil })
    func take(_ id: NodeID, _ child: BaseNode) {
      install(child, as: id)
      found.insert(id)
    }
    // A directory that is found may lead to what was in it.
    var count = -1
    while count != found.count {
      count = found.count
      for (id, hints) in lost where !found.contains(id) {
        for hint in hints {
          guard let parent = node(hint.parent), let child = try? child(hint.name, of: parent),
            isNode(id, child, hints)
          else { continue }
          take(id, child)
          break
        }
      }
    }
    search(rootNode, lost.filter { !found.contains($0.key) }, take)
    return found
  }

  /// Looks everywhere for what a fork has given another name.
  private func search(
    _ top: BaseNode, _ lost: [NodeID: Set<BaseHint>], _ take: (NodeID, BaseNode) -> Void
  ) {
    var rest = lost
    var waiting = [top]
    while !rest.isEmpty, let directory = waiting.popLast() {
      for entry in (try? listing(of: directory)) ?? [] {
        guard let child = try? child(entry.name, of: directory) else { continue }
        if let id = rest.first(where: { isNode($0.key, child, $0.value) })?.key {
          take(id, child)
          rest[id] = nil
        }
        if entry.kind == .directory { waiting.append(child) }
      }
    }
  }

  /// Whether what the host has is what records mean.
  private func isNode(_ id: NodeID, _ child: BaseNode, _ hints: Set<BaseHint>) -> Bool {
    let (identity, base) = (child.lastStatus.identity, child.base)
    return hints.contains { hint in
      guard hint.kind == child.lastStatus.kind else { return false }
      guard var wanted = hint.identity else {
        // Of a directory the place is all that a record says, unless its number is the inode's.
        guard numbers.number(of: identity, inBase: base) == nil else { return child.id == id }
        return child.parent == hint.parent && child.name == hint.name
      }
      wanted.device = device(wanted.device, ofBase: base)
      return wanted == identity
    }
  }

  /// Gives a node the number that records have of it.
  private func install(_ child: BaseNode, as id: NodeID) {
    guard child.id != id else { return }
    let state = child.state.withLock { $0 }
    let node = BaseNode(id: id, state: state)
    let key = BaseKey(base: child.base, identity: state.status.identity)
    identities.withLock { known in
      known[key] = node
      byID.withLock { $0[id] = node }
    }
    self.node(state.parent)?.state.withLock { $0.children[state.name] = .some(node) }
  }

  /// Puts something in the place of a node that cannot be found, so that records which refer to it
  /// can be read.
  func replaceLost(_ id: NodeID) {
    let state = BaseNode.State(
      parent: .root, name: Name([]), status: BaseStatus(identity: .none, kind: .regular, mode: 0),
      places: rootNode.state.withLock { $0.places }, epoch: 0, isStored: true)
    byID.withLock { $0[id] = BaseNode(id: id, state: state) }
  }
}
