import StrataEngine
import SystemPackage
import Testing

@testable import StrataLua

/// What becomes of plugins that fail, and what plugins can do besides deciding.
@Suite(.timeLimit(.minutes(1))) struct PluginTests {
  @Test(arguments: [
    ("error('no')", "p.lua:3: no"), ("error({})", "p.lua:3: (error object is a table value)"),
    ("error(nil)", "p.lua:3: (error object is a nil value)"),
    ("while true do end", "p.lua:3: ran out of its budget of instructions"),
    ("coroutine.yield()", "attempt to yield from outside a coroutine"),
  ]) func `a handler that fails closes the operation, and nothing has changed`(
    _ code: String, _ reason: String
  ) throws {
    let bench = try PluginBench()
    try bench.load("\nstrata.on('before_write', function() \(code) end)")
    #expect(bench.write("/etc/hosts", append: true) == FileError(.notPermitted, reason))
    #expect(!bench.workspace.main.isDirty)
    #expect(bench.reported.first?.contains("stack traceback") == true)
    try bench.plugins.unload("p")
    #expect(bench.write("/etc/hosts") == nil)
  }

  @Test func `a failure may be ignored`() throws {
    let bench = try PluginBench()
    try bench.load("strata.on('before_write', {on_error = 'ignore'}, function() error('x') end)")
    #expect(bench.write("/new") == nil)
  }

  @Test func `three failures in a row disable a plugin, said once`() throws {
    let bench = try PluginBench()
    try bench.load("strata.on('before_write', function() error('x') end)")
    for _ in 0..<3 { #expect(bench.write("/etc/hosts") != nil) }
    #expect(bench.write("/etc/hosts") == nil)
    #expect(bench.reported.filter { $0.contains("disabled") }.count == 1)
    #expect(try bench.plugins.info.first?.disabled != nil)
    try bench.plugins.setEnabled("p", true)
    #expect(bench.write("/etc/hosts") != nil)
  }

  @Test func `an observer that fails stops nothing`() throws {
    let bench = try PluginBench()
    try bench.load(
      """
      strata.on("after_write", function() error("late") end)
      strata.on("error", function(ev) print(ev.message) end)
      """)
    #expect(bench.write("/new") == nil)
    #expect(bench.printed == ["p.lua:2: late\n"])
  }

  @Test func `what a handler does to the namespace is not asked about again`() throws {
    let bench = try PluginBench()
    try bench.load(
      """
      strata.on("before_write", function(ev)
        assert(strata.fs.write("/trail", ev.path))
      end)
      """)
    #expect(bench.write("/new") == nil)
    #expect(try bench.read("/trail") == "/new")
  }

  @Test func `the store forks and undoes with the operation`() throws {
    let bench = try PluginBench()
    try bench.load(
      """
      strata.on("after_write", function() strata.store.n = (strata.store.n or 0) + 1 end)
      strata.command("n", {run = function() print(strata.store.n) end})
      """)
    let (plugins, main) = (try bench.plugins, bench.workspace.main)
    for name in ["/a", "/b"] { #expect(bench.write(name) == nil) }
    let child = try bench.workspace.fork(main, named: "child")
    try bench.workspace.undo(main)
    #expect(try plugins.run("n", [], on: main, by: .superuser) == 0)
    #expect(try plugins.run("n", [], on: child, by: .superuser) == 0)
    #expect(bench.printed == ["1\n", "2\n"])
  }

  @Test func `an event is a plain table, and over when the handler returns`() throws {
    let bench = try PluginBench()
    try bench.load(
      """
      local kept
      strata.on("before_copy_up", function(ev)
        local names = {}
        for name in pairs(ev) do names[#names + 1] = name end
        print(table.concat(names, " "))
        print(ev.from_layer.name, ev.op_id, ev.nothing)
      end)
      strata.on("before_write", function(ev) kept = ev end)
      strata.command("late", {run = function() print(kept.path, kept.size) end})
      """)
    #expect(bench.write("/etc/hosts", append: true) == nil)
    _ = try bench.plugins.run("late", [], on: bench.workspace.main, by: .superuser)
    #expect(
      bench.printed[0] == "bytes event fork from_layer id kind mode node op_id path pid size\n")
    #expect(bench.printed[1] == "base\t1\tnil\n")
    #expect(bench.printed[2] == "nil\tnil\n")
  }

  @Test func `every event of the design can be registered, and a wrong one is named`() throws {
    let bench = try PluginBench()
    let kinds = [
      "open", "create", "write", "remove", "rename", "link", "setattr", "copy_up", "redirect",
      "whiteout", "opaque", "fork", "switch", "commit", "discard", "merge", "import", "export",
      "command", "mount",
    ]
    let names =
      kinds.flatMap { ["before_\($0)", "after_\($0)"] } + [
        "session_start", "session_end", "plugin_load", "plugin_unload", "error",
      ]
    for name in names { try bench.load("strata.on('\(name)', function() end)", name: "q") }
    let error = #expect(throws: PluginError.self) {
      try bench.load("strata.on('before_copyup', function() end)")
    }
    #expect(error?.message == "p.lua:2: no event 'before_copyup'; did you mean 'before_copy_up'?")
  }

  @Test(arguments: [
    ("print(1)", ":1: not a plugin"), ("#!strata-plugin api=1", ":1: name= is missing"),
    ("#!strata-plugin name=p api=2", "written for api=2, this strata has api=1"),
    ("#!strata-plugin name=p api=1\nx y", "p.lua:2: "),
    ("#!strata-plugin name=p api=1\nstrata.policy('x', {writ = 1})", "did you mean 'write'?"),
    ("#!strata-plugin name=p api=1\nstrata.on('error', 5)", "must be a function, not 5"),
    ("#!strata-plugin name=p api=1\nstrata.deny('EFIG')", "no error 'EFIG'; did you mean 'EFBIG'?"),
  ]) func `what cannot be loaded says why`(_ text: String, _ message: String) throws {
    let bench = try PluginBench()
    let error = #expect(throws: PluginError.self) {
      try bench.plugins.load(Array(text.utf8), from: Array("p.lua".utf8))
    }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  @Test func `a reload that fails keeps what was there`() throws {
    let bench = try PluginBench()
    try bench.load("strata.on('before_write', function() return strata.deny() end)")
    #expect(throws: PluginError.self) { try bench.load("this is not Lua") }
    #expect(bench.write("/new")?.errno == .permissionDenied)
    try bench.load("")
    #expect(bench.write("/new") == nil)
  }

  @Test func `settings are set from text of their kind`() throws {
    let bench = try PluginBench()
    try bench.load("strata.setting('size', 1) strata.setting('on', false) strata.setting('s', 'x')")
    let plugins = try bench.plugins
    for (name, text) in [("size", "64K"), ("on", "yes"), ("s", "a b")] {
      try plugins.set(name, of: "p", to: text)
    }
    #expect(plugins.info[0].settings.map(\.value) == ["65536", "true", "a b"])
    for (name, text) in [("size", "many"), ("on", "maybe"), ("siz", "1")] {
      #expect(throws: PluginError.self) { try plugins.set(name, of: "p", to: text) }
    }
  }
}
