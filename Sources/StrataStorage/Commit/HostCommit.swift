public import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// Applies a fork's changes to the host directory that it is based on.
///
/// All new objects are made beside the tree first and brought to the disk, then a journal says what
/// goes where, then names are moved and exchanged; what was there before stays in the commit's
/// directory. Broken off before the journal is complete, a commit has done nothing; after that, it is
/// finished by whoever finds the journal (``recover(base:commits:in:)``).
public struct HostCommit {
  /// What a commit has done that a person is to be told of.
  public struct Result: Sendable {
    public var changes: Int
    /// Attributes that the host would not take.
    public var refused: [(path: [UInt8], error: FileError)]
  }

  static let journal = Array("journal".utf8)
  static let done = Array("done".utf8)
  /// A journal that neither way led out of: somebody else has changed the tree meanwhile.
  private static let broken = Array("broken".utf8)

  let base: HeldPath
  /// The directory that commits have theirs in, by number.
  private let commits: HeldPath
  private let keepsOwners: Bool

  /// - Parameters:
  ///   - base: the host directory, absolute.
  ///   - commits: a directory on the same file system for what commits stage and keep.
  ///   - keepsOwners: whether files get the owners that the fork shows; else they are the caller's.
  public init(base: HeldPath, commits: HeldPath, keepsOwners: Bool = true) {
    (self.base, self.commits, self.keepsOwners) = (base, commits, keepsOwners)
  }

  /// Does what a plan says, whose conflicts were settled.
  public func run(
    _ plan: CommitPlan, _ fork: Fork, _ command: String
  ) throws(FileError) -> Result {
    let workspace = fork.workspace
    let name = Array("\(workspace.nextCommit)".utf8)
    try makeDirectory(name)
    workspace.setKeptReader(try HostDirectory(path: commits.path))
    let place = try HostCommitDirectory(base: base, directory: directory(of: name))
    let steps: [HostStep]
    let record: CommitRecord
    let refused: [(path: [UInt8], error: FileError)]
    do throws(FileError) {
      try checkFileSystem(place)
      let moves = try HostMoves(plan, base: base.path)
      var staging = HostStaging(moves, in: place, keepsOwners: keepsOwners)
      try staging.stage()
      refused = staging.refused
      steps = try staging.steps()
      record = try workspace.record(plan, fork, command, moves.moves, in: name)
      try write(HostJournal(steps: steps, record: record.encoded), place)
    } catch {
      HostTree().removeAll(directory(of: name).path)
      removeUnused()
      throw error
    }
    try workspace.finish(record, since: plan.value) { () throws(FileError) in
      try perform(steps, place)
    }
    try end(place)
    return Result(changes: plan.shown.count, refused: refused)
  }

  /// Does all steps, in a tree that nobody has touched since they were planned; or, if one of them
  /// cannot be done, takes back those that were.
  private func perform(
    _ steps: [HostStep], _ place: HostCommitDirectory
  ) throws(FileError) {
    var done: [HostStep] = []
    do throws(FileError) {
      for step in steps {
        guard try place.do(step) else {
          throw place.failure(.staleNFSFileHandle, step)
        }
        done.append(step)
      }
      try HostAftermath(of: steps, base: base.path).write(to: place)
      try sync(place)
    } catch {
      try rollBack(done, place, because: error)
      throw error
    }
  }

  /// - Throws: if the tree cannot be had as it was either. Then all that was taken away stays where
  ///   it is.
  private func rollBack(
    _ steps: [HostStep], _ place: HostCommitDirectory, because reason: FileError
  ) throws(FileError) {
    do throws(FileError) {
      for step in steps.reversed() { try place.undo(step) }
      try sync(place)
    } catch {
      try give(place, up: FileError(error.errno, "\(text(reason)); \(text(error))"))
    }
    HostTree().removeAll(place.path)
    removeUnused()
  }

  /// Leaves things as they are, and says where what was there is.
  private func give(_ place: HostCommitDirectory, up reason: FileError) throws(FileError) {
    do throws(Errno) {
      try place.directory.rename(Self.journal, to: Self.broken, keepingExisting: false)
      try place.directory.sync()
    } catch {
      throw FileError(error)
    }
    throw FileError(
      reason.errno,
      "\(text(reason)); the commit is done by half, what was there before is in "
        + String(decoding: place.shown, as: UTF8.self))
  }

  private func text(_ error: FileError) -> String { error.reason ?? error.errno.description }

  /// Puts the journal away of a commit that the workspace has seen.
  private func end(_ place: HostCommitDirectory) throws(FileError) {
    do throws(Errno) {
      try place.directory.rename(Self.journal, to: Self.done, keepingExisting: false)
      try place.directory.sync()
    } catch {
      throw FileError(error)
    }
  }

  private func sync(_ place: HostCommitDirectory) throws(FileError) {
    do throws(Errno) { try place.directory.syncFileSystem() } catch { throw FileError(error) }
  }

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

  // MARK: The commit's directory

  func directory(of commit: [UInt8]) -> HeldPath { commits.appending(commit) }

  private func makeDirectory(_ name: [UInt8]) throws(FileError) {
    let host = HostTree()
    if isInBase, try host.status(commits.path) == nil {
      let times = topTimes
      try host.makeDirectory(commits.path, mode: 0o700)
      let ignored = try host.create(
        commits.appending(Self.ignored).path, mode: 0o600, durable: false)
      try ignored.write(Array("*\n".utf8), at: 0)
      try ignored.finish()
      restore(times)
    }
    try host.makeDirectory(commits.path, mode: 0o700, existing: .replace)
    HostTree().removeAll(directory(of: name).path)
    try host.makeDirectory(directory(of: name).path, mode: 0o700)
  }

  /// Git leaves out what is in a base and not the base's.
  private static let ignored = Array(".gitignore".utf8)

  private var isInBase: Bool {
    commits.path.starts(with: base.path + [UInt8(ascii: "/")] + HiddenNames.commits)
  }

  /// The top's times, which names that are not shown have nothing to do with.
  private var topTimes: HostAttributes? {
    guard isInBase, let row = try? HostTree().status(base.path, follow: true) else { return nil }
    return HostAttributes(accessed: row.accessed, modified: row.modified)
  }

  private func restore(_ times: HostAttributes?) {
    if let times { _ = try? HostTree().setAttributes(base.path, times, follow: true) }
  }

  /// Leaves nothing in the base while nothing is kept.
  private func removeUnused() {
    guard isInBase, (try? HostTree().status(commits.path))??.kind == .directory,
      let names = try? names(), names.isEmpty
    else { return }
    let times = topTimes
    HostTree().removeAll(commits.path)
    restore(times)
  }

  func names() throws(FileError) -> [[UInt8]] {
    do throws(FileError) {
      return try HostTree().list(commits.path).filter { $0.kind == .directory }.map(\.name.bytes)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return [] }
      throw error
    }
  }

  /// Names are moved between the two, which only works within a file system.
  private func checkFileSystem(_ place: HostCommitDirectory) throws(FileError) {
    do throws(Errno) {
      guard try place.base.status().device == place.directory.status().device else {
        throw Errno.improperLink
      }
    } catch {
      throw FileError(
        error,
        error == .improperLink
          ? "the workspace is on another file system than its base, and a commit moves names" : nil)
    }
  }

  private func write(
    _ journal: HostJournal, _ place: HostCommitDirectory
  ) throws(FileError) {
    do throws(Errno) {
      // All that is staged is on the disk before the journal says so.
      try place.directory.syncFileSystem()
      let temporary = Array("journal.new".utf8)
      let file = try place.directory.createFile(temporary, mode: 0o600)
      try journal.encoded.withUnsafeBytes { bytes -> Swift.Result<Void, Errno> in
        do throws(Errno) {
          return .success(try file.write(bytes, at: 0))
        } catch {
          return .failure(error)
        }
      }.get()
      try file.sync()
      try place.directory.rename(temporary, to: Self.journal, keepingExisting: false)
      try place.directory.sync()
    } catch {
      throw FileError(error, "journal")
    }
  }

  func contents(
    _ name: [UInt8], _ place: HostCommitDirectory
  ) throws(FileError) -> [UInt8]? {
    let file: any BaseFile
    do throws(FileError) {
      file = try HostTree().open(place.staged(name))
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
    var bytes = [UInt8](repeating: 0, count: Int(try file.stamp().size))
    let count = try bytes.withUnsafeMutableBytes { buffer -> Swift.Result<Int, FileError> in
      do throws(FileError) {
        return .success(try file.read(into: buffer, at: 0))
      } catch {
        return .failure(error)
      }
    }.get()
    return Array(bytes[..<count])
  }
}
