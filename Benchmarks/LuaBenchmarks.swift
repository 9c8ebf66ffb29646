internal import StrataEngine
internal import StrataLua

/// What a handler costs an event: one whose pattern does not match, and one that reads three fields.
enum LuaBenchmarks {
  static func run() throws {
    let none = try measure("")
    let other = try measure(
      "strata.on('before_setattr', {pattern='/etc/**'}, function() end)")
    let base = try measure(
      "strata.on('before_setattr', {pattern='/none/of/it'}, function() end)")
    Bench.report("chmod of a file, no handler at all", none, "ns")
    Bench.report("  with a handler that does not match", base, "ns")
    let many = try measure(
      (0..<100).map { "strata.on('before_setattr', {pattern='/etc/\($0)/**'}, function() end)" }
        .joined(separator: " "))
    Bench.report("a further handler that does not match", (many - other) / 99, "ns", limit: 50)
    let three = try measure(
      "strata.on('before_setattr', function(ev) local a, b, c = ev.path, ev.mode, ev.fork end)")
    Bench.report("a handler that matches and reads three fields", three - base, "ns", limit: 2000)
  }

  /// Nanoseconds of a chmod under a plugin with the code.
  private static func measure(_ code: String) throws -> Double {
    let workspace = try EmptyBase.workspace()
    let host = SilentHost(workspace)
    let plugins = PluginSet(workspace: workspace, host: host)
    try plugins.load(Array("#!strata-plugin name=p api=1\n\(code)".utf8), from: Array("p.lua".utf8))
    let fork = workspace.main
    let node = try fork.create("file", in: .root, .regular, mode: 0o644, by: .superuser)
    let time = try Bench.median(count: 50_000) { index in
      try fork.setAttributes(
        node, AttributeChanges(mode: index & 1 == 0 ? 0o600 : 0o644), by: .superuser)
    }
    withExtendedLifetime((workspace, plugins)) {}
    return time
  }
}

private final class SilentHost: PluginHost {
  private unowned let workspace: Workspace
  init(_ workspace: Workspace) { self.workspace = workspace }
  var currentFork: Fork { workspace.main }
  var caller: Caller { .superuser }
  func print(_ bytes: [UInt8]) {}
  func report(_ text: String) { Swift.print(text) }
  func freeBytes(_ directory: [UInt8]?) -> Int64 { 0 }
}
