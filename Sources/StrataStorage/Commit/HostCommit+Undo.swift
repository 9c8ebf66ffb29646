public import StrataEngine

/// Taking the last commit back.
extension HostCommit {
  /// The last commit that was not taken back, and what taking it back would do.
  public struct Undoing: Sendable {
    public let number: BaseVersion
    /// With what somebody else has changed since as its conflicts.
    public let plan: CommitPlan
    let record: CommitRecord
  }

  /// What stands in the log in front of the number of the commit that was taken back.
  private static let command = "commit --undo "

  /// - Returns: nil if there is no commit to take back.
  /// - Throws: EIO if what the commit has kept is damaged.
  public func planUndo(_ workspace: Workspace) throws(FileError) -> Undoing? {
    guard let (record, place) = try lastCommit() else { return nil }
    var plan = try workspace.planUndo(of: record)
    let aftermath = try HostAftermath(in: place, self)
    for change in plan.changes where change.kind != .added {
      guard let path = plan.seen.path(of: change.oldNode ?? change.node),
        let kind = try aftermath.conflict(at: path, base: base)
      else { continue }
      let isKnown = plan.conflicts.contains { $0.path == change.path || $0.path == path }
      if !isKnown { plan.conflicts.append(CommitConflict(kind: kind, path: path)) }
    }
    plan.conflicts.sort { $0.path.lexicographicallyPrecedes($1.path) }
    return Undoing(number: record.version, plan: plan, record: record)
  }

  /// Takes a commit back; it must have no conflicts. It is a commit itself: other forks, and former
  /// values of all, go on seeing what they saw.
  /// - Returns: what was done, and whether the fork has its changes again: it has not if it went on
  ///   since.
  public func undo(
    _ undoing: Undoing, _ workspace: Workspace
  ) throws(FileError) -> (result: Result, hasChanges: Bool) {
    guard let fork = workspace.forks.first(where: { $0.id == undoing.record.fork }) else {
      throw .notFound
    }
    let command = "\(Self.command)\(undoing.number)"
    return try workspace.operation(command, on: fork) { () throws(FileError) in
      let before = fork.value
      let result = try run(undoing.plan, fork, command) { record in
        // What the fork has above the bases is not what is committed here.
        var record = record
        (record.isWhole, record.settled) = (false, [])
        return record
      }
      return (result, try workspace.takeBack(undoing.record, before, command))
    }
  }

  private func lastCommit() throws(FileError) -> (CommitRecord, HostCommitDirectory)? {
    let numbers = try names().compactMap { BaseVersion(String(decoding: $0, as: UTF8.self)) }
    var bound = BaseVersion.max
    for number in numbers.sorted(by: >) where number < bound {
      let place = try HostCommitDirectory(base: base, directory: path(of: Array("\(number)".utf8)))
      guard let bytes = try contents(Self.done, place) else { continue }
      let record = try CommitRecord(encoded: try HostJournal(encoded: bytes).record)
      guard record.command.hasPrefix(Self.command),
        let undone = BaseVersion(record.command.dropFirst(Self.command.count))
      else { return (record, place) }
      // It, and all that is between, was taken back.
      bound = undone
    }
    return nil
  }
}
