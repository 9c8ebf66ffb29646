internal import Synchronization

/// Nodes that a commit has made other objects of the host, or moved.
extension BaseIndex {
  /// Makes a node that a commit has made the base's known under its number.
  func adopt(_ node: BaseNode) -> BaseNode {
    let (status, base) = node.state.withLock { ($0.status, $0.places[0].base) }
    own(BaseKey(base: base, identity: status.identity), node)
    byID.withLock { $0[node.id] = node }
    return node
  }

  /// An object of the host is a node's from now on, and no other's.
  private func own(_ key: BaseKey, _ node: BaseNode) {
    numbers.noteException()
    _ = recall(key, nil)
    let former = identities.withLock { known in
      defer { known[key] = node }
      return known[key]
    }
    guard let former, former !== node else { return }
    former.state.withLock { state in
      guard state.status.identity == key.identity else { return }
      (state.status.identity, state.isStored, state.epoch) = (.none, false, 0)
    }
  }

  /// A node is another object of the host now, or in another place.
  func move(
    _ node: BaseNode, to parent: NodeID, _ name: Name, _ status: BaseStatus,
    _ places: [BaseNode.Place]
  ) {
    let isMoved = node.state.withLock { state in
      let isMoved = state.places[0].path.bytes != places[0].path.bytes
      let former = (directory: state.parent, name: state.name)
      if former != (parent, name), status.kind != .directory,
        !state.otherNames.contains(where: { $0 == former })
      {
        // A further name, if it still is one.
        state.otherNames.append(former)
      }
      (state.parent, state.name) = (parent, name)
      (state.status, state.places, state.isStored) = (status, places, false)
      (state.children, state.listing, state.subdirectories) = ([:], nil, nil)
      state.epoch = 0
      return isMoved
    }
    own(BaseKey(base: places[0].base, identity: status.identity), node)
    if isMoved, status.kind == .directory { relocate(below: node) }
  }

  /// After a directory was moved: all that was looked at below it is in another place.
  private func relocate(below directory: BaseNode) {
    var moved: Set<NodeID> = [directory.id]
    var paths: [NodeID: BasePath] = [:]
    paths[directory.id] = directory.state.withLock { $0.places[0].path }
    var waiting = Array(byID.withLock { $0.values })
    var isGrowing = true
    while isGrowing {
      isGrowing = false
      waiting.removeAll { node in
        let (parent, name) = node.state.withLock { ($0.parent, $0.name) }
        guard node.id != directory.id, moved.contains(parent), let path = paths[parent] else {
          return false
        }
        let place = path.appending(name)
        node.state.withLock { state in
          state.places[0].path = place
          state.epoch = 0
          state.isStored = false
        }
        paths[node.id] = place
        isGrowing = moved.insert(node.id).inserted || isGrowing
        return true
      }
    }
  }
}
