import Testing

@testable import StrataLua

/// What a hostile or broken plugin may try. Each ends with a clean failure, and the state goes on.
@Suite(.timeLimit(.minutes(1))) struct SandboxTests {
  struct Attack: CustomTestStringConvertible {
    var name: String
    var kind: LuaFailure.Kind
    var code: String
    var testDescription: String { name }
  }

  static let attacks: [Attack] = [
    .init(name: "an endless loop", kind: .budget, code: "while true do end"),
    .init(
      name: "an endless loop that catches", kind: .budget,
      code: "while true do pcall(function() while true do end end) end"),
    .init(
      name: "an endless loop in a coroutine", kind: .budget,
      code: "coroutine.resume(coroutine.create(function() while true do end end))"),
    .init(
      name: "an endless loop in a wrapped coroutine", kind: .budget,
      code: "coroutine.wrap(function() while true do end end)()"),
    .init(
      name: "ever new coroutines", kind: .budget,
      code: "while true do coroutine.wrap(function() for i = 1, 100 do end end)() end"),
    .init(
      name: "a handler of xpcall that loops", kind: .budget,
      code: "xpcall(error, function() while true do end end)"),
    .init(
      name: "a handler of xpcall that fails for ever", kind: .budget,
      code: "while true do xpcall(error, function() error() end) end"),
    .init(
      name: "closing that loops", kind: .budget,
      code: """
        local c <close> = setmetatable({}, {__close = function() while true do end end})
        while true do end
        """),
    .init(
      name: "a finaliser", kind: .error,
      code: "setmetatable({}, {__gc = function() while true do end end})"),
    .init(
      name: "a pattern that goes back for ever", kind: .budget,
      code: "string.find(('a'):rep(3000), ('.-'):rep(4) .. 'b')"),
    .init(
      name: "the same by a method of gsub", kind: .budget,
      code: "(('a'):rep(3000)):gsub(('.-'):rep(4) .. 'b', 'x')"),
    .init(
      name: "tables without end", kind: .memory,
      code: "local t = {} while true do t = {t, {}, {}, {}} end"),
    .init(name: "a string bomb", kind: .error, code: "return ('x'):rep(1 << 40)"),
    .init(
      name: "a string bomb by separators", kind: .memory,
      code: "return (''):rep(1 << 20, ('x'):rep(1 << 10))"),
    .init(
      name: "a string that doubles", kind: .memory,
      code: "local s = 'x' while true do s = s .. s end"),
    .init(
      name: "strings made and dropped", kind: .budget,
      code: "local s = ('x'):rep(1 << 24) while true do local t = s .. 'y' end"),
    .init(
      name: "a recursion without end", kind: .memory,
      code: "local function f() return 1 + f() end f()"),
    .init(
      name: "a recursion through gsub", kind: .error,
      code: "local function f() return (('x'):gsub('x', f)) end f()"),
    .init(
      name: "a recursion through sort", kind: .error,
      code: "local function f() table.sort({1, 2, 3}, f) return false end f()"),
    .init(
      name: "a recursion through metamethods", kind: .error,
      code:
        "local t = {} setmetatable(t, {__index = function(t, k) return t[k .. 'x'] end}) return t.x"
    ),
    .init(
      name: "coroutines inside one another", kind: .error,
      code: "local function f() coroutine.wrap(f)() end f()"),
    .init(
      name: "a move of far too much", kind: .error,
      code: "table.move({}, 1, math.maxinteger - 1, 2)"),
    .init(
      name: "an insertion by a made-up length", kind: .error,
      code: "table.insert(setmetatable({}, {__len = function() return 1 << 60 end}), 1, 1)"),
    .init(name: "an error of nil", kind: .error, code: "error(nil)"),
    .init(name: "an error of a table", kind: .error, code: "error({})"),
    .init(
      name: "an error with a text that loops", kind: .error,
      code: "error(setmetatable({}, {__tostring = function() while true do end end}))"),
    .init(name: "a yield to nobody", kind: .error, code: "coroutine.yield()"),
    .init(name: "the strings' metatable", kind: .error, code: "getmetatable('').__index = nil"),
    .init(name: "bytecode", kind: .syntax, code: "\u{1B}Lua"),
    .init(name: "no syntax", kind: .syntax, code: "this is not Lua"),
  ]

  @Test(arguments: attacks) func `an attack fails and the state goes on`(_ attack: Attack) throws {
    let state = try LuaState(seed: 1)
    do throws(LuaFailure) {
      try state.run(Array(attack.code.utf8), name: "evil.lua")
      Issue.record("it came to its end")
    } catch {
      #expect(error.kind == attack.kind, "\(error.message)")
      #expect(!error.message.isEmpty)
    }
    try state.run(Array("assert(1 + 1 == 2)".utf8), name: "after.lua")
    try LuaState(seed: 2).run(Array("assert(('x'):rep(3) == 'xxx')".utf8), name: "other.lua")
  }

  @Test(arguments: [
    "io", "os", "debug", "package", "require", "load", "loadfile", "dofile", "loadstring",
    "collectgarbage", "string.dump", "math.randomseed",
  ]) func `there is no way out`(_ name: String) throws {
    try LuaState(seed: 1).run(Array("assert(\(name) == nil)".utf8), name: "x.lua")
  }

  @Test func `an error names the line`() throws {
    let state = try LuaState(seed: 1)
    for (code, message) in [
      ("\n\nerror('no')", "x.lua:3: no"), ("local t\nreturn t.x", "x.lua:2: "),
      ("\nerror({})", "x.lua:2: (error object is a table value)"), ("x y", "x.lua:1: "),
    ] {
      let failure = #expect(throws: LuaFailure.self) {
        try state.run(Array(code.utf8), name: "x.lua")
      }
      #expect(failure?.message.hasPrefix(message) == true, "\(failure?.message ?? "")")
    }
  }

  @Test func `an interruption from another thread ends a loop`() async throws {
    let state = try LuaState(limits: LuaLimits(instructions: .max), seed: 1)
    let interrupt = state.interrupt
    let other = Task.detached {
      try await Task.sleep(for: .milliseconds(100))
      interrupt()
    }
    let failure = #expect(throws: LuaFailure.self) {
      try state.run(Array("while true do pcall(function() end) end".utf8), name: "x.lua")
    }
    #expect(failure?.kind == .interrupted)
    _ = try await other.value
    try state.run(Array("assert(true)".utf8), name: "after.lua")
  }

  @Test func `values cross the border and come back`() throws {
    let state = try LuaState(seed: 1)
    var seen: [LuaValue] = []
    try state.register("host.take") { _, values throws(LuaCallFailure) in
      seen = values
      return values
    }
    let code = #"""
      local a, b, c, d, e = host.take(1, 2.5, "a\0b\255", {x = {1, 2, {y = true}}}, nil)
      assert(a == 1 and b == 2.5 and c == "a\0b\255" and d.x[3].y == true and e == nil)
      local loop = {} loop.loop = loop
      assert(not pcall(host.take, loop))
      """#
    try state.run(Array(code.utf8), name: "x.lua")
    #expect(seen.count == 5)
  }

  @Test func `what Swift refuses is an error at the caller's line`() throws {
    let state = try LuaState(seed: 1)
    try state.register("host.fail") { _, _ throws(LuaCallFailure) in
      throw LuaCallFailure("not today")
    }
    let failure = #expect(throws: LuaFailure.self) {
      try state.run(Array("\n\nhost.fail()".utf8), name: "x.lua")
    }
    #expect(failure?.message == "x.lua:3: not today")
  }

  @Test func `pairs and random numbers are the same in every run`() throws {
    let code = """
      local t = {} for _, w in ipairs {"zeta", "alpha", "mid", 3, 1, 2} do t[w] = true end
      local list = {} for k in pairs(t) do list[#list + 1] = tostring(k) end
      assert(table.concat(list, " ") == "1 2 3 alpha mid zeta")
      host.take(math.random(1 << 40), tostring({}))
      """
    var runs: [[String]] = []
    for _ in 0..<2 {
      let state = try LuaState(seed: 7)
      try state.register("host.take") { _, values throws(LuaCallFailure) in
        runs.append(values.map(\.shown))
        return []
      }
      try state.run(Array(code.utf8), name: "x.lua")
    }
    #expect(runs[0] == runs[1] && runs[0][1] == "\"table\"")
  }
}
