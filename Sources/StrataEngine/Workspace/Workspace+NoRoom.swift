internal import Synchronization

/// Going on where the disk has no room for all that was done.
extension Workspace {
  /// Saves what could not be saved otherwise, with the room that is kept for that; if it is not enough,
  /// without what was undone and only could be done again.
  /// - Parameter error: why it could not be saved.
  func saveWithoutRoom(
    _ error: FileError, _ pending: inout StoreBatch, _ persistence: Persistence
  ) throws(FileError) {
    if persistence.store.releaseReserve() {
      do throws(FileError) {
        return try save(&pending, persistence)
      } catch {
        guard error.isLackOfRoom else { throw error }
      }
    }
    guard try giveUpUndone(&pending, persistence) else { throw error }
    try save(&pending, persistence)
  }

  /// Gives up undone operations that the store does not have, and the room that they have taken of it. Of
  /// one that was saved while it was under way that much can still be done again.
  /// - Returns: whether there were any.
  private func giveUpUndone(
    _ pending: inout StoreBatch, _ persistence: Persistence
  ) throws(FileError) -> Bool {
    // Files that are still open in what was undone need it. If that cannot be saved, nothing can go.
    for fork in forks {
      _ = try fork.state.withLock { state throws(FileError) in
        try state.flushRetired(to: persistence)
      }
    }
    var gone: [Operation] = []
    let waiting = Set(pending.operations.map(\.id))
    for fork in forks {
      for operation in fork.state.withLock({ $0.history.undoneInMemory(waiting) }) {
        let isKnown = try persistence.store.operation(operation.id) != nil
        fork.state.withLock { $0.history.giveUp(operation.id, isKnown: isKnown) }
        gone.append(operation)
      }
    }
    guard !gone.isEmpty else { return false }
    let ids = Set(gone.map(\.id))
    pending.operations.removeAll { ids.contains($0.id) }
    try collect(&pending, persistence)
    // From here on rows lead to all records that anything in memory refers to, and to no others.
    pending.dropFormerForks()
    var survey = try survey(persistence, &pending)
    survey.visit(pending)
    guard survey.problems.isEmpty else { return true }
    let layers = Set(gone.flatMap(\.layers))
    let files = try persistence.store.inventory().files.keys.filter {
      layers.contains($0.layer) && survey.files[$0] == nil
    }
    try persistence.store.forget(recordsBut: survey.records, files)
    return true
  }
}

extension History {
  /// Undone operations that the store may not have as they are.
  /// - Parameter waiting: those that wait to be written.
  fileprivate func undoneInMemory(_ waiting: Set<UInt64>) -> [Operation] {
    (undone + abandoned).compactMap { entry in
      unsaved.contains(entry.id) || waiting.contains(entry.id) ? entry.operation : nil
    }
  }

  /// - Parameter isKnown: whether the store has something of it.
  fileprivate mutating func giveUp(_ id: UInt64, isKnown: Bool) {
    guard isKnown else {
      if undone.contains(where: { $0.id == id }) { hasLost = true }
      remove([id])
      unsaved.remove(id)
      return
    }
    for list in [\History.undone, \History.abandoned] {
      for index in self[keyPath: list].indices where self[keyPath: list][index].id == id {
        self[keyPath: list][index] = Entry(stored: id)
      }
    }
    unsaved.insert(id)
  }
}

extension Operation {
  /// The layers that it has made.
  fileprivate var layers: [LayerID] {
    var layers: [LayerID] = []
    var next = layer
    while let layer = next, layer !== before.newest {
      layers.append(layer.id)
      next = layer.parent
    }
    return layers
  }
}

extension StoreBatch {
  /// Leaves of each fork the row that was put last, which is the one that counts.
  fileprivate mutating func dropFormerForks() {
    var seen: Set<ForkID> = []
    forks = forks.reversed().filter { seen.insert($0.id).inserted }.reversed()
  }
}

extension StoreSurvey {
  /// Walks what is to be written with the next commit.
  fileprivate mutating func visit(_ batch: StoreBatch) {
    for fork in batch.forks {
      visit(fork.value, "fork \(fork.name)")
      visit(fork.origin, "fork \(fork.name)")
    }
    for operation in batch.operations {
      visit(operation.before, "operation \(operation.id)")
      visit(operation.after, "operation \(operation.id)")
    }
    for tree in batch.trees { visit(tree, "a commit") }
    addAncestors(of: batch.layers)
  }
}
