internal import Synchronization
internal import SystemPackage

/// The log: undo, redo, and going back.
extension Workspace {
  /// Runs a command on a fork; what it changes becomes one operation and one sealed layer, also if
  /// it throws half-way. An operation inside another is part of it; mounts are told of it at once, for
  /// the other may be a run that goes on.
  public func operation<R, E: Error>(
    _ command: String, on fork: Fork, _ body: () throws(E) -> R
  ) throws(E) -> R {
    guard let begun = begin(fork, command) else {
      let before = fork.value
      defer { fork.tellHolders(from: before) }
      return try body()
    }
    defer {
      end(begun, fork)
      fork.tellHolders(from: begun.before)
    }
    return try body()
  }

  /// The same for what puts another value in the fork's place. The programs of a run would go on
  /// writing to files of a tree that nobody sees any more.
  /// - Throws: EBUSY while another operation is under way in the fork, EROFS where nothing can be
  ///   changed, and what the body throws.
  public func replacement<R>(
    _ command: String, on fork: Fork, _ body: () throws(FileError) -> R
  ) throws(FileError) -> R {
    try checkWritable()
    guard let begun = begin(fork, command) else { throw Fork.State.busy }
    defer {
      end(begun, fork)
      fork.tellHolders(from: begun.before)
    }
    return try body()
  }

  private func begin(_ fork: Fork, _ command: String) -> UnfinishedOperation? {
    logOutside(fork)
    return fork.state.withLock { state in
      guard state.operation == nil else { return nil }
      state.wasHeld = !state.holders.isEmpty
      state.refusal = nil
      // The value before is kept, so its blocks must be the store's. If that cannot be had now, the
      // end of the operation says so.
      try? state.flush()
      state.world.value.seal()
      let begun = UnfinishedOperation(
        id: self.state.withLock { $0.beginOperation() }, command: command,
        before: state.world.value)
      state.operation = begun
      return begun
    }
  }

  private func end(_ begun: UnfinishedOperation, _ fork: Fork) {
    hooks.catchUp()
    let (time, before) = (now, begun.before)
    let isLogged = fork.state.withLock { state in
      let begun = state.operation ?? begun
      state.operation = nil
      let layer = state.world.value.newest
      do throws(FileError) {
        try state.flush()
        if let refusal = state.refusal, !state.wasHeld,
          !state.world.value.isUnchanged(since: before)
        {
          throw refusal
        }
      } catch {
        // What cannot be kept is not done: the operation fails whole. What programs have done cannot be
        // taken back from them; the next checkpoint tries again, and says so if it cannot.
        guard state.wasHeld else {
          state.restore(before)
          state.giveUp(begun)
          self.state.withLock { $0.failures[fork.id] = error }
          return false
        }
      }
      state.world.value.seal()
      let after = state.world.value
      // A merge that keeps all of ours is one, too: the next begins behind it.
      let isMerge = layer !== before.newest && layer?.sources.isEmpty == false
      guard isMerge || !after.isUnchanged(since: before) else {
        state.giveUp(begun)
        return false
      }
      state.log(
        Operation(
          id: begun.id, command: begun.command, time: time, fork: fork.name, before: before,
          after: after,
          layer: layer === before.newest ? nil : layer))
      return true
    }
    state.withLock { $0.endOperation(begun.id, isLogged: isLogged) }
  }

  /// Makes one operation of what programs have done in a mount of the fork since the log's end, so
  /// that it can be undone apart from what follows.
  public func logOutside(_ fork: Fork, as command: String? = nil) {
    func isChanged(_ state: Fork.State) -> Bool {
      guard let logged = state.logged, state.operation == nil else { return false }
      return !state.world.value.isUnchanged(since: logged)
    }
    guard fork.state.withLock({ isChanged($0) }) else { return }
    hooks.catchUp()
    let time = now
    fork.state.withLock { state in
      guard isChanged(state), let before = state.logged else { return }
      let layer = state.world.value.newest
      // If the blocks cannot be kept now, the next checkpoint says so.
      try? state.flush()
      state.world.value.seal()
      let after = state.world.value
      state.log(
        Operation(
          id: state.outside?.id ?? newNumber(), command: Fork.State.programs(command), time: time,
          fork: fork.name, before: before, after: after,
          layer: layer === before.newest ? nil : layer))
    }
  }

  /// A number for what is in the log from now on.
  func newNumber() -> UInt64 {
    state.withLock { state in
      let id = state.beginOperation()
      state.endOperation(id, isLogged: true)
      return id
    }
  }

  /// Why the fork's last operation could not be kept, and so was not done; nil if it was, and after
  /// it was asked once.
  public func takeFailure(of fork: Fork) -> FileError? {
    state.withLock { $0.failures.removeValue(forKey: fork.id) }
  }

  /// Puts the fork back to the value before its newest operation, in O(1).
  /// - Throws: ENOENT if there is none, EBUSY while a run is under way in the fork.
  @discardableResult
  public func undo(_ fork: Fork) throws(FileError) -> Operation {
    logOutside(fork)
    let operation = try move("nothing to undo", from: \.done, to: \.undone, in: fork)
    fork.replaceValue(with: operation.before)
    fork.tellHolders(from: operation.after)
    return operation
  }

  /// Does again what was undone last, unless something was changed since.
  /// - Throws: ENOENT if there is nothing to do again, EBUSY while a run is under way in the fork.
  @discardableResult
  public func redo(_ fork: Fork) throws(FileError) -> Operation {
    logOutside(fork)
    let reason =
      fork.state.withLock { $0.history.hasLost }
      ? "what was undone is gone: there was no room to save it" : "nothing to redo"
    let operation = try move(reason, from: \.undone, to: \.done, in: fork)
    fork.replaceValue(with: operation.after)
    fork.tellHolders(from: operation.before)
    return operation
  }

  /// Takes the newest operation from one list to the other.
  private func move(
    _ reason: String, from: WritableKeyPath<History, [History.Entry]>,
    to: WritableKeyPath<History, [History.Entry]>, in fork: Fork
  ) throws(FileError) -> Operation {
    try checkWritable()
    while true {
      let last = try fork.state.withLock { state throws(FileError) in
        try state.checkIdle()
        return state.history[keyPath: from].last
      }
      guard let entry = last else { throw FileError(.noSuchFileOrDirectory, saying: reason) }
      guard let operation = fork.operations([entry]).first else {
        throw FileError(.ioError, "operation \(entry.id) cannot be read; run check --repair")
      }
      let isMoved = fork.state.withLock { state in
        guard state.history[keyPath: from].last?.id == entry.id else { return false }
        state.history[keyPath: from].removeLast()
        state.history[keyPath: to].append(History.Entry(operation))
        state.history.unsaved.insert(operation.id)
        return true
      }
      if isMoved {
        state.withLock { $0.mayUseReserve = true }
        return operation
      }
    }
  }

  /// An operation of any fork's log, undone ones included; nil for one that nobody keeps.
  public func operation(_ id: UInt64) -> Operation? {
    for fork in forks {
      if let found = fork.operation(id) { return found }
    }
    return nil
  }

  /// Makes the fork show again what it showed after an operation of its log, as one operation.
  /// - Throws: ENOENT for an operation that the fork's log does not hold, EBUSY while a run is under
  ///   way in the fork.
  public func restore(_ fork: Fork, to id: UInt64, _ command: String) throws(FileError) {
    guard let found = fork.operation(id) else {
      throw FileError(
        .noSuchFileOrDirectory, saying: "operation \(id) is not in the log of \(fork.name)")
    }
    try replacement(command, on: fork) { () throws(FileError) in
      fork.replaceValue(with: found.after)
    }
  }

  /// Puts the fork back to what it was when it was made, as one operation that can be undone.
  /// - Throws: EBUSY while a run is under way in the fork.
  public func discard(_ fork: Fork) throws(FileError) {
    try replacement("discard", on: fork) { () throws(FileError) in
      fork.replaceValue(with: fork.origin)
    }
  }
}

extension Fork {
  /// Whether another value can be put in this one's place now.
  /// - Throws: EBUSY while something is being done that is to be one operation.
  public func checkIdle() throws(FileError) {
    try state.withLock { state throws(FileError) in try state.checkIdle() }
  }
}

extension Fork.State {
  fileprivate static let busy = FileError(.resourceBusy, saying: "a run in the fork has not ended")

  fileprivate func checkIdle() throws(FileError) {
    guard operation == nil else { throw Self.busy }
  }

  /// Appends to the log; what was undone can not be done again.
  fileprivate mutating func log(_ operation: Operation) {
    history.done.append(History.Entry(operation))
    history.unsaved.insert(operation.id)
    history.unsaved.formUnion(history.undone.map(\.id))
    history.abandoned += history.undone
    history.undone = []
    history.hasLost = false
    if outside?.id == operation.id { outside = nil }
    if logged != nil { logged = operation.after }
  }
}
