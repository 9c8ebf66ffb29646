import StrataEngine
import StrataTestSupport
import SystemPackage
import Testing

@testable import StrataLua

/// What is asked for one name of a file that has several holds for all.
@Suite struct HardLinkTests {
  private let denied = FileError(.notPermitted, "p.lua: rule 1 (/a1)")
  private let rule =
    "strata.policy('p', {rules = {{match = '/a1', write = 'deny', errno = 'EPERM'}}})"

  /// With a file that the base has as `/a1` and `/b1`.
  private func bench() throws -> PluginBench {
    let bench = try PluginBench([("a1", .file("one\n"))])
    bench.base.link("a1", as: "b1")
    return bench
  }

  private func path(_ text: String) -> [UInt8] { Array(text.utf8) }

  private func look(at names: [String], _ bench: PluginBench) throws {
    for name in names { _ = try bench.client.resolve(path(name)) }
  }

  /// Writes as a program does, of which nobody knows by what name it has opened the file.
  private func writeAsProgram(_ name: String, _ bench: PluginBench) throws {
    let fork = bench.workspace.main
    let node = try bench.client.resolve(path(name))
    _ = try fork.open(node, [.write], by: .superuser).write(path("x"), at: 0)
  }

  @Test(arguments: [["/a1"], ["/b1"], ["/a1", "/b1"], ["/b1", "/a1"], []])
  func `a rule holds in whatever order the names were looked at`(_ names: [String]) throws {
    for name in ["/a1", "/b1"] {
      let bench = try bench()
      try bench.load(rule)
      try look(at: names, bench)
      #expect(bench.write(name, append: true) == denied)
      #expect(throws: denied) { try writeAsProgram(name, bench) }
      #expect(throws: denied) {
        try bench.client.setAttributes(path(name), AttributeChanges(mode: 0o600))
      }
      #expect(!bench.workspace.main.isDirty)
    }
  }

  @Test func `a rule with wildcards holds for names that somebody has looked at`() throws {
    let bench = try bench()
    try bench.load("strata.policy('p', {rules = {{match = '/a*', write = 'deny'}}})")
    try look(at: ["/a1", "/b1"], bench)
    #expect(bench.write("/b1", append: true) == FileError(.permissionDenied, "p.lua: rule 1 (/a*)"))
    #expect(bench.write("/big") == nil)
  }

  @Test func `a rule holds for names that layers have made, as long as they are there`() throws {
    let bench = try PluginBench([("a", .file("one\n")), ("d/x", .file("x"))])
    let (client, workspace) = (bench.client, bench.workspace)
    try client.link(path("/a"), as: path("/d/a1"))
    try client.link(path("/a"), as: path("/d/other"))
    try client.rename(path("/a"), to: path("/b"))
    // All that a fork has is from below to its child.
    let fork = try workspace.fork(workspace.main, named: "work")
    let work = Client(fork, as: .superuser)
    try bench.load(
      "strata.policy('p', {rules = {{match = '*1', write = 'deny', errno = 'EPERM'}}})")
    let denied = FileError(.notPermitted, "p.lua: rule 1 (*1)")
    for name in ["/b", "/d/a1", "/d/other"] {
      #expect(throws: denied) { try work.write(path(name), path("x")) }
      #expect(throws: denied) { try work.write(path(name), path("x"), append: true) }
    }
    try bench.plugins.unload("p")
    try workspace.operation("unlink", on: fork) { () throws(FileError) in
      try work.unlink(path("/d/a1"))
    }
    try bench.load(
      "strata.policy('p', {rules = {{match = '*1', write = 'deny', errno = 'EPERM'}}})")
    try workspace.operation("write", on: fork) { () throws(FileError) in
      try work.write(path("/b"), path("x"))
    }
    // The other fork has the name still, and so has this one after an undo.
    #expect(throws: denied) { try client.setAttributes(path("/b"), AttributeChanges(mode: 0o600)) }
    try workspace.undo(fork)
    try workspace.undo(fork)
    #expect(throws: denied) { try work.write(path("/b"), path("x")) }
  }

  @Test func `each name has the first rule that matches it, and one that denies is enough`() throws
  {
    let bench = try PluginBench([("tmp/x", .file("x")), ("usr/free/x", .file("x"))])
    bench.base.link("usr/bin/x", as: "tmp/y")
    bench.base.link("usr/free/x", as: "tmp/z")
    try look(at: ["/usr/bin/x", "/tmp/y", "/usr/free/x", "/tmp/z"], bench)
    try bench.load(
      """
      strata.policy('p', {rules = {
        {match = {'/tmp/**', '/usr/free/**'}, write = 'redirect'},
        {match = '/usr/**', write = 'deny', errno = 'EROFS'}}})
      """)
    #expect(
      bench.write("/tmp/y", append: true)
        == FileError(.readOnlyFileSystem, "p.lua: rule 2 (/usr/**)"))
    #expect(bench.write("/tmp/z", append: true) == nil)
    #expect(try bench.provenance("/tmp/z") == ["redirect p.lua: rule 1 (/tmp/** /usr/free/**)"])
  }

  @Test func `a rule for another name chooses, where none is for the one that is used`() throws {
    let bench = try bench()
    try bench.load("strata.policy('p', {rules = {{match = '/a1', write = 'redirect'}}})")
    #expect(bench.write("/b1", append: true) == nil)
    #expect(try bench.provenance("/b1") == ["redirect p.lua: rule 1 (/a1)"])
  }

  @Test func `a route is for the name that is used, and hides no other`() throws {
    let bench = try PluginBench([("cache/a", .file("one"))])
    bench.base.link("cache/a", as: "kept")
    try look(at: ["/cache/a", "/kept"], bench)
    try bench.load(
      """
      strata.layer_add("scratch")
      strata.policy("p", {rules = {{match = "/cache/**", to = "scratch"}}})
      """)
    #expect(bench.write("/kept", append: true) == nil)
    #expect(try bench.diff() != [])
  }

  @Test func `a policy that denies what no rule allows denies what has such a name`() throws {
    let bench = try bench()
    try bench.load(
      """
      strata.policy('p', {write = 'deny', errno = 'EROFS', rules = {
        {match = '/a1', write = 'copy_up'}, {match = '/big', write = 'copy_up'}}})
      """)
    try look(at: ["/b1"], bench)
    #expect(bench.write("/a1") == FileError(.readOnlyFileSystem, "p.lua: policy p"))
    #expect(bench.write("/big") == nil)
  }

  @Test func `a handler is asked and told by any name, and sees the one that was used`() throws {
    let bench = try PluginBench()
    try bench.load(
      """
      strata.on("before_copy_up", {pattern = "/etc/hosts"}, function(ev) print("up", ev.path) end)
      strata.on("before_write", {pattern = "/etc/h*"}, function(ev) print("before", ev.path) end)
      strata.on("after_write", {pattern = "/etc/h*"}, function(ev) print("after", ev.path) end)
      strata.on("before_write", {pattern = "/none"}, function(ev) print("none") end)
      """)
    try bench.client.link(path("/etc/hosts"), as: path("/third"))
    #expect(bench.write("/third", append: true) == nil)
    #expect(bench.write("/etc/hosts", append: true) == nil)
    #expect(
      bench.printed == [
        "before\t/third\n", "up\t/third\n", "after\t/third\n", "before\t/etc/hosts\n",
        "after\t/etc/hosts\n",
      ])
    // Of a program nobody knows by which name it has opened the file: the name is one that matches.
    try writeAsProgram("/third", bench)
    #expect(bench.printed.suffix(2) == ["before\t/etc/hosts\n", "after\t/etc/hosts\n"])
    try bench.client.unlink(path("/etc/hosts"))
    let count = bench.printed.count
    #expect(bench.write("/third", append: true) == nil)
    #expect(bench.printed.count == count)
  }

  @Test(arguments: [
    ("/a1", true), ("/d/a1", true), ("/a*", false), ("a1", false), ("/a1/", false),
    ("/d/../a1", false),
    ("//a1", false), ("/./a1", false), ("/a1/**", false), ("/a\\1", false),
  ]) func `a pattern that matches one path says which`(_ text: String, _ isOne: Bool) {
    #expect(PathPattern(text).path == (isOne ? path(text) : nil))
  }
}
