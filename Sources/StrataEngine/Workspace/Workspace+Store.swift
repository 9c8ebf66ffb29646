internal import Synchronization

/// A workspace that outlives the process.
extension Workspace {
  /// Makes everything that was done so far durable, in one transaction. In memory there is nothing
  /// to do.
  ///
  /// What cannot be written stays pending and goes with the next checkpoint.
  /// - Parameter tellsFailures: why an operation could not be kept, which then was undone, is thrown;
  ///   not for who asks ``takeFailure(of:)`` after each.
  /// - Throws: what the disk says, and that.
  public func checkpoint(tellsFailures: Bool = true) throws(FileError) {
    guard let persistence = context.persistence else { return }
    let mayUseReserve = state.withLock { state in
      defer { state.mayUseReserve = false }
      return state.mayUseReserve
    }
    try persistence.pending.withLock { pending throws(FileError) in
      do throws(FileError) {
        try save(&pending, persistence)
      } catch  where error.errno == .noSpace && mayUseReserve {
        guard persistence.store.releaseReserve() else { throw error }
        try save(&pending, persistence)
      }
    }
    guard tellsFailures else { return }
    let failure = state.withLock { state in
      defer { state.failures = [:] }
      return state.failures.values.first
    }
    if let failure { throw failure }
  }

  private func save(
    _ pending: inout StoreBatch, _ persistence: Persistence
  ) throws(FileError) {
    try collect(&pending, persistence)
    if pending.isEmpty { return }
    pending.counters = context.ids.counters
    pending.counters.operation = state.withLock { $0.lastOperation }
    pending.counters.version = context.bases.version.withLock { $0 }
    try persistence.store.commit(pending)
    pending = StoreBatch()
  }

  private func collect(
    _ batch: inout StoreBatch, _ persistence: Persistence
  ) throws(FileError) {
    let (sideLayers, isSaved) = state.withLock { state in
      batch.droppedForks += state.dropped
      state.dropped = []
      defer { state.savedSideLayers = state.sideLayers.count }
      return (state.sideLayers, state.savedSideLayers == state.sideLayers.count)
    }
    if !isSaved { batch.sideLayers = sideLayers }
    for id in state.withLock({ state in
      defer { state.changedBaseNodes = [] }
      return state.changedBaseNodes
    }) {
      persistence.save(context.bases.node(id), &batch)
    }
    for fork in forks { try collect(fork, &batch, persistence) }
    batch.events += journal.take()
  }

  private func collect(
    _ fork: Fork, _ batch: inout StoreBatch, _ persistence: Persistence
  ) throws(FileError) {
    let found = try fork.state.withLock { state throws(FileError) -> Unsaved? in
      try state.flush()
      if state.isSaved, state.history.unsaved.isEmpty, state.history.forgotten.isEmpty {
        return nil
      }
      batch.droppedOperations += state.history.forgotten
      state.history.forgotten = []
      return Unsaved(
        value: state.world.value, origin: state.origin, operations: state.history.takeUnsaved())
    }
    guard let found else { return }
    do throws(FileError) {
      try save(found, of: fork, &batch, persistence)
    } catch {
      fork.state.withLock { $0.history.unsaved.formUnion(found.operations.map(\.0.id)) }
      throw error
    }
    fork.state.withLock { $0.saved = found.value }
  }

  private func save(
    _ found: Unsaved, of fork: Fork, _ batch: inout StoreBatch, _ persistence: Persistence
  ) throws(FileError) {
    for (operation, status) in found.operations {
      if let layer = operation.layer {
        try saveLayers(layer, again: true, &batch, persistence)
      }
      batch.operations.append(
        StoredOperation(
          id: operation.id, fork: fork.id, command: operation.command, time: operation.time,
          before: try save(operation.before, &batch, persistence),
          after: try save(operation.after, &batch, persistence),
          layer: operation.layer?.id ?? .base, state: status))
    }
    batch.forks.append(
      StoredFork(
        id: fork.id, name: fork.name, parent: fork.parent,
        value: try save(found.value, &batch, persistence),
        origin: try save(found.origin, &batch, persistence)))
  }

  private struct Unsaved {
    var value: Namespace
    var origin: Namespace
    var operations: [(Operation, StoredOperation.State)]
  }

  private func save(
    _ value: Namespace, _ batch: inout StoreBatch, _ persistence: Persistence
  ) throws(FileError) -> StoredTree {
    if let layer = value.newest { try saveLayers(layer, again: false, &batch, persistence) }
    return try value.save(to: persistence, &batch)
  }

  /// Puts a layer and those below it that the store does not have, lowest first.
  private func saveLayers(
    _ layer: Layer, again: Bool, _ batch: inout StoreBatch, _ persistence: Persistence
  ) throws(FileError) {
    var missing: [Layer] = []
    var next: Layer? = layer
    while let layer = next, !layer.markSaved() || (again && missing.isEmpty) {
      missing.append(layer)
      next = layer.parent
    }
    for layer in missing.reversed() {
      persistence.add(layer)
      batch.layers.append(
        StoredLayer(
          id: layer.id, fork: layer.fork, name: layer.name, parent: layer.parent?.id ?? .base,
          stats: layer.stats))
    }
  }

  // MARK: Opening

  func restore(_ stored: StoredWorkspace, from persistence: Persistence) throws(FileError) {
    context.ids.continue(from: stored.counters)
    context.bases.version.withLock { $0 = stored.counters.version }
    for row in stored.layers {
      let layer = Layer(
        id: row.id, fork: row.fork, name: row.name, parent: try persistence.layer(row.parent))
      layer.count { $0 = row.stats }
      _ = layer.markSaved()
      persistence.add(layer)
    }
    var operations: [ForkID: [StoredOperation]] = [:]
    for row in stored.operations { operations[row.fork, default: []].append(row) }
    for row in stored.forks {
      func value(_ tree: StoredTree) throws(FileError) -> Namespace {
        try Namespace(tree, context: context, fork: row.id, name: row.name, from: persistence)
      }
      var history = History()
      for operation in operations[row.id] ?? [] {
        let entry = Operation(
          id: operation.id, command: operation.command, time: operation.time, fork: row.name,
          before: try value(operation.before), after: try value(operation.after),
          layer: try persistence.layer(operation.layer))
        switch operation.state {
        case .done: history.done.append(entry)
        case .undone: history.undone.insert(entry, at: 0)
        case .abandoned: history.abandoned.append(entry)
        }
      }
      let fork = Fork(
        row, try value(row.value), origin: try value(row.origin), history, in: self)
      state.withLock { $0.add(fork) }
    }
    state.withLock { state in
      state.lastOperation = stored.counters.operation
      state.sideLayers = stored.sideLayers
      state.savedSideLayers = stored.sideLayers.count
    }
    guard state.withLock({ $0.forks[.main] }) != nil else {
      throw FileError(.ioError, "the store has no fork main")
    }
  }
}

extension History {
  /// What the store does not have, oldest first.
  fileprivate mutating func takeUnsaved() -> [(Operation, StoredOperation.State)] {
    guard !unsaved.isEmpty else { return [] }
    var found: [(Operation, StoredOperation.State)] = []
    let lists: [([Operation], StoredOperation.State)] = [
      (abandoned, .abandoned), (done, .done), (undone, .undone),
    ]
    for (list, status) in lists {
      for operation in list.reversed() where unsaved.contains(operation.id) {
        found.append((operation, status))
      }
    }
    unsaved = []
    return found.sorted { $0.0.id < $1.0.id }
  }
}
