internal import Synchronization

extension Workspace {
  /// What ``collectGarbage(olderThan:dryRun:)`` gives up and frees.
  public struct Collected: Sendable {
    /// Operations that can be undone, or gone back to, no more.
    public var operations: [Operation]
    public var garbage: StoreGarbage
  }

  /// Forgets operations from before a time, and removes what neither a fork nor a kept operation nor
  /// an open file leads to.
  /// - Parameter dryRun: only says what would go.
  /// - Throws: EINVAL for a workspace in memory, EIO if the store is damaged: then nothing is removed.
  public func collectGarbage(
    olderThan time: Timestamp, dryRun: Bool
  ) throws(FileError) -> Collected {
    guard let persistence = context.persistence else {
      throw FileError(
        .invalidArgument, saying: "the session is in memory: there is no store to clean")
    }
    state.withLock { $0.mayUseReserve = true }
    do throws(FileError) {
      try checkpoint()
    } catch  where error.isLackOfRoom {
      // Not even the reserve was enough to keep what was done last. What nothing kept leads to goes all
      // the same, and makes room for it.
      let collected = try collect(persistence, olderThan: nil, dryRun)
      guard !dryRun else { return collected }
      try checkpoint()
    }
    return try collect(persistence, olderThan: time, dryRun)
  }

  /// - Parameter time: before it, operations are forgotten; nil for a store that is behind what is in
  ///   memory, of which none are.
  private func collect(
    _ persistence: Persistence, olderThan time: Timestamp?, _ dryRun: Bool
  ) throws(FileError) -> Collected {
    try persistence.pending.withLock { pending throws(FileError) in
      guard let stored = try persistence.store.load() else {
        return Collected(operations: [], garbage: StoreGarbage())
      }
      guard stored.isWhole else {
        throw FileError(.ioError, "the store is damaged; run check --repair first")
      }
      var expired: [Operation] = []
      if let time { for fork in forks { expired += fork.expired(before: time) } }
      let gone = Set(expired.map(\.id))
      var survey = StoreSurvey(persistence.store)
      for fork in stored.forks {
        survey.visit(fork.value, "fork \(fork.name)")
        survey.visit(fork.origin, "fork \(fork.name)")
      }
      for operation in stored.operations where !gone.contains(operation.id) {
        survey.visit(operation.before, "operation \(operation.id)")
        survey.visit(operation.after, "operation \(operation.id)")
      }
      survey.addAncestors(of: stored.layers)
      try visitOpen(&survey, persistence, &pending)
      if let problem = survey.problems.first {
        throw FileError(
          .ioError, "\(problem.place): \(problem.what): \(problem.why); run check --repair first")
      }
      var inventory = try persistence.store.inventory()
      inventory.forget(after: persistence.settled.withLock { $0 })
      var garbage = Self.garbage(inventory, survey)
      garbage.operations = gone.sorted()
      let kept = try persistence.store.keptCommits()
      garbage.commits = unseenCommits(kept.keys, survey)
      for commit in garbage.commits { garbage.commitBytes += kept[commit] ?? 0 }
      if !dryRun, !garbage.isEmpty {
        try persistence.store.remove(garbage)
        pending.operations.removeAll { gone.contains($0.id) }
        for fork in forks { fork.forget(gone) }
        persistence.forget(garbage.layers)
      }
      return Collected(operations: expired.sorted { $0.id < $1.id }, garbage: garbage)
    }
  }

  /// Files that were opened before an undo are open in the value that was undone.
  func visitOpen(
    _ survey: inout StoreSurvey, _ persistence: Persistence, _ pending: inout StoreBatch
  ) throws(FileError) {
    for fork in forks {
      let values = try fork.state.withLock { state throws(FileError) in
        try state.flushRetired(to: persistence)
      }
      for value in values {
        survey.visit(try value.save(to: persistence, &pending), "open files of \(fork.name)")
        // Layers that end with the process need no rows.
        var layer = value.newest
        while let unsaved = layer, !unsaved.isSaved {
          survey.forget(unsaved.id)
          layer = unsaved.parent
        }
      }
    }
  }
}

extension StoreInventory {
  /// Leaves out what is newer than the last checkpoint: a program goes on meanwhile, and something in
  /// memory may lead to it.
  fileprivate mutating func forget(after counters: StoredCounters) {
    records = records.filter { $0.key <= counters.record }
    files = files.filter { $0.key.layer.rawValue <= counters.layer }
    layers = layers.filter { $0.rawValue <= counters.layer }
  }
}

extension Fork {
  fileprivate func expired(before time: Timestamp) -> [Operation] {
    let (done, undone) = state.withLock {
      ($0.history.done, $0.history.undone + $0.history.abandoned)
    }
    // The newest can always be undone, and what comes after one that is kept is kept too.
    return operations(done.dropLast()).prefix { $0.time < time }
      + operations(undone).filter { $0.time < time }
  }

  fileprivate func forget(_ operations: Set<UInt64>) {
    state.withLock { $0.history.remove(operations) }
  }
}
