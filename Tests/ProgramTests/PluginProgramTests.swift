import Glibc
import Testing

/// The plugins that ship, tested through the built program.
@Suite struct PluginProgramTests {
  @Test func `the tests of the shipped plugins pass`() throws {
    let names = ["audit", "branches", "guard", "hot", "scratch", "sizes", "snapshot"]
    let files = names.map { "\(StrataProgram.root)/examples/plugins/\($0)_test.lua" }
    let result = try Finished.strata(["test"] + files)
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    #expect(result.output.contains(" passed, 0 failed"))
  }

  @Test func `a test that fails says where and why`() throws {
    let directory = try TemporaryDirectory()
    try directory.write("p.lua", "#!strata-plugin name=p api=1\n")
    try directory.write(
      "p_test.lua",
      "base{['/a'] = 'x'}\ntest('holds', function(t)\n  t.eq(t.read('/a'), 'y')\nend)\n")
    let result = try Finished.strata(["test", "\(directory.path)/p_test.lua"])
    #expect(result.status == 1)
    #expect(result.output.contains("FAIL holds\n     p_test.lua:3: is \"x\", should be \"y\""))
    let missing = try Finished.strata(["test", "\(directory.path)/q_test.lua"])
    #expect(missing.status == 2)
  }
}
