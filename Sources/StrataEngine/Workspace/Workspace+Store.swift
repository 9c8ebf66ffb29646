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
      } catch  where error.isLackOfRoom && mayUseReserve {
        try saveWithoutRoom(error, &pending, persistence)
      }
    }
    guard tellsFailures else { return }
    let failure = state.withLock { state in
      defer { state.failures = [:] }
      return state.failures.values.first
    }
    if let failure { throw failure }
  }

  func save(
    _ pending: inout StoreBatch, _ persistence: Persistence
  ) throws(FileError) {
    let settled = context.ids.counters
    try collect(&pending, persistence)
    defer { if pending.isEmpty { persistence.settled.withLock { $0 = settled } } }
    if pending.isEmpty { return }
    pending.counters = context.ids.counters
    pending.counters.operation = state.withLock { $0.lastOperation }
    pending.counters.version = context.bases.version.withLock { $0 }
    try persistence.store.commit(pending)
    pending = StoreBatch()
  }

  /// Puts a value whose blocks the store has, so that it is there after the next checkpoint.
  /// - Returns: nil in memory.
  func keep(_ value: Namespace) throws(FileError) -> StoredTree? {
    guard let persistence = context.persistence else { return nil }
    return try persistence.pending.withLock { pending throws(FileError) in
      let tree = try save(value, &pending, persistence)
      pending.trees.append(tree)
      return tree
    }
  }

  func collect(
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
    let now = now
    let found = try fork.state.withLock { state throws(FileError) -> Unsaved? in
      try state.flush()
      if state.isSaved, state.history.unsaved.isEmpty, state.history.forgotten.isEmpty {
        return nil
      }
      let unfinished = state.takeUnfinished(in: fork.name, at: now, number: newNumber)
      let forgotten = state.history.forgotten
      batch.droppedOperations += forgotten
      batch.operations.removeAll { forgotten.contains($0.id) }
      state.history.forgotten = []
      var operations = state.history.takeUnsaved()
      // If nobody comes to its end, what was undone before it cannot be done again.
      if unfinished != nil { operations += state.history.undone.map { ($0, .abandoned) } }
      defer { state.isBehind = false }
      return Unsaved(
        value: state.world.value, origin: state.origin, operations: operations,
        unfinished: unfinished, flushed: state.isBehind ? state.flushed : nil)
    }
    guard var found else { return }
    if let id = found.unfinished?.id { state.withLock { $0.note(id) } }
    do throws(FileError) {
      try handOver(&found, of: fork, persistence)
      try save(found, of: fork, &batch, persistence)
    } catch {
      fork.state.withLock { state in
        state.history.unsaved.formUnion(found.operations.map(\.entry.id))
        if found.flushed != nil { state.isBehind = true }
      }
      throw error
    }
    fork.state.withLock { $0.saved = found.value }
  }

  /// Hands blocks to the store that the log alone still has in memory.
  private func handOver(
    _ found: inout Unsaved, of fork: Fork, _ persistence: Persistence
  ) throws(FileError) {
    guard let flushed = found.flushed else { return }
    for index in found.operations.indices {
      guard let operation = found.operations[index].entry.operation else { continue }
      let entry = History.Entry(try operation.flushed(since: flushed, to: persistence))
      found.operations[index].entry = entry
      // It may have to be saved again, as one that was undone for example.
      fork.state.withLock { $0.history.replace(entry) }
    }
  }

  private func save(
    _ found: Unsaved, of fork: Fork, _ batch: inout StoreBatch, _ persistence: Persistence
  ) throws(FileError) {
    for (entry, status) in found.operations {
      guard let operation = entry.operation else {
        // The store has it, in another state.
        if var row = try persistence.store.operation(entry.id) {
          row.state = status
          batch.operations.append(row)
        }
        continue
      }
      try save(operation, status, of: fork, &batch, persistence)
    }
    if let unfinished = found.unfinished {
      try save(unfinished, .done, of: fork, &batch, persistence)
    }
    batch.forks.append(
      StoredFork(
        id: fork.id, name: fork.name, parent: fork.parent,
        value: try save(found.value, &batch, persistence),
        origin: try save(found.origin, &batch, persistence)))
  }

  private func save(
    _ operation: Operation, _ status: StoredOperation.State, of fork: Fork,
    _ batch: inout StoreBatch, _ persistence: Persistence
  ) throws(FileError) {
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

  private struct Unsaved {
    var value: Namespace
    var origin: Namespace
    var operations: [(entry: History.Entry, StoredOperation.State)]
    /// What is under way, as far as it has come.
    var unfinished: Operation?
    /// Of which nodes the store has the blocks by now, if values of the log may have some that it
    /// could not take when they were logged.
    var flushed: PersistentMap<NodeID, Node>?
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
    while let layer = missing.last {
      do throws(FileError) {
        try save(layer, &batch, persistence)
      } catch {
        // Nobody would come to them again, and the store would never have them.
        for layer in missing { layer.markUnsaved() }
        throw error
      }
      missing.removeLast()
    }
  }

  private func save(
    _ layer: Layer, _ batch: inout StoreBatch, _ persistence: Persistence
  ) throws(FileError) {
    persistence.add(layer)
    var sources: [StoredLayer.Source] = []
    for source in layer.sources {
      try saveLayers(source.layer, again: false, &batch, persistence)
      sources.append(
        .init(layer: source.layer.id, value: try save(source.value, &batch, persistence)))
    }
    layer.settle(sources)
    batch.layers.append(
      StoredLayer(
        id: layer.id, fork: layer.fork, name: layer.name, parent: layer.parent?.id ?? .base,
        depth: layer.depth, stats: layer.stats, sources: sources))
  }

  private func save(
    _ value: LayerSource.Value?, _ batch: inout StoreBatch, _ persistence: Persistence
  ) throws(FileError) -> StoredTree? {
    switch value {
    case .value(let value): try save(value, &batch, persistence)
    case .stored(let tree): tree
    case nil: nil
    }
  }

  // MARK: Opening

  func restore(_ stored: StoredOpening, from persistence: Persistence) throws(FileError) {
    context.ids.continue(from: stored.counters)
    persistence.settled.withLock { $0 = stored.counters }
    context.bases.version.withLock { $0 = stored.counters.version }
    var histories: [ForkID: History] = [:]
    for row in stored.operations {
      let entry = History.Entry(stored: row.id)
      switch row.state {
      case .done: histories[row.fork, default: History()].done.append(entry)
      case .undone: histories[row.fork, default: History()].undone.append(entry)
      case .abandoned: histories[row.fork, default: History()].abandoned.append(entry)
      }
    }
    for row in stored.forks {
      func value(_ tree: StoredTree) throws(FileError) -> Namespace {
        try Namespace(tree, context: context, fork: row.id, name: row.name, from: persistence)
      }
      var history = histories[row.id] ?? History()
      // The next to be done again is the last.
      history.undone.reverse()
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

extension Operation {
  /// The same with its blocks in the store.
  /// - Parameter nodes: those of which the store has the blocks.
  fileprivate func flushed(
    since nodes: PersistentMap<NodeID, Node>, to persistence: Persistence
  ) throws(FileError) -> Operation {
    var (before, after) = (before, after)
    try before.flush(since: nodes, to: persistence)
    try after.flush(since: nodes, to: persistence)
    return Operation(
      id: id, command: command, time: time, fork: fork, before: before, after: after, layer: layer)
  }
}

extension History {
  /// Puts an operation in the place of what there is of it.
  fileprivate mutating func replace(_ entry: Entry) {
    for list in [\History.done, \History.undone, \History.abandoned] {
      if let index = self[keyPath: list].lastIndex(where: { $0.id == entry.id }) {
        self[keyPath: list][index] = entry
      }
    }
  }

  /// What the store does not have, oldest first.
  fileprivate mutating func takeUnsaved() -> [(entry: Entry, StoredOperation.State)] {
    guard !unsaved.isEmpty else { return [] }
    var found: [(entry: Entry, StoredOperation.State)] = []
    let lists: [([Entry], StoredOperation.State)] = [
      (abandoned, .abandoned), (done, .done), (undone, .undone),
    ]
    for (list, status) in lists {
      for entry in list where unsaved.contains(entry.id) { found.append((entry, status)) }
    }
    unsaved = []
    return found.sorted { $0.entry.id < $1.entry.id }
  }
}
