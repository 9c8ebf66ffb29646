public import StrataEngine

/// What there is to know of a loaded plugin.
public struct PluginInfo: Sendable {
  public var name: String
  /// Where it was loaded from.
  public var path: [UInt8]
  /// Why it is not asked any more; nil while it is.
  public var disabled: String?
  /// Events that it has handlers for, in the order in which they were registered.
  public var events: [String]
  public var commands: [(name: String, summary: String, usage: String)]
  public var settings: [(name: String, value: String)]
  /// One line of what decides a write: where, which paths, what, and for handlers the priority.
  public var rules: [(place: String, pattern: String, effect: String, priority: Int?)]
  public var calls: Int
  public var failures: Int
  /// Events of programs that it was not told of, because too many waited.
  public var dropped: Int
  /// Bytes that its state holds.
  public var memory: Int
}

extension PluginSet {
  public var info: [PluginInfo] { gate.enter { _ in plugins.map(\.info) } }

  // MARK: Settings

  /// Sets a setting from text; a number may end in K, M or G, for powers of 1024.
  public func set(_ setting: String, of name: String, to text: String) throws(PluginError) {
    let plugin = try find(name)
    try gate.enter { _ throws(PluginError) in
      guard let index = plugin.settings.firstIndex(where: { $0.name == setting }) else {
        let known = plugin.settings.map(\.name)
        throw PluginError(
          "\(name): no setting '\(setting)'" + API.nearest(to: setting, among: known))
      }
      plugin.settings[index].value = try Self.value(
        text, like: plugin.settings[index].value, "\(name).\(setting)")
    }
  }

  private static func value(
    _ text: String, like old: LuaValue, _ what: String
  ) throws(PluginError) -> LuaValue {
    switch old {
    case .integer, .number:
      let units: [Character: Int64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
      let unit = text.last.flatMap { units[$0] }
      let digits = unit == nil ? text : String(text.dropLast())
      if let number = Int64(digits),
        case (let size, false) = number.multipliedReportingOverflow(
          by: unit ?? 1)
      {
        return .integer(size)
      }
      if let number = Double(text) { return .number(number) }
      throw PluginError("\(what): '\(text)' is no number")
    case .boolean:
      switch text {
      case "true", "on", "yes": return .boolean(true)
      case "false", "off", "no": return .boolean(false)
      default: throw PluginError("\(what): '\(text)' is neither on nor off")
      }
    default: return .text(text)
    }
  }

  // MARK: Commands and health

  /// Runs a command that a plugin has registered and returns its exit status.
  public func run(
    _ command: String, _ arguments: [[UInt8]], on fork: Fork, by caller: Caller
  ) throws(PluginError) -> Int32 {
    for plugin in plugins where plugin.disabled == nil {
      guard let found = plugin.commands.first(where: { $0.name == command }) else { continue }
      return try gate.enter { _ throws(PluginError) in
        let context = LuaValue.table([
          "args": .list(arguments.map { .string($0) }), "fork": .text(fork.name),
        ])
        do throws(LuaFailure) {
          let results = try run(plugin, on: fork, by: caller) { state throws(LuaFailure) in
            try state.call(found.run, [context])
          }
          return Int32(clamping: results.first?.integer ?? 0)
        } catch {
          throw PluginError(error.message, traceback: error.traceback)
        }
      }
    }
    throw PluginError("\(command): no plugin has such a command")
  }

  /// What the plugins' own checks say: plugin, level (`ok`, `warning`, `error`), text.
  public func health() -> [(plugin: String, level: String, message: String)] {
    var reports: [(plugin: String, level: String, message: String)] = []
    for plugin in plugins {
      gate.enter { _ in
        if let reason = plugin.disabled {
          reports.append((plugin.name, "warning", "disabled: \(reason)"))
        }
        for check in plugin.healthChecks {
          do throws(LuaFailure) {
            let results = try run(plugin, on: fork, by: host.caller) { state throws(LuaFailure) in
              try state.call(check, [])
            }
            let level = results.first?.text ?? "ok"
            reports.append((plugin.name, level, results.dropFirst().first?.text ?? ""))
          } catch {
            reports.append((plugin.name, "error", error.message))
          }
        }
      }
    }
    return reports
  }
}

extension Plugin {
  var info: PluginInfo {
    var rules: [(place: String, pattern: String, effect: String, priority: Int?)] = []
    for policy in policies {
      for rule in policy.rules {
        let route = rule.route.map { "to \($0)" }
        let effect = [rule.effect?.shown, route].compactMap { $0 }.joined(separator: " ")
        rules.append((place(policy.line), rule.shown, effect, nil))
      }
      if policy.choose != nil { rules.append((place(policy.line), "", "choose()", nil)) }
      if let write = policy.write { rules.append((place(policy.line), "", write.shown, nil)) }
    }
    for handler in handlers where handler.isBefore {
      rules.append(
        (
          place(handler.line), handler.pattern?.text ?? "", handler.name, Int(handler.priority)
        ))
    }
    var events: [String] = []
    for handler in handlers where !events.contains(handler.name) { events.append(handler.name) }
    return PluginInfo(
      name: name, path: path, disabled: disabled, events: events,
      commands: commands.map { ($0.name, $0.summary, $0.usage) },
      settings: settings.map { ($0.name, $0.value.setting) }, rules: rules, calls: calls,
      failures: failures, dropped: dropped, memory: state.memory)
  }
}

extension LuaValue {
  /// As it is typed to set it.
  fileprivate var setting: String { text ?? shown }
}
