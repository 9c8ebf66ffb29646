internal import StrataEngine
internal import StrataShell
internal import StrataStorage

/// A workspace that is open in this process, with its plugins. Sessions share it.
final class OpenWorkspace: Sendable {
  let workspace: Workspace
  let plugins: LuaHub
  /// The base directories, topmost first.
  let bases: [[UInt8]]
  let turns = ForkTurns()
  let mounts: MountTable
  /// The workspace's directory, which this process owns; nil for one in memory.
  private let directory: WorkspaceDirectory?
  private let path: [UInt8]?
  /// What commits stage and keep.
  private let commits: [UInt8]
  /// The same of a session in memory, which goes with it.
  private let memoryCommits: MemoryCommits?

  /// In memory, over directories.
  /// - Parameter areOverlay: whether they are overlayfs's lower directories.
  /// - Throws: what a person is told of a base that cannot be had.
  init(over bases: [[UInt8]], areOverlay: Bool = false) throws(Complaint) {
    var readers: [any BaseReader] = []
    let commits = MemoryCommits(base: bases.first.map(MachineHost().absolutePath) ?? [])
    if let failure = commits.finishAbandoned().first { throw Complaint(failure.text) }
    for path in bases {
      do throws(FileError) {
        let directory = try HostDirectory(path: path, hiding: .workspaces)
        let isLowest = readers.count == bases.count - 1
        readers.append(
          areOverlay ? OverlayLower(directory, isLowest: isLowest) : directory)
      } catch {
        throw Complaint("\(ShownName(path)): \(error.text)")
      }
    }
    do throws(FileError) {
      workspace = try Workspace(bases: readers, keepsInodes: true, clock: Self.clock)
    } catch {
      throw Complaint(error.text)
    }
    (self.bases, directory, path, self.commits) = (bases, nil, nil, commits.path)
    memoryCommits = commits
    mounts = MountTable(record: nil)
    plugins = LuaHub(workspace)
  }

  /// On disk; this process becomes its owner.
  /// - Parameter isReadOnly: only looks at it, where it cannot be written.
  /// - Throws: EBUSY while another process is; what the store says.
  init(owning path: [UInt8], isReadOnly: Bool = false) throws(FileError) {
    directory = try isReadOnly ? WorkspaceDirectory.read(path) : WorkspaceDirectory.own(path)
    self.path = path
    let store = try DurableStore(directory: path, isReadOnly: isReadOnly)
    bases = try store.basePaths()
    var readers: [any BaseReader] = []
    for base in bases {
      do throws(FileError) {
        readers.append(try HostDirectory(path: base, hiding: .workspaces))
      } catch {
        throw FileError(error.errno, "base \(ShownName(base)): \(error.text)")
      }
    }
    workspace = try Workspace(
      bases: readers, store: store, keepsInodes: true, clock: Self.clock)
    var commits: [UInt8] = []
    if let base = bases.first {
      commits =
        try isReadOnly
        ? KeptPlace.known(workspace: path)
        : KeptPlace.find(workspace: path, base: MachineHost().absolutePath(base))
      if try HostTree().status(commits) != nil {
        workspace.setKeptReader(try HostDirectory(path: commits))
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
          "a commit was broken off and cannot be finished: \(error.text); mend that, or give it up "
            + "by moving its directory out of \(ShownName(commits))")
      }
    }
    (self.commits, memoryCommits) = (commits, nil)
    mounts = MountTable(record: path + Array("/mounts".utf8))
    plugins = LuaHub(workspace)
  }

  private static let clock: @Sendable () -> Timestamp = { MachineHost().now() }

  /// Where commits go.
  func commitPlace(_ host: MachineHost) -> CommitPlace {
    let base = bases.first.map(host.absolutePath) ?? []
    return CommitPlace(
      base: base, commits: commits, isUnion: bases.count > 1, memory: memoryCommits)
  }

  /// Where programs see a fork.
  func runPlace(_ host: MachineHost) -> RunPlace {
    RunPlace(base: bases.first.map(host.absolutePath) ?? [], workspace: path)
  }

  func load(plugin file: [UInt8], _ host: MachineHost) throws(Complaint) {
    let text: [UInt8]
    do throws(FileError) {
      text = try host.contents(of: file)
    } catch {
      throw Complaint("\(ShownName(file)): \(error.text)")
    }
    do throws(PluginFailure) {
      _ = try plugins.load(text, from: file)
    } catch {
      throw Complaint(error.message)
    }
  }
}
