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
    guard let (record, aftermath) = try lastCommit() else { return nil }
    var plan = try workspace.planUndo(of: record)
    let changed = try aftermath.conflicts(base: base.path)
    let known = Set(changed.map(\.path))
    plan.conflicts = changed + plan.conflicts.filter { !known.contains($0.path) }
    plan.conflicts.sort { $0.path.lexicographicallyPrecedes($1.path) }
    return Undoing(number: record.version, plan: plan, record: record)
  }

  /// Takes a commit back; it must have no conflicts. It is a commit itself: other forks, and former
  /// values of all, go on seeing what they saw.
  /// - Returns: what was done, and whether the fork has its changes again: it has not if it went on
  ///   since.
  /// - Throws: EBUSY while a run is under way in the fork.
  public func undo(
    _ undoing: Undoing, _ workspace: Workspace
  ) throws(FileError) -> (result: Result, hasChanges: Bool) {
    guard let fork = workspace.forks.first(where: { $0.id == undoing.record.fork }) else {
      throw .notFound
    }
    let command = "\(Self.command)\(undoing.number)"
    return try workspace.replacement(command, on: fork) { () throws(FileError) in
      var hasChanges = false
      let result = try run(undoing.plan, fork, command) { () throws(FileError) in
        hasChanges = try workspace.takeBack(undoing.record, command)
      }
      return (result, hasChanges)
    }
  }

  /// After a crash, gives a fork back what it had committed, if a commit has taken another back and the
  /// fork has it not again.
  func takeBack(behind record: CommitRecord, _ workspace: Workspace) throws(FileError) {
    guard let number = Self.undone(by: record),
      let bytes = try contents(
        Self.done,
        HostCommitDirectory(base: base, directory: directory(of: Array("\(number)".utf8))))
    else { return }
    let undone = try CommitRecord(encoded: try HostJournal(encoded: bytes).record)
    try workspace.takeBack(undone, record.command)
  }

  /// The number of the commit that a commit has taken back.
  private static func undone(by record: CommitRecord) -> BaseVersion? {
    record.command.hasPrefix(command)
      ? BaseVersion(record.command.dropFirst(command.count)) : nil
  }

  /// The commit that is to be taken back, and how it and what came behind it have left the tree.
  private func lastCommit() throws(FileError) -> (CommitRecord, HostAftermath)? {
    let numbers = try names().compactMap { BaseVersion(String(decoding: $0, as: UTF8.self)) }
    var bound = BaseVersion.max
    var later: [HostAftermath] = []
    for number in numbers.sorted(by: >) {
      let place = try HostCommitDirectory(
        base: base, directory: directory(of: Array("\(number)".utf8)))
      guard let bytes = try contents(Self.done, place) else { continue }
      let record = try CommitRecord(encoded: try HostJournal(encoded: bytes).record)
      var aftermath = try HostAftermath(in: place, self)
      if number >= bound {
        later.append(aftermath)
      } else if let undone = Self.undone(by: record) {
        // It, and all that is between, was taken back.
        bound = undone
        later.append(aftermath)
      } else {
        for other in later.reversed() { aftermath.follow(other) }
        return (record, aftermath)
      }
    }
    return nil
  }
}
