public import StrataEngine
internal import Synchronization

/// The plugins of a session, in the order in which they were loaded: as the workspace's policy, and
/// as an observer of its events.
public final class PluginSet: Sendable {
  public unowned let workspace: Workspace
  let host: any PluginHost
  let limits: LuaLimits
  let seed: UInt64
  let gate = Gate()
  let deliveries = Deliveries()
  let state = Mutex(State())

  struct State: Sendable {
    var plugins: [Plugin] = []
    /// All handlers, higher priorities first, then by the order of loading.
    var before: [EventKind: [(Plugin, Handler)]] = [:]
    var after: [EventKind: [(Plugin, Handler)]] = [:]
    var policies: [(Plugin, LuaPolicy)] = []
    var asked: EventSet = []
    var told: EventSet = []
    /// The fork that the event or command under way belongs to.
    var fork: Fork?
    var caller: Caller?
    var isReporting = false
    /// Whether there is a thread that tells of programs.
    var delivers = false
    /// What mounts are still to be told of, and whether there is a thread that does.
    var untold: [ForkID: Untold] = [:]
    var tellsMounts = false
  }

  /// - Parameter seed: of `math.random`, the same for a replay to come out the same.
  public init(workspace: Workspace, host: any PluginHost, seed: UInt64 = 1) {
    self.workspace = workspace
    self.host = host
    self.seed = seed
    limits = LuaLimits()
    workspace.hooks.policy = PluginPolicy(self)
    workspace.hooks.add(PluginObserver(self))
  }

  deinit { deliveries.end() }

  var plugins: [Plugin] { state.withLock { $0.plugins } }

  /// The fork that plugins work on now.
  var fork: Fork { state.withLock { $0.fork } ?? host.currentFork }
  var client: Client {
    Client(fork, as: state.withLock { $0.caller } ?? host.caller)
  }

  // MARK: Loading

  /// Loads a plugin from its text; one of the same name is replaced, and kept if the new one fails.
  /// - Returns: the plugin's name.
  @discardableResult
  public func load(_ text: [UInt8], from path: [UInt8]) throws(PluginError) -> String {
    let plugin = try gate.enter { _ throws(PluginError) in try Plugin(text, from: path, in: self) }
    catchUp()
    gate.enter { _ in
      state.withLock { state in
        if let index = state.plugins.firstIndex(where: { $0.name == plugin.name }) {
          // What waits to be told by now is told to nobody.
          state.plugins[index].disabled = "replaced"
          state.plugins[index] = plugin
        } else {
          state.plugins.append(plugin)
        }
      }
    }
    refreshInterest()
    tell(.pluginLoad, plugin.name)
    return plugin.name
  }

  public func unload(_ name: String) throws(PluginError) {
    let plugin = try find(name)
    catchUp()
    tell(.pluginUnload, name)
    gate.enter { _ in
      plugin.disabled = "unloaded"
      state.withLock { state in state.plugins.removeAll { $0 === plugin } }
    }
    refreshInterest()
  }

  public func setEnabled(_ name: String, _ isEnabled: Bool) throws(PluginError) {
    let plugin = try find(name)
    catchUp()
    gate.enter { _ in
      plugin.disabled = isEnabled ? nil : "by hand"
      plugin.failuresInRow = 0
    }
    refreshInterest()
  }

  func find(_ name: String) throws(PluginError) -> Plugin {
    guard let plugin = plugins.first(where: { $0.name == name }) else {
      throw PluginError("\(name): no such plugin")
    }
    return plugin
  }

  /// Stops whatever Lua runs now. From any thread.
  public func interrupt() { for plugin in plugins { plugin.state.interrupt() } }

  func refreshInterest() {
    state.withLock { state in
      (state.asked, state.told) = ([], [])
      for plugin in state.plugins {
        let (asked, told) = plugin.interest
        state.asked.formUnion(asked)
        state.told.formUnion(told)
      }
      state.policies = state.plugins.flatMap { plugin in plugin.policies.map { (plugin, $0) } }
      state.before = Self.ordered(state.plugins, isBefore: true)
      state.after = Self.ordered(state.plugins, isBefore: false)
    }
    workspace.hooks.refreshInterest()
  }

  private static func ordered(
    _ plugins: [Plugin], isBefore: Bool
  ) -> [EventKind: [(Plugin, Handler)]] {
    let all = plugins.filter { $0.disabled == nil }.flatMap { plugin in
      plugin.handlers.filter { $0.isBefore == isBefore }.map { (plugin, $0) }
    }
    let sorted = all.enumerated().sorted { left, right in
      let (a, b) = (left.element.1.priority, right.element.1.priority)
      return a == b ? left.offset < right.offset : a > b
    }
    return Dictionary(grouping: sorted.map(\.element)) { $0.1.kind }
  }

  private func tell(_ kind: EventKind, _ name: String) {
    guard workspace.hooks.isTold(kind) else { return }
    var event = Event(kind)
    event.message = name
    event.fork = fork.name
    event.caller = host.caller
    workspace.hooks.tell(event, on: fork)
  }

  // MARK: Running Lua

  /// Runs a plugin's code for a fork, counting what fails.
  func run<R>(
    _ plugin: Plugin, on fork: Fork, by caller: Caller,
    _ body: (LuaState) throws(LuaFailure) -> R
  ) throws(LuaFailure) -> R {
    let former = state.withLock { state in
      defer { (state.fork, state.caller) = (fork, caller) }
      return (state.fork, state.caller)
    }
    defer { state.withLock { ($0.fork, $0.caller) = former } }
    plugin.calls += 1
    do throws(LuaFailure) {
      let result = try body(plugin.state)
      plugin.failuresInRow = 0
      return result
    } catch {
      failed(plugin, error, on: fork)
      throw error
    }
  }

  static let failuresUntilDisabled = 3

  private func failed(_ plugin: Plugin, _ failure: LuaFailure, on fork: Fork) {
    guard failure.kind != .interrupted else { return }
    plugin.failures += 1
    plugin.failuresInRow += 1
    if !failure.traceback.isEmpty {
      report("\(failure.message)\n\(failure.traceback)")
    } else {
      report(failure.message)
    }
    if plugin.failuresInRow == Self.failuresUntilDisabled {
      plugin.disabled = "failed \(Self.failuresUntilDisabled) times in a row"
      report(
        "plugin \(plugin.name) is disabled: it \(plugin.disabled ?? "failed"). What it would refuse "
          + "is done from now on, until 'plugin enable \(plugin.name)'")
      refreshInterest()
    }
    report(failure, on: fork)
  }

  /// Bytes of a report; with what marks one that is cut, still what a pipe takes at once.
  private static let longestReport = 4000

  /// Tells the person, when no other has to wait for that.
  func report(_ text: String) {
    let start = String(decoding: text.utf8.prefix(Self.longestReport), as: UTF8.self)
    let text = text.utf8.count > Self.longestReport ? start + "\u{2026}" : text
    gate.whenLeft { [host] in host.report(text) }
  }

  /// Tells the handlers of `error`; what fails in those is not told again.
  private func report(_ failure: LuaFailure, on fork: Fork) {
    let isFirst = state.withLock { state in
      defer { state.isReporting = true }
      return !state.isReporting
    }
    guard isFirst else { return }
    defer { state.withLock { $0.isReporting = false } }
    var event = Event(.error)
    event.message = failure.message
    event.fork = fork.name
    observe(event, on: fork)
  }
}

/// The set as the workspace's policy.
final class PluginPolicy: Policy {
  private let set: PluginSet
  init(_ set: PluginSet) { self.set = set }
  var interest: EventSet { self.set.state.withLock { $0.asked } }
  func decide(_ event: Event, on fork: Fork) throws(FileError) -> Verdict {
    try set.decide(event, on: fork)
  }
}

/// The set as an observer.
final class PluginObserver: Observer {
  private let set: PluginSet
  init(_ set: PluginSet) { self.set = set }
  var interest: EventSet { self.set.state.withLock { $0.told } }
  func observe(_ event: Event, on fork: Fork) {
    if event.caller.isProgram { return set.tellLater(event, on: fork) }
    set.gate.enter { isInside in
      if !isInside { set.observe(event, on: fork) }
    }
  }
  func catchUp() { set.catchUp() }
}
