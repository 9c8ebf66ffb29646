internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataStorage
internal import StrataSystem

/// The parts of the program, put together: bases, workspace, plugins, session and its streams.
final class Assembly {
  let session: Session
  let plugins: LuaHub
  let recording: Recording
  let bases: [[UInt8]]
  /// The workspace's directory, which this process owns; nil for a session in memory.
  let directory: WorkspaceDirectory?
  private let isJSON: Bool
  private let color: ColorChoice

  /// - Throws: what a person is told of a base or plugin that cannot be had.
  init(_ launch: Launch) throws(Complaint) {
    let host = MachineHost()
    (isJSON, color) = (launch.json, launch.color)
    let workspace: Workspace
    let commits: [UInt8]
    if launch.bases.isEmpty, let path = Self.findWorkspace() {
      (workspace, bases, directory) = try Self.open(path, host)
      commits = path + Array("/kept".utf8)
    } else {
      bases = launch.bases.isEmpty ? [[UInt8(ascii: ".")]] : launch.bases
      (workspace, directory) = (try Self.open(bases, host), nil)
      commits = host.absolutePath(bases[0]) + Array("/.strata-commits".utf8)
    }
    plugins = LuaHub(workspace)
    session = Session(
      workspace: workspace, host: host, caller: .ofProcess(), plugins: plugins)
    recording = Recording(bases: bases.map(host.absolutePath))
    for command in [
      Command.replay(MachineReplayHost()), Command.record(recording), Command.test(host),
      Command.`init`(host),
      Command.commit(
        CommitPlace(
          base: host.absolutePath(bases[0]), commits: commits, isUnion: bases.count > 1)),
    ] {
      session.commands.add(command)
    }
    for file in launch.plugins { try load(file, host) }
  }

  /// The workspace that the working directory is in.
  private static func findWorkspace() -> [UInt8]? {
    workingDirectory().flatMap { WorkspaceDirectory.find(from: $0) }
  }

  /// Opens a workspace on disk and becomes its owner.
  private static func open(
    _ path: [UInt8], _ host: MachineHost
  ) throws(Complaint) -> (Workspace, [[UInt8]], WorkspaceDirectory) {
    do throws(FileError) {
      let directory = try WorkspaceDirectory.own(path)
      let store = try DurableStore(directory: path)
      let bases = try store.basePaths()
      let workspace = try open(bases, host, store)
      let commits = path + Array("/kept".utf8)
      if let base = bases.first {
        try HostTree().makeDirectory(commits, mode: 0o700, existing: .replace)
        workspace.setKeptReader(try HostDirectory(path: commits))
        try HostCommit(base: base, commits: commits).recover(workspace)
      }
      return (workspace, bases, directory)
    } catch {
      throw Complaint("\(ShownName(path)): \(error.text)")
    }
  }

  private static func open(
    _ bases: [[UInt8]], _ host: MachineHost, _ store: DurableStore
  ) throws(FileError) -> Workspace {
    var readers: [any BaseReader] = []
    for base in bases {
      do throws(FileError) {
        readers.append(try HostDirectory(path: base, hiding: [WorkspaceDirectory.name]))
      } catch {
        throw FileError(error.errno, "base \(ShownName(base)): \(error.text)")
      }
    }
    return try Workspace(bases: readers, store: store, clock: { host.now() })
  }

  private static func open(_ paths: [[UInt8]], _ host: MachineHost) throws(Complaint) -> Workspace {
    var readers: [any BaseReader] = []
    for path in paths {
      do throws(FileError) {
        readers.append(try HostDirectory(path: path, hiding: [WorkspaceDirectory.name]))
      } catch {
        throw Complaint("\(ShownName(path)): \(error.text)")
      }
    }
    do throws(FileError) {
      return try Workspace(bases: readers, clock: { host.now() })
    } catch {
      throw Complaint(error.text)
    }
  }

  private func load(_ file: [UInt8], _ host: MachineHost) throws(Complaint) {
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

  /// The process's own streams, as they are now: a terminal may have been resized.
  var output: Output {
    let isTerminal = isatty(1) == 1
    var size = winsize()
    let width = isTerminal && ioctl(1, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
    return recording.tap(
      Output(
        standardOutput: DescriptorSink(1), standardError: DescriptorSink(2),
        isTerminal: isTerminal, isColored: isColored(isTerminal), width: width > 0 ? width : 80,
        isJSON: isJSON, isProcessOutput: true))
  }

  /// `NO_COLOR`, when it is not empty, says no (no-color.org), unless the command line says more.
  private func isColored(_ isTerminal: Bool) -> Bool {
    switch color {
    case .always: return true
    case .never: return false
    case .auto:
      let refused = session.host.environment("NO_COLOR").map { !$0.isEmpty } ?? false
      return isTerminal && !refused && session.host.environment("TERM") != Array("dumb".utf8)
    }
  }

  /// Whether something that can be run has the name.
  func hasCommand(_ name: [UInt8]) -> Bool {
    guard let name = String(validating: name, as: UTF8.self) else { return false }
    return session.commands[name] != nil || session.aliases[name] != nil
      || plugins.commands.contains { $0.name == name }
  }
}
