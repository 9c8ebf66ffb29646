internal import StrataEngine
internal import StrataShell

/// No plugins, until StrataLua has some.
final class LuaHub: PluginHub, @unchecked Sendable {
  private let none = NoPlugins()
  var print: Output?

  init(_ workspace: Workspace, isReplay: Bool = false) {}
  func interrupt() {}

  var plugins: [PluginSummary] { [] }
  var commands: [PluginCommand] { [] }
  var rules: [PolicyRule] { [] }
  func load(_ text: [UInt8], from path: [UInt8]) throws(PluginFailure) -> PluginSummary {
    try none.load(text, from: path)
  }
  func unload(_ name: String) throws(PluginFailure) { try none.unload(name) }
  func setEnabled(_ name: String, _ isEnabled: Bool) throws(PluginFailure) {
    try none.setEnabled(name, isEnabled)
  }
  func settings(of name: String) throws(PluginFailure) -> [(name: String, value: String)] {
    try none.settings(of: name)
  }
  func set(_ setting: String, of name: String, to value: String) throws(PluginFailure) {
    try none.set(setting, of: name, to: value)
  }
  func run(
    _ command: String, _ arguments: [[UInt8]], on fork: Fork, caller: Caller, output: Output,
    input: any ByteSource, cancellation: Cancellation
  ) throws(PluginFailure) -> Int32 {
    try none.run(
      command, arguments, on: fork, caller: caller, output: output, input: input,
      cancellation: cancellation)
  }
  func health() -> [HealthReport] { [] }
}
