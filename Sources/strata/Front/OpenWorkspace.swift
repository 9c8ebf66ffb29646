internal import StrataEngine
internal import StrataShell
internal import StrataStorage
internal import Synchronization

/// A workspace that is open in this process, with its plugins. Sessions share it.
final class OpenWorkspace: Sendable {
  let workspace: Workspace
  let plugins: LuaHub
  /// The base directories, absolute, topmost first.
  let bases: [[UInt8]]
  let turns = ForkTurns()
  let mounts: MountTable
  /// The topmost of them.
  private let base: HeldPath
  /// The workspace's directory, which this process owns; nil for one in memory.
  private let directory: WorkspaceDirectory?
  /// Who serves those in a run of a session in memory.
  private let memoryOwner = Mutex<MemoryOwner?>(nil)
  /// What commits stage and keep.
  private let commits: HeldPath
  /// The same of a session in memory, which goes with it.
  private let memoryCommits: MemoryCommits?

  /// In memory, over directories.
  /// - Parameter areOverlay: whether they are overlayfs's lower directories.
  /// - Throws: what a person is told of a base that cannot be had.
  init(over bases: [[UInt8]], areOverlay: Bool = false) throws(Complaint) {
    var directories: [HostDirectory] = []
    for path in bases {
      do throws(FileError) {
        directories.append(try HostDirectory(path: path, hiding: .workspaces))
      } catch {
        throw Complaint("\(ShownName(path)): \(error.text)")
      }
    }
    self.bases = bases.map(MachineHost().absolutePath)
    base = Self.place(of: directories, self.bases)
    let commits = MemoryCommits(base: base)
    if let failure = commits.finishAbandoned().first { throw Complaint(failure.text) }
    let readers = directories.enumerated().map { index, directory -> any BaseReader in
      areOverlay
        ? OverlayLower(directory, isLowest: index == directories.count - 1) : directory
    }
    do throws(FileError) {
      workspace = try Workspace(bases: readers, keepsInodes: true, clock: Self.clock)
    } catch {
      throw Complaint(error.text)
    }
    (directory, self.commits) = (nil, commits.place)
    memoryCommits = commits
    mounts = MountTable(record: nil)
    plugins = LuaHub(workspace)
  }

  /// On disk; this process becomes its owner.
  /// - Parameter isReadOnly: only looks at it, where it cannot be written.
  /// - Throws: EBUSY while another process is; what the store says.
  init(owning path: [UInt8], isReadOnly: Bool = false) throws(FileError) {
    let directory = try isReadOnly ? WorkspaceDirectory.read(path) : WorkspaceDirectory.own(path)
    let store = try DurableStore(
      directory: directory.place.path, name: "the workspace \(ShownName(path))",
      isReadOnly: isReadOnly)
    let paths = try store.basePaths()
    var readers: [HostDirectory] = []
    for base in paths {
      do throws(FileError) {
        readers.append(try HostDirectory(path: base, hiding: .workspaces))
      } catch {
        throw FileError(error.errno, "base \(ShownName(base)): \(error.text)")
      }
    }
    workspace = try Workspace(
      bases: readers, store: store, keepsInodes: true, clock: Self.clock)
    bases = paths.map(MachineHost().absolutePath)
    base = Self.place(of: readers, bases)
    var commits = HeldPath([])
    if !readers.isEmpty {
      commits =
        try isReadOnly
        ? KeptPlace.known(workspace: directory.place, base: base)
        : KeptPlace.find(workspace: directory.place, base: base)
      try store.setBase(base)
      if try HostTree().status(commits.path) != nil {
        workspace.setKeptReader(try HostDirectory(path: commits.path))
      }
      do throws(FileError) {
        let commit = HostCommit(base: base, commits: commits)
        if !isReadOnly {
          try commit.recover(workspace)
        } else if try commit.isBrokenOff {
          throw FileError(.readOnlyFileSystem)
        }
      } catch {
        throw FileError(
          error.errno,
          saying:
            "a commit was broken off and cannot be finished: \(error.text); mend that, or give it up "
            + "by moving its directory out of \(ShownName(commits.shown))")
      }
    }
    (self.directory, self.commits, memoryCommits) = (directory, commits, nil)
    mounts = MountTable(
      record: isReadOnly ? nil : directory.place.appending(Array("mounts".utf8)).path)
    plugins = LuaHub(workspace)
  }

  private static func place(of bases: [HostDirectory], _ paths: [[UInt8]]) -> HeldPath {
    guard let base = bases.first, let path = paths.first else { return HeldPath([]) }
    return base.place.shown(as: path)
  }

  private static let clock: @Sendable () -> Timestamp = { MachineHost().now() }

  var isInMemory: Bool { directory == nil }

  /// Where in the namespace a path of the host is; nil for what is in no base.
  func namespacePath(of path: [UInt8]) -> [UInt8]? { Self.namespacePath(of: path, over: bases) }

  static func namespacePath(of path: [UInt8], over bases: [[UInt8]]) -> [UInt8]? {
    let root = [UInt8(ascii: "/")]
    guard let base = bases.first(where: { path.isBelow([$0]) }) else { return nil }
    let rest = base == root ? path : Array(path.dropFirst(base.count))
    return rest.isEmpty ? root : rest
  }

  /// Where commits go.
  var commitPlace: CommitPlace {
    let directory = workspace.bases.first as? HostDirectory
    return CommitPlace(
      base: base, commits: commits, isUnion: bases.count > 1,
      isCovered: { directory?.isCovered($0) ?? false },
      holdsMounts: { directory?.holdsMounts($0) ?? false }, memory: memoryCommits)
  }

  /// Where programs see a fork.
  var runPlace: RunPlace {
    RunPlace(base: base, workspace: directory?.place, shared: mounts.shared) { [self] in
      placeForClients()
    }
  }

  /// The directory by which clients in a run find this process; nil where a session in memory can have none.
  private func placeForClients() -> [UInt8]? {
    if let directory { return directory.place.path }
    return memoryOwner.withLock { owner in
      if owner == nil { owner = try? MemoryOwner(self) }
      return owner?.directory
    }
  }

  /// The process ends, and with it what it serves.
  func leave() {
    mounts.stopAll()
    memoryOwner.withLock { $0.take() }?.leave()
    memoryCommits?.remove()
  }

  func load(plugin file: [UInt8], _ host: MachineHost) throws(Complaint) {
    let text: [UInt8]
    do throws(FileError) {
      text = try host.contents(of: file)
    } catch {
      throw Complaint("plugin \(ShownName(file)): \(error.text)")
    }
    do throws(PluginFailure) {
      _ = try plugins.load(text, from: file)
    } catch {
      throw Complaint(error.message)
    }
  }
}
