internal import StrataEngine
internal import StrataShell
internal import StrataStorage

/// The files of the machine, and sessions in memory over what transcripts ask for.
final class MachineReplayHost: ReplayHost, Sendable {
  private let machine: MachineHost

  init(_ machine: MachineHost) { self.machine = machine }

  func contents(of file: [UInt8]) throws(FileError) -> [UInt8] { try machine.contents(of: file) }

  func replace(_ file: [UInt8], with bytes: [UInt8]) throws(FileError) {
    try machine.replace(file, with: bytes)
  }

  func transcripts(in directory: [UInt8]) throws(FileError) -> [[UInt8]]? {
    guard try machine.attributes(directory, follow: true).kind == .directory else { return nil }
    let names = try machine.list(directory).filter { $0.suffix(8).elementsEqual(".session".utf8) }
    return names.sorted { $0.lexicographicallyPrecedes($1) }
      .map { directory == [UInt8(ascii: ".")] ? $0 : Self.join(directory, $0) }
  }

  func open(
    _ setting: ReplaySetting, relativeTo directory: [UInt8]
  ) throws(FileError) -> any ReplaySession {
    let host = ReplayMachine(machine, environment: setting.environment)
    var trees: [TemporaryTree] = []
    var bases: [any BaseReader] = []
    var commits: MemoryCommits?
    let asked = setting.bases.isEmpty ? [.inline([])] : setting.bases
    for base in asked {
      let path: [UInt8]
      switch base {
      case .directory(let name): path = Self.join(directory, name)
      case .inline(let files):
        let tree = try TemporaryTree(files, host: machine)
        trees.append(tree)
        path = tree.path
        if asked.count == 1 { commits = MemoryCommits(base: HeldPath(path)) }
      }
      let title = asked.count == 1 ? "base" : "base\(bases.count + 1)"
      bases.append(
        ReplayedBase(
          try reader(path, base, hiding: commits == nil ? [] : .workspaces), of: .ofProcess(),
          title: title))
    }
    let workspace = try Workspace(bases: bases, clock: { host.now() })
    let plugins = LuaHub(workspace, isReplay: true)
    let session = Session(
      workspace: workspace, host: host, caller: ReplayMachine.caller, plugins: plugins)
    for name in ["init", "commit", "mount", "mounts", "umount", "run"] {
      session.commands.add(.absent(name))
    }
    if let commits, let tree = trees.first {
      // Only to a tree of its own: a directory that a transcript names is not for it to change.
      session.commands.add(
        .commit(
          CommitPlace(
            base: HeldPath(tree.path), commits: commits.place, isUnion: false, keepsOwners: false,
            memory: commits)))
      session.variables["BASE"] = tree.path
    }
    let replayed = MachineReplaySession(
      session, host, plugins, TranscriptOutput(try EventSet(setting.trace)), trees)
    for file in setting.plugins { try load(Self.join(directory, file), as: file, plugins) }
    return replayed
  }

  private func reader(
    _ path: [UInt8], _ base: ReplayBase, hiding hidden: HiddenNames
  ) throws(FileError) -> any BaseReader {
    do throws(FileError) {
      return try HostDirectory(
        path: machine.placed(path), hiding: hidden)
    } catch {
      throw FileError(error.errno, "//base \(ShownName(path)): \(error.text)")
    }
  }

  private func load(_ path: [UInt8], as name: [UInt8], _ plugins: LuaHub) throws(FileError) {
    let text: [UInt8]
    do throws(FileError) {
      text = try machine.contents(of: path)
    } catch {
      throw FileError(error.errno, "//plugin \(ShownName(name)): \(error.text)")
    }
    do throws(PluginFailure) {
      _ = try plugins.load(text, from: name)
    } catch {
      throw FileError(.invalidArgument, error.message)
    }
  }

  private static func join(_ directory: [UInt8], _ name: [UInt8]) -> [UInt8] {
    if name.first == UInt8(ascii: "/") { return name }
    return directory + [UInt8(ascii: "/")] + name
  }
}

extension Command {
  /// A command that has nothing to work on in a replay, which is in memory and has no place on the host.
  fileprivate static func absent(_ name: String) -> Command {
    Command(
      name, .layers, .manages, "cannot be replayed", usage: ["…"], examples: [], parsing: .raw
    ) { _ in
      throw CommandFailure(
        "cannot be replayed: a replay is in memory, and has no directory of the host for it",
        status: ExitStatus.unknownCommand)
    }
  }
}
