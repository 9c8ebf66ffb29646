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
  private let state = Mutex<Output?>(nil)

  init(_ workspace: Workspace, _ caller: Caller) {
    self.workspace = workspace
    self.caller = caller
  }

  /// Where it goes that no command in this thread is to blame for.
  var output: Output? {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
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
    let bytes = Array((text + "\n").utf8)
    do throws(FileError) {
      if let output = RunningCommand.current?.output ?? output {
        try output.standardError.write(bytes)
      } else {
        try DescriptorSink(2).write(bytes)
      }
    } catch {
      // As above.
    }
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
