internal import Synchronization

/// Whose side a conflict is settled for.
public enum Settlement: Sendable {
  /// What the fork has.
  case ours
  /// What the host has.
  case theirs
}

/// What has become of a rebase.
public struct RebaseResult: Equatable, Sendable {
  /// What nobody has settled, by path. If there is any, nothing was done.
  public var conflicts: [CommitConflict]
  /// Conflicts that were settled.
  public var settled: Int
  /// Whether the fork is based on anything else than before.
  public var isChanged: Bool
}

extension Workspace {
  /// Bases a fork on the bases as they are now, as one operation: what it has changed itself stays,
  /// all else is what the host has.
  ///
  /// A change that the host has as well, whenever it was made, is no conflict, it goes over into the base.
  /// - Parameters:
  ///   - isDry: only to say what would come of it.
  ///   - settle: asked about each conflict; nil leaves it open, and then nothing is done. Content of
  ///     which the fork holds only some blocks, over a file that is gone, cannot be settled for the
  ///     fork's side: the conflict stays.
  /// - Throws: EBUSY while a run is under way in the fork, and what the host says other than that
  ///   something is gone.
  @discardableResult
  public func rebase(
    _ fork: Fork, _ command: String, isDry: Bool = false, settle: (CommitConflict) -> Settlement?
  ) throws(FileError) -> RebaseResult {
    startEpoch()
    func run() throws(FileError) -> RebaseResult {
      let (value, origin) = fork.state.withLock { ($0.world.value, $0.origin) }
      let result = try rebased(value, settle)
      guard result.open.isEmpty else {
        return RebaseResult(conflicts: result.open, settled: 0, isChanged: false)
      }
      if isDry {
        return RebaseResult(conflicts: [], settled: result.settled, isChanged: result.isChanged)
      }
      // What the fork was made of moves on as well, or the host's changes would look like its own.
      let newOrigin = try rebased(origin) { settle($0) ?? .theirs }.value
      // Another process must not look for them where they were.
      for id in result.found { context.bases.node(id)?.state.withLock { $0.isStored = false } }
      state.withLock { $0.changedBaseNodes.formUnion(result.found) }
      if result.isChanged { fork.replaceValue(with: result.value) }
      fork.state.withLock { $0.origin = newOrigin }
      return RebaseResult(conflicts: [], settled: result.settled, isChanged: result.isChanged)
    }
    // Who only looks may do so during a run.
    let result =
      isDry ? try operation(command, on: fork, run) : try replacement(command, on: fork, run)
    try checkpoint()
    return result
  }

  /// A value brought over to the bases as they are now.
  func rebased(
    _ value: Namespace, _ settle: (CommitConflict) -> Settlement?
  ) throws(FileError) -> RebaseOutcome {
    // The closure does not outlive the call.
    try withoutActuallyEscaping(settle) { settle throws(FileError) in
      var run = RebaseRun(value, settle)
      return try run.run()
    }
  }
}

struct RebaseOutcome {
  var value: Namespace
  var open: [CommitConflict]
  var settled: Int
  var isChanged: Bool
  /// Paths of what both sides have changed to the same.
  var agreed: Set<[UInt8]>
  /// Whether both sides have made a directory of the same name: what they have put in it is together.
  var sharesDirectories: Bool
  /// Whether something that the fork has changed is in another place by now.
  var isMoved: Bool
  /// Nodes of the bases that were found in other places than before.
  var found: Set<NodeID>
}

extension FileError {
  /// Names the way out where a tree cannot be read because the bases are others by now.
  var sayingToRebase: FileError {
    guard errno == .staleNFSFileHandle else { return self }
    return FileError(errno, "\(reason ?? "the base has changed"); rebase first")
  }
}
