public import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// Applies a fork's changes to the host directory that it is based on.
///
/// All new objects are made beside the tree first and brought to the disk, then a journal says what
/// goes where, then names are moved and exchanged; what was there before stays in the commit's
/// directory. Broken off before the journal is complete, a commit has done nothing; after that, it is
/// finished by whoever finds the journal (``recover(_:)``).
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
  static let broken = Array("broken".utf8)

  let base: HeldPath
  /// The directory that commits have theirs in, by number.
  let commits: HeldPath
  private let keepsOwners: Bool

  /// - Parameters:
  ///   - base: the host directory, absolute.
  ///   - commits: a directory on the same file system for what commits stage and keep.
  ///   - keepsOwners: whether files get the owners that the fork shows; else they are the caller's.
  public init(base: HeldPath, commits: HeldPath, keepsOwners: Bool = true) {
    (self.base, self.commits, self.keepsOwners) = (base, commits, keepsOwners)
  }

  /// Does what a plan says, whose conflicts were settled.
  /// - Parameter settle: what the workspace does besides when the tree is as planned, before the journal
  ///   is put away. If it fails, the commit is done all the same.
  public func run(
    _ plan: CommitPlan, _ fork: Fork, _ command: String,
    settle: () throws(FileError) -> Void = {}
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
    let isDone = try workspace.finish(record, since: plan.value) { () throws(FileError) in
      try perform(steps, place)
    }
    guard isDone else { throw FileError(.resourceBusy, saying: "another commit came first") }
    do throws(FileError) {
      try settle()
    } catch {
      try end(place)
      throw error
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
  func give(_ place: HostCommitDirectory, up reason: FileError) throws(FileError) {
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
  func end(_ place: HostCommitDirectory) throws(FileError) {
    do throws(Errno) {
      try place.directory.rename(Self.journal, to: Self.done, keepingExisting: false)
      try place.directory.sync()
    } catch {
      throw FileError(error)
    }
  }

  func sync(_ place: HostCommitDirectory) throws(FileError) {
    do throws(Errno) { try place.directory.syncFileSystem() } catch { throw FileError(error) }
  }
}
