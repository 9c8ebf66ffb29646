internal import Synchronization

extension Fork.State {
  /// Hands blocks in memory to the store, if there is one. The layer is closed with that: what a
  /// store holds is never written over, so that a value goes on meaning what it meant.
  mutating func flush() throws(FileError) {
    guard let persistence = world.value.context.persistence,
      !world.value.nodes.isIdentical(to: flushed)
    else { return }
    try world.value.flush(since: flushed, to: persistence)
    persistence.takesLargeWrites.store(true, ordering: .relaxed)
    flushed = world.value.nodes
    world.value.seal()
  }

  /// Whether the store has the value as it is.
  var isSaved: Bool {
    guard let saved else { return false }
    let value = world.value
    return value.isUnchanged(since: saved) && value.newest === saved.newest
      && value.sealedThrough == saved.sealedThrough
  }
}

extension Fork {
  /// Hands blocks in memory to the store, so that they take no memory any more; does nothing where
  /// there is no store.
  public func flush() throws(FileError) {
    try state.withLock { state throws(FileError) in try state.flush() }
  }

  /// Whether a write of so many bytes leaves next to nothing in memory to be handed over.
  public func isStoredAtOnce(_ bytes: Int) -> Bool {
    bytes >= FileContent.storedAtOnce
      && workspace.context.persistence?.takesLargeWrites.load(ordering: .relaxed) == true
  }

  /// A fork that the store holds.
  convenience init(
    _ row: StoredFork, _ value: Namespace, origin: Namespace, _ history: History,
    in workspace: Workspace
  ) {
    self.init(value, parent: row.parent, in: workspace)
    state.withLock { state in
      state.origin = origin
      state.history = history
      state.flushed = value.nodes
      state.saved = value
    }
  }
}
