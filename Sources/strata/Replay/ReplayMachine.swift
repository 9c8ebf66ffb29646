internal import StrataEngine
internal import StrataShell
internal import Synchronization

/// The machine as a transcript sees it: the files and programs are the host's, but time, names and
/// environment are the same everywhere.
final class ReplayMachine: Host {
  private let machine: MachineHost
  private let variables: [String: [UInt8]]
  private let running = Mutex<[Running]>([])
  private let clock = Atomic(TemporaryTree.time)

  init(_ machine: MachineHost, environment: [(name: [UInt8], value: [UInt8])]) {
    self.machine = machine
    var variables: [String: [UInt8]] = [:]
    for (name, value) in environment { variables[String(decoding: name, as: UTF8.self)] = value }
    self.variables = variables
  }

  func environment(_ name: String) -> [UInt8]? { variables[name] }

  func now() -> Timestamp { clock.load(ordering: .relaxed) }
  /// A second goes by with each command.
  func tick() { clock.add(1_000_000_000, ordering: .relaxed) }
  func secondsFromUTC(at time: Timestamp) -> Int { 0 }

  func userName(_ uid: UInt32) -> String? { Self.names[uid] }
  func groupName(_ gid: UInt32) -> String? { Self.names[gid] }
  func user(named name: String) -> (uid: UInt32, gid: UInt32)? {
    Self.number(of: name).map { ($0, $0) }
  }
  func group(named name: String) -> UInt32? { Self.number(of: name) }

  private static let names: [UInt32: String] = [0: "root", ReplayedBase.owner: "user"]
  private static func number(of name: String) -> UInt32? {
    names.first { $0.value == name }?.key
  }

  /// The transcript's user, whoever replays it.
  static let caller = Caller(
    uid: ReplayedBase.owner, gid: ReplayedBase.owner, umask: 0o022, pid: 1000, command: "")

  func start(_ command: HostCommand) throws(FileError) -> any HostProcess {
    var command = command
    command.environment.merge(variables) { own, _ in own }
    let process = try MachineProcess(
      command, LocalPrograms(inOwnGroup: true, from: machine.standpoint))
    running.withLock { running in
      running.removeAll { $0.process == nil }
      running.append(Running(process: process))
    }
    return process
  }

  /// Ends the host's programs that still run.
  func endPrograms() {
    for one in running.withLock({ $0 }) { one.process?.signal(9) }
  }

  private struct Running: Sendable { weak var process: (any HostProcess)? }

  func attributes(_ path: [UInt8], follow: Bool) throws(FileError) -> Attributes {
    try machine.attributes(path, follow: follow)
  }
  func list(_ path: [UInt8]) throws(FileError) -> [[UInt8]] { try machine.list(path) }
  func readLink(_ path: [UInt8]) throws(FileError) -> [UInt8] { try machine.readLink(path) }
  func open(_ path: [UInt8]) throws(FileError) -> any HostFile { try machine.open(path) }
  func create(_ path: [UInt8], mode: UInt32) throws(FileError) -> any HostFile {
    try machine.create(path, mode: mode)
  }
  func makeDirectory(_ path: [UInt8], mode: UInt32) throws(FileError) {
    try machine.makeDirectory(path, mode: mode)
  }
  func makeSymlink(_ path: [UInt8], target: [UInt8]) throws(FileError) {
    try machine.makeSymlink(path, target: target)
  }
  /// What is copied out belongs to whoever replays.
  func setAttributes(_ path: [UInt8], _ changes: AttributeChanges) throws(FileError) {
    var changes = changes
    (changes.uid, changes.gid) = (nil, nil)
    try machine.setAttributes(path, changes)
  }
}
