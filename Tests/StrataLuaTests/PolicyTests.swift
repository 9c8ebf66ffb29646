import StrataEngine
import SystemPackage
import Testing

@testable import StrataLua

/// Who decides, in which order, and what comes of it.
@Suite struct PolicyTests {
  @Test func `the first rule that matches decides, before choose`() throws {
    let bench = try PluginBench()
    try bench.load(
      """
      strata.policy("p", {rules = {
        {match = "/etc/**", write = "redirect"}, {match = "/etc/hosts", write = "deny"}},
        choose = function() error("not asked") end})
      """)
    #expect(bench.write("/etc/hosts", append: true) == nil)
    #expect(try bench.provenance("/etc/hosts") == ["redirect p.lua: rule 1 (/etc/**)"])
  }

  @Test func `choose decides where no rule does, then write`() throws {
    let bench = try PluginBench()
    try bench.load(
      """
      strata.policy("p", {write = "redirect", rules = {{match = "/none", write = "deny"}},
        choose = function(ev) if ev.path == "/big" then return "copy_up" end end})
      """)
    #expect(bench.write("/big", append: true) == nil)
    #expect(bench.write("/etc/hosts", append: true) == nil)
    #expect(try bench.provenance("/big") == ["copy_up p.lua:2: choose"])
    #expect(try bench.provenance("/etc/hosts") == ["redirect p.lua: policy p"])
  }

  @Test func `rules deny changes, and no reading that a handler is asked about`() throws {
    let bench = try PluginBench()
    try bench.load(
      """
      strata.policy("p", {rules = {{match = "/etc/**", write = "deny"}}})
      strata.on("before_open", function() end)
      """)
    #expect(try bench.read("/etc/hosts") != "")
    #expect(bench.write("/etc/hosts", append: true) != nil)
  }

  @Test func `handlers go by priority, then by the order of loading`() throws {
    let bench = try PluginBench()
    try bench.load(
      """
      for _, h in ipairs {{"b", 1}, {"a", 9}, {"c", 1}} do
        strata.on("before_write", {priority = h[2]}, function() print(h[1]) end)
      end
      """)
    try bench.load(
      "strata.on('before_write', {priority = 1}, function() print('d') end)", name: "q")
    #expect(bench.write("/new") == nil)
    #expect(bench.printed.prefix(4) == ["a\n", "b\n", "c\n", "d\n"])
  }

  @Test func `allow ends the chain and deny ends the operation`() throws {
    let bench = try PluginBench()
    try bench.load(
      """
      strata.on("before_write", {pattern = "/ok", priority = 2}, function() return strata.allow() end)
      strata.on("before_write", function() return strata.deny("EFBIG", "enough") end)
      """)
    #expect(bench.write("/ok") == nil)
    #expect(bench.write("/no") == FileError(.fileTooLarge, "p.lua:3: enough"))
  }

  @Test func `a handler may turn a copy-up into a redirect, with a block size`() throws {
    let bench = try PluginBench()
    try bench.load(
      """
      strata.on("before_copy_up", function() return strata.redirect{block = 8192} end)
      strata.on("before_redirect", function(ev) print(ev.event, ev.kind, ev.size) end)
      """)
    #expect(bench.write("/etc/hosts", append: true) == nil)
    #expect(try bench.provenance("/etc/hosts") == ["redirect p.lua:2"])
    #expect(bench.printed == ["before_redirect\tfile\t20\n"])
  }

  @Test func `a rule that denies holds for every change of its paths`() throws {
    let bench = try PluginBench()
    try bench.load(
      "strata.policy('p', {rules = {{match = '/usr/**', write = 'deny', errno = 'EROFS'}}})")
    let client = bench.client
    let denied = FileError(.readOnlyFileSystem, "p.lua: rule 1 (/usr/**)")
    #expect(bench.write("/usr/bin/x") == denied)
    #expect(bench.write("/usr/new") == denied)
    #expect(throws: denied) { try client.unlink(Array("/usr/bin/x".utf8)) }
    #expect(throws: denied) { try client.makeDirectory(Array("/usr/d".utf8)) }
    #expect(throws: denied) {
      try client.setAttributes(Array("/usr/bin/x".utf8), AttributeChanges(mode: 0o600))
    }
    #expect(throws: denied) {
      try client.rename(Array("/usr/bin".utf8), to: Array("/bin".utf8))
    }
    #expect(throws: denied) {
      try client.rename(Array("/etc/hosts".utf8), to: Array("/usr/hosts".utf8))
    }
    #expect(throws: denied) {
      try client.rename(
        Array("/etc/hosts".utf8), to: Array("/usr/bin/x".utf8), .exchange)
    }
    #expect(throws: denied) {
      try client.link(Array("/etc/hosts".utf8), as: Array("/usr/hosts".utf8))
    }
    #expect(!bench.workspace.main.isDirty)
  }

  @Test
  func `a rule that denies holds for what a directory takes along, and for the first that matches`()
    throws
  {
    let bench = try PluginBench()
    try bench.load(
      """
      strata.policy('p', {rules = {
        {match = '/usr/local/**', write = 'copy_up'},
        {match = '/usr/bin/x', write = 'deny', errno = 'EROFS'},
        {match = '/usr/**', write = 'deny', errno = 'EACCES'}}})
      """)
    let client = bench.client
    try client.makeDirectory(Array("/usr/local".utf8))
    try client.rename(Array("/etc/hosts".utf8), to: Array("/usr/local/hosts".utf8))
    try client.makeDirectory(Array("/new".utf8))
    #expect(throws: FileError(.readOnlyFileSystem, "p.lua: rule 2 (/usr/bin/x)")) {
      try client.rename(Array("/usr".utf8), to: Array("/former".utf8))
    }
  }

  @Test func `a rename that is refused for where its node is to live changes nothing`() throws {
    let bench = try PluginBench()
    try bench.load(
      """
      strata.layer_add("side")
      strata.on("before_create", {pattern = "*.secret"}, function()
        return strata.deny("EPERM", "no secrets")
      end)
      """)
    #expect(throws: FileError(.notPermitted, "p.lua:3: no secrets")) {
      try bench.client.rename(Array("/etc/hosts".utf8), to: Array("/a.secret".utf8))
    }
    #expect(try bench.diff() == [])
  }

  @Test func `a handler is asked for both paths of a rename and of a link`() throws {
    let bench = try PluginBench()
    try bench.load(
      """
      for _, kind in ipairs {"rename", "link"} do
        strata.on("before_" .. kind, {pattern = "/usr/**"}, function(ev)
          return strata.deny("EPERM", ev.path2)
        end)
      end
      """)
    #expect(throws: FileError(.notPermitted, "p.lua:3: /usr/h")) {
      try bench.client.rename(Array("/etc/hosts".utf8), to: Array("/usr/h".utf8))
    }
    #expect(throws: FileError(.notPermitted, "p.lua:3: /usr/h")) {
      try bench.client.link(Array("/etc/hosts".utf8), as: Array("/usr/h".utf8))
    }
  }

  @Test func `a route keeps a node out of diff until it is renamed away`() throws {
    let bench = try PluginBench()
    try bench.load(
      """
      strata.layer_add("scratch")
      strata.policy("p", {rules = {{match = "/cache/**", to = "scratch"}}})
      """)
    let client = bench.client
    try client.makeDirectory(Array("/cache".utf8))
    #expect(bench.write("/cache/a") == nil)
    #expect(try bench.diff() == [])
    try client.rename(Array("/cache/a".utf8), to: Array("/kept".utf8))
    #expect(try bench.diff() == ["/kept"])
  }

  @Test(arguments: [
    ("return {}", "a table"), ("return 'copy_up'", "\"copy_up\""), ("return 42", "42"),
    ("return true", "true"), ("return function() end", "a function"),
  ]) func `what is no verdict is an error with plugin, line and value`(
    _ code: String, _ shown: String
  ) throws {
    let bench = try PluginBench()
    try bench.load("\nstrata.on('before_write', function() \(code) end)")
    let reason = "p.lua:3: before_write returned \(shown), which is no verdict"
    #expect(bench.write("/new") == FileError(.notPermitted, reason))
  }

  @Test func `a first write's verdict answers nothing else`() throws {
    let bench = try PluginBench()
    try bench.load("strata.on('before_remove', function() return strata.copy_up() end)")
    #expect(throws: FileError.self) { try bench.client.unlink(Array("/big".utf8)) }
    #expect(try bench.read("/etc/hosts").count == 20)
  }
}
