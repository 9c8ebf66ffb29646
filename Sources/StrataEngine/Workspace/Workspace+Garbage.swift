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
      throw FileError(.invalidArgument, "the session is in memory: there is no store to clean")
    }
    try checkpoint()
    return try persistence.pending.withLock { _ throws(FileError) in
      guard let stored = try persistence.store.load() else {
        return Collected(operations: [], garbage: StoreGarbage())
      }
      var expired: [Operation] = []
      for fork in forks { expired += fork.expired(before: time) }
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
      try visitOpen(&survey, persistence)
      if let problem = survey.problems.first {
        throw FileError(
          .ioError, "\(problem.place): \(problem.what): \(problem.why); run check --repair first")
      }
      var garbage = Self.garbage(try persistence.store.inventory(), survey)
      garbage.operations = gone.sorted()
      if !dryRun, !garbage.isEmpty {
        try persistence.store.remove(garbage)
        for fork in forks { fork.forget(gone) }
        persistence.forget(garbage.layers)
      }
      return Collected(operations: expired.sorted { $0.id < $1.id }, garbage: garbage)
    }
  }

  /// Files that were opened before an undo are open in the value that was undone.
  func visitOpen(
    _ survey: inout StoreSurvey, _ persistence: Persistence
  ) throws(FileError) {
    for fork in forks {
      for value in fork.state.withLock({ $0.retired.values.map(\.value) }) {
        var batch = StoreBatch()
        var value = value
        try value.flush(since: PersistentMap(), to: persistence)
        survey.visit(try value.save(to: persistence, &batch), "open files of \(fork.name)")
      }
    }
  }
}

extension Fork {
  fileprivate func expired(before time: Timestamp) -> [Operation] {
    state.withLock { state in
      // The newest can always be undone, and what comes after one that is kept is kept too.
      let done = state.history.done.dropLast().prefix { $0.time < time }
      return Array(done)
        + (state.history.undone + state.history.abandoned).filter { $0.time < time }
    }
  }

  fileprivate func forget(_ operations: Set<UInt64>) {
    state.withLock { state in
      state.history.done.removeAll { operations.contains($0.id) }
      state.history.undone.removeAll { operations.contains($0.id) }
      state.history.abandoned.removeAll { operations.contains($0.id) }
    }
  }
}
