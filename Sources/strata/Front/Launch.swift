internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataStorage

/// What the command line asks for.
struct Launch {
  var commands: [UInt8]?
  var script: [UInt8]?
  /// Host directories, topmost first; none is the current directory.
  var bases: [[UInt8]]
  var plugins: [[UInt8]]
  var json: Bool
  var readsRc: Bool
  var color: ColorChoice
  var words: [[UInt8]]
  /// The workspace is opened in this process, and nobody else may use it meanwhile.
  var isAlone = false
  /// The workspace is the one of the working directory, whatever run this process may be in.
  var isOutside = false

  /// Options of `run` that take the next word, unless they have `=`.
  private static let runOptionsWithArgument: Set = [
    "--fork", "--chdir", "--net", "--forks", "-j", "--jobs",
  ]

  /// `run --base DIR`, as people write it, is `--base DIR run`; so it is with `init`.
  mutating func takeBasesOfCommand() {
    guard let command = words.first, ["run", "init"].contains(where: { Array($0.utf8) == command })
    else { return }
    var index = 1
    while index < words.count {
      let word = String(decoding: words[index], as: UTF8.self)
      guard word.hasPrefix("-"), word != "--" else { return }
      if word == "--base", index + 1 < words.count {
        bases.append(words[index + 1])
        words.removeSubrange(index...index + 1)
      } else if word.hasPrefix("--base=") {
        bases.append(Array(words.remove(at: index).dropFirst("--base=".utf8.count)))
      } else {
        index += Self.runOptionsWithArgument.contains(word) ? 2 : 1
      }
    }
  }

  /// Does it.
  /// - Returns: the exit status.
  func run() -> Int32 {
    // A pipe that nobody reads is an error of the write, not the end of us.
    signal(SIGPIPE, SIG_IGN)
    let status: Int32
    do throws(Complaint) {
      let session = try session()
      defer { (session as? Assembly)?.leave() }
      status = try work(in: session)
    } catch {
      error.show()
      status = error.status
    }
    return Self.settled(status)
  }

  func session() throws(Complaint) -> any FrontSession {
    let host = MachineHost()
    let open: OpenWorkspace
    if bases.isEmpty, !isAlone, !isOutside, let run = RunSurroundings(host) {
      return try RemoteSession(in: run, self)
    }
    if bases.isEmpty, let mount = mountToTakeAway, let place = MountedPlace(mount) {
      return try RemoteSession(in: place, self)
    }
    if bases.isEmpty, let directory = host.directory {
      MountInfo.clearDead(over: directory)
      if let place = MountedPlace(directory) { return try RemoteSession(in: place, self) }
    }
    if bases.isEmpty, let path = try host.directory.flatMap(Self.findWorkspace) {
      // Where nothing can be written there is no owner, and no need of one.
      let isReadOnly = WorkspaceDirectory.isReadOnly(path)
      guard isAlone || isReadOnly else { return try RemoteSession(workspace: path, self) }
      do throws(FileError) {
        open = try OpenWorkspace(owning: path, isReadOnly: isReadOnly)
      } catch {
        throw Complaint("\(ShownName(path)): \(error.text)")
      }
    } else {
      open = try OpenWorkspace(over: bases.isEmpty ? [[UInt8(ascii: ".")]] : bases)
    }
    for file in plugins { try open.load(plugin: file, host) }
    let assembly = Assembly(
      open, host, .ofProcess(), Console(isJSON: json, color: color),
      isOnlyMount: commands == nil && script == nil && words.first == Array("mount".utf8))
    let place = host.directory.flatMap(open.namespacePath)
    if let place { assembly.session.go(near: place) }
    return assembly
  }

  /// The directory that `umount` names: it leads to the workspace, from wherever that is said.
  private var mountToTakeAway: [UInt8]? {
    guard commands == nil, script == nil, words.first == Array("umount".utf8), let last = words.last
    else { return nil }
    return MachineHost().absolutePath(last)
  }

  /// The workspace that a directory is in. One that is damaged, or somebody else's, is not passed over:
  /// what is done in memory instead would be gone at the end.
  static func findWorkspace(from directory: [UInt8]) throws(Complaint) -> [UInt8]? {
    do throws(FileError) {
      return try WorkspaceDirectory.find(from: directory)
    } catch {
      throw Complaint(
        "no workspace can be opened: \(error.reason ?? ""): \(error.errno); --base DIR works without "
          + "one, in memory")
    }
  }

  private func work(in session: any FrontSession) throws(Complaint) -> Int32 {
    var front = ScriptFront(session)
    if let commands {
      front.setArguments(words, name: Array("strata".utf8))
      return front.run(commands)
    }
    if let script {
      front.setArguments(words, name: script)
      return front.run(try Self.contents(of: script), name: script)
    }
    if let first = words.first {
      // What is to be recorded is still to come.
      if first == Array("record".utf8) { return converse(in: session, front, opening: words) }
      if session.hasCommand(first) { return front.run(words: words) }
      if MachineHost().isRegularFile(first) {
        front.setArguments(Array(words.dropFirst()), name: first)
        return front.run(try Self.contents(of: first), name: first)
      }
      if first.contains(UInt8(ascii: "/")), MachineHost().isDirectory(first) {
        throw Complaint("\(ShownName(first)): Is a directory", status: ExitStatus.notExecutable)
      }
      return front.run(words: words)
    }
    return converse(in: session, front)
  }

  /// Takes commands from the terminal, or from what standard input is instead.
  /// - Parameter opening: the words of a command that comes first.
  private func converse(
    in session: any FrontSession, _ front: ScriptFront, opening: [[UInt8]] = []
  ) -> Int32 {
    guard isatty(0) == 1 else { return front.runStandardInput(opening: opening) }
    return TerminalFront.run(session, readsRc: readsRc, opening: opening) {
      path throws(Complaint) in try RemoteSession(workspace: path, self)
    }
  }

  /// A reader that went away ends us as it ends others: by the signal.
  private static func settled(_ status: Int32) -> Int32 {
    if status == ExitStatus.brokenPipe {
      signal(SIGPIPE, SIG_DFL)
      raise(SIGPIPE)
    }
    return status & 0xFF
  }

  static func contents(of file: [UInt8]) throws(Complaint) -> [UInt8] {
    do throws(FileError) {
      return try MachineHost().contents(of: file)
    } catch {
      let isMissing = error.errno == .noSuchFileOrDirectory
      throw Complaint(
        "\(ShownName(file)): \(error.text)",
        status: isMissing ? ExitStatus.unknownCommand : ExitStatus.notExecutable)
    }
  }
}

/// Why there is nothing to be done, for a person.
struct Complaint: Error {
  var message: String
  var status: Int32 = ExitStatus.failure

  init(_ message: String, status: Int32 = ExitStatus.failure) {
    self.message = message
    self.status = status
  }

  func show() { try? DescriptorSink(2).write(Array("strata: \(message)\n".utf8)) }
}
