internal import Synchronization

extension Fork.State {
  /// Hands blocks in memory to the store, if there is one. The layer is closed with that: what a kept
  /// value refers to is never written over, so that it goes on meaning what it meant.
  mutating func flush() throws(FileError) {
    guard let persistence = world.value.context.persistence else { return }
    guard !world.value.nodes.isIdentical(to: flushed) else { return world.value.seal() }
    do throws(FileError) {
      try world.value.flush(since: flushed, to: persistence)
    } catch {
      isBehind = true
      throw error
    }
    persistence.takesLargeWrites.store(true, ordering: .relaxed)
    flushed = world.value.nodes
    world.value.seal()
  }

  /// The same of the values of files that were opened before an undo.
  /// - Returns: those values.
  mutating func flushRetired(to persistence: Persistence) throws(FileError) -> [Namespace] {
    for generation in Array(retired.keys) {
      try retired[generation]?.value.flush(since: PersistentMap(), to: persistence)
      retired[generation]?.value.seal()
    }
    return retired.values.map(\.value)
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

  /// How many bytes of a write stay in memory until they are handed over.
  public func bytesInMemory(ofWriteAt offset: Int64, count: Int) -> Int {
    guard workspace.context.persistence?.takesLargeWrites.load(ordering: .relaxed) == true else {
      return count
    }
    return count - FileContent.wholeBlocks(at: offset, count: count).count * Block.size
  }

  /// Whether the disk has room for so many bytes that programs write, as far as anybody knows.
  public func hasRoom(for bytes: Int) -> Bool {
    guard let room = workspace.context.persistence?.store.room else { return true }
    return bytes <= room
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
