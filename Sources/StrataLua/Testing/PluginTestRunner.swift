/// Runs the tests that stand beside a plugin: `guard_test.lua` beside `guard.lua`.
///
/// A test file says with `base{["/path"]="content"}` what the base holds, and with
/// `test("name", function(t) … end)` what is to be true. Each test has a workspace and a plugin of
/// its own, in memory.
public struct PluginTestRunner {
  public struct Result: Sendable {
    public var name: String
    /// Nil if it passed.
    public var failure: String?
  }

  private let plugin: [UInt8]
  private let pluginPath: [UInt8]

  /// - Parameters:
  ///   - plugin: the plugin's text.
  ///   - path: where that is from, for messages.
  public init(plugin: [UInt8], at path: [UInt8]) {
    self.plugin = plugin
    pluginPath = path
  }

  /// The plugin that a test file belongs to: its own path without `_test`; nil for another name.
  public static func pluginPath(of testPath: [UInt8]) -> [UInt8]? {
    let ending = Array("_test.lua".utf8)
    guard testPath.count > ending.count, testPath.suffix(ending.count).elementsEqual(ending) else {
      return nil
    }
    return Array(testPath.dropLast(ending.count)) + Array(".lua".utf8)
  }

  /// Runs a test file's tests in their order.
  /// - Throws: what is wrong with the file itself.
  public func run(_ text: [UInt8], name: String) throws(PluginError) -> [Result] {
    do throws(LuaFailure) {
      let file = try TestFile(text, name: name)
      var results: [Result] = []
      for (name, body) in file.tests {
        results.append(Result(name: name, failure: run(body, of: file)))
      }
      return results
    } catch {
      throw PluginError(error.message, traceback: error.traceback)
    }
  }

  private func run(_ body: LuaFunction, of file: TestFile) -> String? {
    do throws(PluginError) {
      file.bench = try TestBench(file.base, plugin: plugin, at: pluginPath)
    } catch {
      return error.message
    }
    defer { file.bench = nil }
    do throws(LuaFailure) {
      _ = try file.state.call(body, [])
      return nil
    } catch {
      return error.message
    }
  }
}

/// A test file in a Lua state of its own.
private final class TestFile {
  let state: LuaState
  private(set) var base: [(path: [UInt8], content: [UInt8])] = []
  private(set) var tests: [(String, LuaFunction)] = []
  var bench: TestBench?

  init(_ text: [UInt8], name: String) throws(LuaFailure) {
    state = try LuaState(seed: 1)
    unowned let file = self
    try state.register("base") { _, values throws(LuaCallFailure) in
      for (key, value) in values.first?.table?.pairs ?? [] {
        guard let path = key.bytes, let content = value.bytes else {
          throw LuaCallFailure("base holds paths and texts, not \(key.shown) and \(value.shown)")
        }
        file.base.append((path, content))
      }
      return []
    }
    try state.register("t.add") { _, values throws(LuaCallFailure) in
      guard values.count > 1, let name = values[0].text, let body = values[1].function else {
        throw LuaCallFailure("test takes a name and a function")
      }
      file.tests.append((name, body))
      return []
    }
    for (name, body) in TestFunctions.all {
      try state.register("t.\(name)") { _, values throws(LuaCallFailure) in
        guard let bench = file.bench else { throw LuaCallFailure("t.\(name) outside a test") }
        return try body(bench, values)
      }
    }
    try state.run(Array(Self.prelude.utf8), name: "test")
    try state.run(text, name: name)
  }

  /// The parts that are easier said in Lua.
  private static let prelude = """
    local t, add = t, t.add
    t.add = nil
    function test(name, body) add(name, function() return body(t) end) end

    local function show(value)
      if type(value) == "string" then return string.format("%q", value) end
      if type(value) ~= "table" then return tostring(value) end
      local parts = {}
      for k, v in pairs(value) do parts[#parts + 1] = tostring(k) .. "=" .. show(v) end
      return "{" .. table.concat(parts, ", ") .. "}"
    end

    function t.eq(is, should)
      if show(is) ~= show(should) then error("is " .. show(is) .. ", should be " .. show(should), 2) end
    end

    function t.ok(value, message)
      if not value then error(message or "failed", 2) end
    end

    function t.fails(errno, done, message, name)
      if done then error("was done, should fail with " .. errno, 2) end
      if name ~= errno then error("failed with " .. tostring(message) .. ", not " .. errno, 2) end
    end
    """
}
