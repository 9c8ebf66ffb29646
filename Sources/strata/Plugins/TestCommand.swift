internal import StrataEngine
internal import StrataLua
internal import StrataShell

extension Command {
  /// The command that runs plugins' tests, which are files of the host.
  static func test(_ host: MachineHost) -> Command {
    Command(
      "test", .plugins, .manages, "run the tests of plugins", usage: ["FILE…"],
      operands: [Operand("FILE", .hostPath, repeated: true)],
      details: """
        NAME_test.lua beside NAME.lua holds tests of the plugin: base{["/path"]="content"} says what \
        the base holds, test("name", function(t) … end) what is to be true. Each test runs in a \
        session of its own, in memory. The status is 0 when all pass, 1 when some fail, 2 when a \
        file could not be run.
        """,
      examples: ["test --help"]
    ) { context in
      guard !context.operands.isEmpty else { throw UsageError("no FILE") }
      var (passed, failed, broken) = (0, 0, 0)
      for path in context.operands {
        let results: [PluginTestRunner.Result]
        do throws(PluginFailure) {
          results = try Self.results(of: path, host)
        } catch {
          broken += 1
          try context.complain("\(ShownName(path)): \(error.message)")
          continue
        }
        for result in results {
          if let failure = result.failure {
            failed += 1
            try context.print("FAIL \(result.name)\n     \(failure)")
          } else {
            passed += 1
            try context.print("ok   \(result.name)")
          }
        }
      }
      try context.print("\(passed) passed, \(failed) failed")
      return broken > 0 ? 2 : failed > 0 ? 1 : 0
    }
  }

  private static func results(
    of path: [UInt8], _ host: MachineHost
  ) throws(PluginFailure) -> [PluginTestRunner.Result] {
    guard let pluginPath = PluginTestRunner.pluginPath(of: path) else {
      throw PluginFailure("the name of a plugin's tests ends in _test.lua")
    }
    let name = String(decoding: path.split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self)
    do throws(PluginError) {
      let runner = PluginTestRunner(plugin: try contents(pluginPath, host), at: pluginPath)
      return try runner.run(try contents(path, host), name: name)
    } catch {
      throw PluginFailure(error.message)
    }
  }

  private static func contents(
    _ path: [UInt8], _ host: MachineHost
  ) throws(PluginError) -> [UInt8] {
    do throws(FileError) {
      return try host.contents(of: path)
    } catch {
      throw PluginError("\(ShownName(path)): \(error.text)")
    }
  }
}
