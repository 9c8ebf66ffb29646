public import StrataEngine

/// What is left of a commit whose process has died.
extension HostCommit {
  /// Finishes a commit that was broken off, or clears away what one that never began has left.
  /// - Returns: whether one was finished.
  @discardableResult
  public func recover(_ workspace: Workspace) throws(FileError) -> Bool {
    var isFinished = false
    for name in try names().sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      let place = try HostCommitDirectory(base: base, directory: directory(of: name))
      if let bytes = try contents(Self.journal, place) {
        let journal = try HostJournal(encoded: bytes)
        let record = try CommitRecord(encoded: journal.record)
        // After a crash right behind the end, only the journal is left to be put away.
        if workspace.nextCommit <= record.version { try resume(journal.steps, place) }
        try workspace.finish(record)
        // Where something of it is damaged, the fork keeps what it has.
        try? takeBack(behind: record, workspace)
        try end(place)
        isFinished = true
      } else if try contents(Self.done, place) == nil, try contents(Self.broken, place) == nil {
        HostTree().removeAll(directory(of: name).path)
      }
    }
    removeUnused()
    return isFinished
  }

  /// Whether one was broken off that ``recover(_:)`` would finish.
  public var isBrokenOff: Bool {
    get throws(FileError) {
      for name in try names() {
        let place = try HostCommitDirectory(base: base, directory: directory(of: name))
        if try contents(Self.journal, place) != nil { return true }
      }
      return false
    }
  }

  /// For commits of sessions that were in memory: finishes what a process was at when it died, and
  /// clears away all that it has kept.
  public func clear() throws(FileError) {
    for name in try names() {
      let place = try HostCommitDirectory(base: base, directory: directory(of: name))
      if let bytes = try contents(Self.journal, place) {
        try resume(try HostJournal(encoded: bytes).steps, place)
      }
    }
    let times = topTimes
    HostTree().removeAll(commits.path)
    restore(times)
  }

  /// Does what was not done before the crash.
  private func resume(_ steps: [HostStep], _ place: HostCommitDirectory) throws(FileError) {
    do throws(FileError) {
      for step in steps { try place.do(step) }
      try HostAftermath(of: steps, base: base.path).write(to: place)
      try sync(place)
    } catch {
      try give(place, up: error)
    }
  }
}
