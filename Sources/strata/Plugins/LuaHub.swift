internal import StrataEngine
internal import StrataLua
internal import StrataShell
internal import StrataSystem
internal import Synchronization
internal import SystemPackage

/// The Lua plugins as the shell sees them, and the program as plugins see it.
final class LuaHub: PluginHub {
  private let host: LuaHost
  private let loaded: PluginSet

  init(_ workspace: Workspace, isReplay: Bool = false) {
    host = LuaHost(workspace, isReplay ? ReplayMachine.caller : .ofProcess())
    loaded = PluginSet(
      workspace: workspace, host: host, seed: isReplay ? 1 : UInt64.random(in: 1...(.max)))
  }

  /// Where plugins print while no command of theirs runs; nil is the process's own output.
  var print: Output? {
    get { host.output }
    set { host.output = newValue }
  }

  /// Has a session told, besides of what its own commands lead to, of what nobody's command does: a
  /// plugin fails for a program, for example. What nobody was there for is told now.
  func attach(_ session: ObjectIdentifier, _ output: Output) { host.attach(session, output) }
  func detach(_ session: ObjectIdentifier) { host.detach(session) }

  /// Tells a session what it took no output for when that happened.
  func tellUntold(_ session: ObjectIdentifier) { host.tellUntold(session) }

  /// Stops what Lua runs; from any thread.
  func interrupt() { loaded.interrupt() }

  var plugins: [PluginSummary] {
    loaded.info.map { info in
      PluginSummary(
        name: info.name, path: info.path,
        state: info.disabled.map { .disabled(reason: $0) } ?? .enabled, events: info.events,
        commands: info.commands.map(\.name), calls: info.calls, failures: info.failures,
        dropped: info.dropped)
    }
  }

  var commands: [PluginCommand] {
    loaded.info.filter { $0.disabled == nil }.flatMap { info in
      info.commands.map {
        PluginCommand(name: $0.name, plugin: info.name, summary: $0.summary, usage: $0.usage)
      }
    }
  }

  var rules: [PolicyRule] {
    loaded.info.filter { $0.disabled == nil }.flatMap { info in
      info.rules.map {
        PolicyRule(
          plugin: info.name, place: $0.place, pattern: $0.pattern, effect: $0.effect,
          priority: $0.priority)
      }
    }
  }

  func load(_ text: [UInt8], from path: [UInt8]) throws(PluginFailure) -> PluginSummary {
    let name = try failing { () throws(PluginError) in try loaded.load(text, from: path) }
    guard let summary = plugins.first(where: { $0.name == name }) else {
      throw PluginFailure("\(name): unloaded at once")
    }
    return summary
  }

  func unload(_ name: String) throws(PluginFailure) {
    try failing { () throws(PluginError) in try loaded.unload(name) }
  }

  func setEnabled(_ name: String, _ isEnabled: Bool) throws(PluginFailure) {
    try failing { () throws(PluginError) in try loaded.setEnabled(name, isEnabled) }
  }

  func settings(of name: String) throws(PluginFailure) -> [(name: String, value: String)] {
    guard let info = loaded.info.first(where: { $0.name == name }) else {
      throw PluginFailure("\(name): no such plugin")
    }
    return info.settings
  }

  func set(_ setting: String, of name: String, to value: String) throws(PluginFailure) {
    try failing { () throws(PluginError) in try loaded.set(setting, of: name, to: value) }
  }

  func run(
    _ command: String, _ arguments: [[UInt8]], on fork: Fork, caller: Caller, output: Output,
    input: any ByteSource, cancellation: Cancellation
  ) throws(PluginFailure) -> Int32 {
    guard let session = RunningCommand.current?.session else {
      throw PluginFailure("\(command): not run by a session")
    }
    let outcome = RunningCommand.$current.withValue(
      RunningCommand(output: output, session: session)
    ) { () -> Result<Int32, PluginFailure> in
      do throws(PluginFailure) {
        return .success(
          try failing { () throws(PluginError) in
            try loaded.run(command, arguments, on: fork, by: caller)
          })
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }

  func health() -> [HealthReport] {
    loaded.health().map {
      HealthReport(
        subject: $0.plugin, level: .init(rawValue: $0.level) ?? .info, message: $0.message)
    }
  }

  private func failing<R>(_ body: () throws(PluginError) -> R) throws(PluginFailure) -> R {
    do throws(PluginError) { return try body() } catch { throw PluginFailure(error.message) }
  }
}

/// What plugins need of the program.
private final class LuaHost: PluginHost {
  private unowned let workspace: Workspace
  let caller: Caller
  private let state = Mutex(State())

  private struct State {
    var output: Output?
    var sessions: [ObjectIdentifier: Listener] = [:]
    /// What was reported while there was no session.
    var untold: [String] = []
  }

  init(_ workspace: Workspace, _ caller: Caller) {
    self.workspace = workspace
    self.caller = caller
  }

  /// Where it goes that no command in this thread is to blame for.
  var output: Output? {
    get { state.withLock { $0.output } }
    set { state.withLock { $0.output = newValue } }
  }

  func attach(_ session: ObjectIdentifier, _ output: Output) {
    let listener = Listener(output.standardError)
    let untold = state.withLock { state in
      defer { state.untold = [] }
      state.sessions[session] = listener
      return state.untold
    }
    listener.tell(untold)
  }

  func detach(_ session: ObjectIdentifier) {
    guard let listener = state.withLock({ $0.sessions.removeValue(forKey: session) }) else {
      return
    }
    let untold = listener.leave()
    state.withLock { state in
      if state.sessions.isEmpty { state.untold = Listener.newest(state.untold + untold) }
    }
  }

  func tellUntold(_ session: ObjectIdentifier) {
    state.withLock { $0.sessions[session] }?.tell([])
  }

  var currentFork: Fork { workspace.main }

  func print(_ bytes: [UInt8]) {
    do throws(FileError) {
      if let output = RunningCommand.current?.output ?? output {
        try output.standardOutput.write(bytes)
      } else {
        try DescriptorSink(1).write(bytes)
      }
    } catch {
      // Nobody reads any more; whoever writes next finds out.
    }
  }

  func report(_ text: String) {
    if let output = RunningCommand.current?.output { return Self.tell(text, output) }
    let (replayed, sessions) = state.withLock { state in
      let sessions = Array(state.sessions.values)
      if state.output == nil, sessions.isEmpty {
        state.untold = Listener.newest(state.untold + [text])
      }
      return (state.output, sessions)
    }
    if let replayed { return Self.tell(text, replayed) }
    for session in sessions { session.tell([text]) }
  }

  private static func tell(_ text: String, _ output: Output) {
    // If nobody reads any more, whoever writes next finds out.
    try? output.standardError.write(Array((text + "\n").utf8))
  }

  func freeBytes(_ directory: [UInt8]?) -> Int64 {
    let path = directory ?? Array("/dev/shm".utf8)
    do throws(Errno) {
      return try Descriptor(path: path, [.path]).freeBytes()
    } catch {
      return 0
    }
  }
}

/// A session as reports reach it that nobody's command has led to, until it ends and its streams are
/// closed. Nobody waits for one that takes no output: what it is not told is kept.
private final class Listener: Sendable {
  private struct State {
    /// Its standard error.
    var stream: (any ByteSink)?
    var untold: [String] = []
  }

  private let state: Mutex<State>

  init(_ stream: any ByteSink) { state = Mutex(State(stream: stream)) }

  /// Tells these, and what is kept, as far as the stream takes it now.
  func tell(_ texts: [String]) {
    state.withLock { state in
      state.untold = Self.newest(state.untold + texts)
      while let text = state.untold.first, let stream = state.stream, stream.isReady {
        state.untold.removeFirst()
        // If nobody reads any more, whoever writes next finds out.
        try? stream.write(Array((text + "\n").utf8))
      }
    }
  }

  /// - Returns: what it was not told.
  func leave() -> [String] {
    state.withLock { state in
      state.stream = nil
      return state.untold
    }
  }

  /// Reports that are kept for who cannot be told them now.
  static func newest(_ texts: [String]) -> [String] { texts.suffix(20) }
}
