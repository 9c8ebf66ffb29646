public import StrataEngine

/// The plugins of a session, as the shell sees them.
public protocol PluginHub: AnyObject, Sendable {
  var plugins: [PluginSummary] { get }
  /// The commands that plugins have registered.
  var commands: [PluginCommand] { get }
  /// What plugins say about writes, in the order in which they are asked.
  var rules: [PolicyRule] { get }

  /// Loads a plugin from its text.
  /// - Parameter path: where the text is from, for messages and `reload`.
  func load(_ text: [UInt8], from path: [UInt8]) throws(PluginFailure) -> PluginSummary
  func unload(_ name: String) throws(PluginFailure)
  func setEnabled(_ name: String, _ isEnabled: Bool) throws(PluginFailure)

  /// Settings of a plugin by name, in the notation in which they are set.
  func settings(of name: String) throws(PluginFailure) -> [(name: String, value: String)]
  func set(_ setting: String, of name: String, to value: String) throws(PluginFailure)

  /// Runs a command that a plugin has registered; its `print` goes to `output`.
  /// - Returns: its exit status.
  func run(
    _ command: String, _ arguments: [[UInt8]], on fork: Fork, caller: Caller, output: Output,
    input: any ByteSource, cancellation: Cancellation
  ) throws(PluginFailure) -> Int32

  /// What `checkhealth` shows, the plugins' own reports included.
  func health() -> [HealthReport]
}

/// Why a plugin did not do what it was told to: text for a person, with `plugin:line` where known.
public struct PluginFailure: Error, Equatable, Sendable {
  public var message: String
  public init(_ message: String) { self.message = message }
}

public struct PluginSummary: Equatable, Sendable {
  public enum State: Equatable, Sendable {
    case enabled
    case disabled(reason: String)
  }

  public var name: String
  /// Where it was loaded from.
  public var path: [UInt8]
  public var state: State
  /// Handlers of events, by the event's name and in order: `before_copy_up`.
  public var events: [String]
  public var commands: [String]
  /// Times that it was entered, and failed.
  public var calls: Int
  public var failures: Int
  /// Events of programs that it has missed.
  public var dropped: Int

  public init(
    name: String, path: [UInt8], state: State = .enabled, events: [String] = [],
    commands: [String] = [], calls: Int = 0, failures: Int = 0, dropped: Int = 0
  ) {
    self.name = name
    self.path = path
    self.state = state
    self.events = events
    self.commands = commands
    self.calls = calls
    self.failures = failures
    self.dropped = dropped
  }
}

public struct PluginCommand: Equatable, Sendable {
  public var name: String
  public var plugin: String
  public var summary: String
  public var usage: String

  public init(name: String, plugin: String, summary: String = "", usage: String = "") {
    self.name = name
    self.plugin = plugin
    self.summary = summary
    self.usage = usage
  }
}

/// One line of what decides a write.
public struct PolicyRule: Equatable, Sendable {
  public var plugin: String
  /// Where it is written: `guard.lua:4`.
  public var place: String
  /// Which paths: a pattern, or empty for all.
  public var pattern: String
  /// What comes of it, for a person: `deny EROFS`, `copy_up to scratch`, `choose()`, `handler`.
  public var effect: String
  /// Order among handlers; nil for rules and `choose`, which come first.
  public var priority: Int?

  public init(
    plugin: String, place: String, pattern: String, effect: String, priority: Int? = nil
  ) {
    self.plugin = plugin
    self.place = place
    self.pattern = pattern
    self.effect = effect
    self.priority = priority
  }
}

public struct HealthReport: Equatable, Sendable {
  public enum Level: String, Sendable { case ok, warning, error, info }

  /// What was checked: a plugin's name, `lua`, `bases`.
  public var subject: String
  public var level: Level
  public var message: String

  public init(subject: String, level: Level, message: String) {
    self.subject = subject
    self.level = level
    self.message = message
  }
}

/// No plugins: for a session without a script engine.
public final class NoPlugins: PluginHub {
  public init() {}
  public var plugins: [PluginSummary] { [] }
  public var commands: [PluginCommand] { [] }
  public var rules: [PolicyRule] { [] }

  public func load(_ text: [UInt8], from path: [UInt8]) throws(PluginFailure) -> PluginSummary {
    throw PluginFailure("this session runs no plugins")
  }
  public func unload(_ name: String) throws(PluginFailure) { throw Self.unknown(name) }
  public func setEnabled(_ name: String, _ isEnabled: Bool) throws(PluginFailure) {
    throw Self.unknown(name)
  }
  public func settings(of name: String) throws(PluginFailure) -> [(name: String, value: String)] {
    throw Self.unknown(name)
  }
  public func set(_ setting: String, of name: String, to value: String) throws(PluginFailure) {
    throw Self.unknown(name)
  }
  public func run(
    _ command: String, _ arguments: [[UInt8]], on fork: Fork, caller: Caller, output: Output,
    input: any ByteSource, cancellation: Cancellation
  ) throws(PluginFailure) -> Int32 { throw Self.unknown(command) }
  public func health() -> [HealthReport] { [] }

  private static func unknown(_ name: String) -> PluginFailure {
    PluginFailure("no plugin named \(name) is loaded")
  }
}
