public import StrataEngine

/// A person's or a script's work in a workspace: where they are, and what they have set.
///
/// It has no terminal. It is used by one thread at a time; only ``cancellation`` may be touched from
/// another.
public final class Session {
  public let workspace: Workspace
  public let host: any Host
  public let plugins: any PluginHub
  public let cancellation = Cancellation()
  public let trace: Trace
  /// Shared with the other sessions of the workspace.
  let turns: ForkTurns
  /// Whether a command of this session has the turn already: one inside another is part of it.
  var hasTurn = false
  public var commands: CommandTable
  public var settings = Settings()
  /// A person types its lines one after the other; else what runs now is all.
  public var isTyped = false
  /// What runs is one command of a line of the host's shell.
  public var isOneCommand = false
  /// Its place in the fork was given, as that of a mount in which strata was started: it is not that of
  /// the host's directory.
  public var hasGivenPlace = false
  public internal(set) var aliases: [String: [UInt8]] = [:]
  public var variables: [String: [UInt8]] = [:]
  /// The status of the last command, `$?`.
  public internal(set) var lastStatus: Int32 = 0
  /// The status to leave with, once `exit` was called.
  public internal(set) var exitStatus: Int32?
  /// The workspace on disk that ``init`` has made of this session, which was in memory and is over by that.
  public var successor: [UInt8]?
  /// Paths of the base that the command under way has told of as changed.
  var toldOnHost: Set<[UInt8]> = []
  /// Directories of the base that this session has itself put something into, by another way than a commit.
  /// Not to be told of once.
  public var changedOnHost: Set<[UInt8]> = []
  /// The lines that were run, oldest first, for `history`.
  public private(set) var history: [[UInt8]] = []
  public private(set) var fork: Fork
  /// Whether there is nothing in the workspace that the bases have not, and never was.
  public var isUntouched: Bool {
    workspace.forks.count == 1 && !fork.isDirty && fork.allOperations.isEmpty
  }
  /// In whose name files are touched; its `command` is the line that runs.
  public private(set) var caller: Caller
  /// Keeps what is run; nobody does where it is nil.
  public weak var recorder: (any SessionRecorder)?
  /// How deep what runs now is in what runs something else, as `source` does.
  var depth = 0
  private var directories: [ForkID: NodeID] = [:]
  private var previousFork: Fork?
  var previousDirectory: [UInt8]?

  public init(
    workspace: Workspace, host: any Host, caller: Caller, plugins: any PluginHub = NoPlugins(),
    commands: CommandTable = CommandTable(Command.all), turns: ForkTurns = ForkTurns()
  ) {
    self.workspace = workspace
    self.host = host
    self.caller = caller
    self.plugins = plugins
    self.commands = commands
    self.turns = turns
    trace = Trace(hooks: workspace.hooks)
    fork = workspace.main
    trace.session = ObjectIdentifier(self)
    // Main is always there.
    try? turns.enter(fork)
  }

  deinit {
    trace.stop()
    turns.leave(fork.id)
  }

  /// File operations in the current fork and directory.
  public var client: Client { Client(fork, as: caller, directory: directory) }

  /// The current directory of the current fork; its root, if the directory is gone.
  public internal(set) var directory: NodeID {
    get { directories[fork.id] ?? .root }
    set { directories[fork.id] = newValue }
  }

  /// A path as it is from the root, `.` and `..` taken as names, links left alone.
  public func absolutePath(_ path: [UInt8]) -> [UInt8] {
    let slash = UInt8(ascii: "/")
    var names: [ArraySlice<UInt8>] = []
    let start = path.first == slash ? path : self.path + [slash] + path
    for name in start.split(separator: slash) where name != [UInt8(ascii: ".")] {
      if name == Array("..".utf8)[...] { _ = names.popLast() } else { names.append(name) }
    }
    return [slash] + Array(names.joined(separator: [slash]))
  }

  /// The current directory's path.
  public var path: [UInt8] { fork.path(of: directory) ?? Array("/".utf8) }

  /// Goes to another fork. One that is entered for the first time starts in the same directory if
  /// it has it.
  /// - Throws: ENOENT for one that another session has dropped.
  func `switch`(to fork: Fork) throws(FileError) {
    let old = directory
    try turns.enter(fork)
    turns.leave(self.fork.id)
    if self.fork.id != fork.id { previousFork = self.fork }
    self.fork = fork
    let place = directories[fork.id] ?? old
    let exists =
      (try? fork.attributes(of: place))?.kind == .directory && fork.path(of: place) != nil
    directories[fork.id] = exists ? place : .root
  }

  /// The fork before the last switch, if it is still there.
  var lastFork: Fork? { previousFork.flatMap { workspace.fork(named: $0.name) } }

  func forget(_ fork: Fork) { directories[fork.id] = nil }

  /// Notes a line for `history`.
  public func remember(_ line: [UInt8]) { history.append(line) }
  func forgetHistory() { history = [] }

  func setCommand(_ line: String) { caller.command = line }

  /// `fork:/path> `, with a star behind a fork that differs from what it was made from.
  public var prompt: [UInt8] { Self.prompt(fork.name, isDirty: fork.isDirty, in: path) }

  static func prompt(_ fork: String, isDirty: Bool = false, in path: [UInt8]) -> [UInt8] {
    Array("\(fork)\(isDirty ? "*" : ""):\(ShownName(path))> ".utf8)
  }

  /// What stands in front of further lines of one command.
  public static let continuationPrompt = Array("> ".utf8)

  public struct Settings: Equatable, Sendable {
    /// Scripts go on after a command that failed (`set -k`). A person at a prompt always does.
    public var keepsGoing = true
    /// Each command is shown before it runs (`set -x`).
    public var echoes = false

    public init() {}
  }
}
