internal import Synchronization

extension Workspace {
  /// What ``squash(_:)`` has folded, and the operations that can be undone no more.
  public struct Squashed: Sendable {
    public var layers: Int
    public var operations: [Operation]
  }

  /// Folds all layers that a fork has on top of what it was made from into one. What the fork shows
  /// stays the same; its log begins anew. Costs as much as was changed.
  public func squash(_ fork: Fork) throws(FileError) -> Squashed {
    let given = fork.allOperations
    let squashed = try fork.state.withLock { state throws(FileError) -> Squashed in
      guard state.operation == nil else {
        throw FileError(.resourceBusy, saying: "an operation is under way")
      }
      try state.flush()
      let floor = state.origin.newest
      let chain = state.world.value.layers(downTo: floor)
      var value = state.world.value
      try context.whole { () throws(FileError) in try value.fold(chain, onto: floor) }
      let former = (state.world.value, state.history, state.flushed, state.isBehind)
      let forgotten = state.history.all.map(\.id)
      state.history = History()
      state.history.forgotten = forgotten
      state.world.value = value
      let before = context.persistence?.store.room ?? 0
      do throws(FileError) {
        try state.flush()
        // What comes behind must have room as well.
        if let room = context.persistence?.store.room, room < min(before, 0) {
          throw FileError(.noSpace)
        }
      } catch {
        (state.world.value, state.history, state.flushed, state.isBehind) = former
        if chain.count > 1 { forget(value.newest?.id) }
        guard error.isLackOfRoom else { throw error }
        throw FileError(
          error.errno,
          saying: "no room on the disk: what the fork holds is written anew first")
      }
      if state.logged != nil { state.logged = state.world.value }
      return Squashed(layers: chain.count, operations: given)
    }
    try checkpoint()
    return squashed
  }

  /// Gives back the room that the blocks of a layer have taken which has come to nothing. What cannot
  /// be removed now, gc finds.
  private func forget(_ layer: LayerID?) {
    guard let store = context.persistence?.store, let layer else { return }
    var garbage = StoreGarbage()
    garbage.files = (try? store.inventory())?.files.keys.filter { $0.layer == layer } ?? []
    try? store.remove(garbage)
  }
}

extension Namespace {
  /// The layers from the newest down to, without, `floor`.
  func layers(downTo floor: Layer?) -> [Layer] {
    var chain: [Layer] = []
    var next = newest
    while let layer = next, layer !== floor {
      chain.append(layer)
      next = layer.parent
    }
    return chain
  }

  /// Makes one fresh layer the owner of all that the layers of a chain own.
  fileprivate mutating func fold(_ chain: [Layer], onto floor: Layer?) throws(FileError) {
    guard chain.count > 1 else { return }
    let layer = Layer(id: context.ids.nextLayer(), fork: fork, name: forkName, parent: floor)
    let folded = Set(chain.map(\.id))
    for old in chain { layer.count { $0 += old.stats } }
    // Forks that were made from the middle of the chain go on having it in common with this one.
    layer.add(LayerSource(layer: chain[0], value: nil))
    var changed: [(NodeID, Node)] = []
    nodes.forEach { id, node in
      if folded.contains(node.owner) || node.holdsBlocks(of: folded) { changed.append((id, node)) }
    }
    for (id, var node) in changed {
      if folded.contains(node.owner) { node.owner = layer.id }
      if case .file(var content) = node.body {
        try content.fold(folded, into: layer, size: node.size)
        node.body = .file(content)
      }
      nodes.insert(id, node)
    }
    var renamed: [(EntryKey, Entry)] = []
    entries.forEach { key, entry in
      if folded.contains(entry.owner) { renamed.append((key, entry.owned(by: layer.id))) }
    }
    for (key, entry) in renamed { entries.insert(key, entry) }
    sealed = layer
    top = nil
  }
}

extension Node {
  fileprivate func holdsBlocks(of layers: Set<LayerID>) -> Bool {
    guard case .file(let content) = body else { return false }
    if let owner = content.owner, layers.contains(owner.id) { return true }
    var holds = false
    content.extents.forEach(from: 0) { _, extent in
      holds = extent.holding.owner.map(layers.contains) ?? false
      return !holds
    }
    return holds
  }
}

extension FileContent {
  /// Reads what the layers hold and makes it pages of the new one.
  fileprivate mutating func fold(
    _ layers: Set<LayerID>, into layer: Layer, size: Int64
  ) throws(FileError) {
    var taken: [(Range<UInt64>, Holding)] = []
    extents.forEach { start, extent in
      if let owner = extent.holding.owner, layers.contains(owner) {
        taken.append((start..<extent.end, extent.holding))
      }
    }
    for (blocks, holding) in taken {
      if case .run(let run) = holding {
        putRuns(run, blocks, layer.id)
        continue
      }
      for block in blocks {
        let start = Int64(block) * Int64(Block.size)
        switch holding {
        case .page(let page): set(block, to: page.copy(owner: layer.id, count: 0))
        case .stored(let stored):
          let held = Int(min(max(size - start, 0), Int64(Block.size)))
          let page = Page(owner: layer.id, count: max(held, 1))
          try stored.read(into: page.buffer(held), at: start)
          set(block, to: page)
        case .zero, .run: break
        }
      }
    }
    if let owner, layers.contains(owner.id) { self.owner = layer }
  }
}
