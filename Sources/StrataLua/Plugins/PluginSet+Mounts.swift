internal import StrataEngine
internal import StrataSystem

/// Telling the mounts of a fork what plugins have changed in it.
extension PluginSet {
  /// What plugins have changed in a fork and its mounts have not been told of yet.
  struct Untold: Sendable {
    let fork: Fork
    let before: Namespace
    var after: Namespace
  }

  /// Changes the fork at work in a plugin's name. What programs do in it at the same time is told,
  /// too; then the kernel asks once more than it had to.
  func change<R>(_ body: (Client) throws(FileError) -> R) throws(FileError) -> R {
    let client = client
    guard client.fork.isMounted else { return try body(client) }
    let before = client.fork.value
    defer { noteChange(in: client.fork, since: before) }
    return try body(client)
  }

  private func noteChange(in fork: Fork, since before: Namespace) {
    let after = fork.value
    guard !after.isUnchanged(since: before) else { return }
    let mustStart = state.withLock { state in
      state.untold[fork.id, default: Untold(fork: fork, before: before, after: after)].after = after
      defer { state.tellsMounts = true }
      return !state.tellsMounts
    }
    guard mustStart else { return }
    // A thread of its own: the kernel takes what it is told when a program has let go of the
    // directory, and that may wait for a plugin, or for room for one more event.
    let started: Void? = try? WorkerThread.start { [self] in
      while tellMounts() {}
    }
    // What could not be told now is told with what comes next.
    if started == nil { state.withLock { $0.tellsMounts = false } }
  }

  private func tellMounts() -> Bool {
    let untold = state.withLock { state in
      defer { state.untold = [:] }
      if state.untold.isEmpty { state.tellsMounts = false }
      return state.untold
    }
    for change in untold.values { change.fork.tellHolders(from: change.before, to: change.after) }
    return !untold.isEmpty
  }
}
