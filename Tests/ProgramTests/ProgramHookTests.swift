import Glibc
import StrataTestSupport
import Testing

/// Policies and events for real programs, by the plugins that ship. Needs root and FUSE.
@Suite(.enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0))
struct ProgramHookTests {
  let tree: TemporaryDirectory
  private let examples = StrataProgram.root + "/examples/plugins"

  init() throws {
    tree = try TemporaryDirectory()
    try tree.write("a.txt", "one\n")
  }

  private func run(_ plugin: String, _ lines: String) throws -> Finished {
    try Finished.strata(["--plugin", plugin, "-c", lines], in: tree.path)
  }

  @Test func `a handler that hangs gives the program EPERM, and no other anything`() throws {
    try tree.write(
      "hang.lua",
      """
      #!strata-plugin name=hang api=1
      strata.on("before_write", {pattern="/hang"}, function(ev) while true do end end)
      """)
    try tree.write(
      "try.py",
      """
      import os
      file = os.open("hang", os.O_CREAT | os.O_WRONLY)
      try: os.write(file, b"x")
      except OSError as error: print(error.errno)
      open("fine", "w").write("y")
      """)
    let result = try run("hang.lua", "run -q -- timeout 20 python3 try.py\ncat fine")
    #expect(result.status == 0 && result.output == "1\ny", "\(result)")
    #expect(result.errors.contains("hang.lua:2: ran out of its budget"), "\(result)")
  }

  @Test(arguments: [false, true])
  func `that a plugin is disabled for a program is told at once`(hasWorkspace: Bool) throws {
    if hasWorkspace { #expect(try Finished.strata(["init"], in: tree.path).status == 0) }
    try tree.write(
      "bad.lua",
      """
      #!strata-plugin name=bad api=1
      strata.on("before_write", {pattern="/f*"}, function(ev) error("boom") end)
      """)
    let script = "for i in 1 2 3 4 5; do echo x > f$i; done; cat f*"
    let result = try run("bad.lua", "run -q -- sh -c '\(script)'; echo after")
    #expect(result.output == "x\nx\nafter\n", "\(result)")
    let parts = result.errors.split(separator: "plugin bad is disabled: it failed 3 times in a row")
    #expect(parts.count == 2 && parts[0].contains("bad.lua:2: boom"), "\(result)")
  }

  @Test func `who takes no output stops nobody when a plugin fails`() throws {
    #expect(try Finished.strata(["init"], in: tree.path).status == 0)
    let (file, place) = ("\(tree.path)/bad.lua", try TemporaryDirectory())
    try tree.write(
      "bad.lua",
      """
      #!strata-plugin name=bad api=1
      strata.on("before_create", {pattern="/bad*"}, function(ev) error("boom at " .. ev.path) end)
      """)
    let pipe = try FullPipe()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, pipe.writer, 2)
    let stopped = try Finished.spawn(
      StrataProgram.path,
      ["--plugin", file, "-c", "fork own; write ready x; write bad-own x; write unseen x"],
      in: tree.path, [], &actions, nil)
    pipe.closeWriter()
    /// Runs a command that must not have to wait.
    func run(_ script: String) throws -> Finished {
      try Finished.run(
        "/usr/bin/timeout", ["20", "sh", "-c", script, StrataProgram.path], in: tree.path)
    }
    defer { _ = try? ChildProcess(["umount", "-l", place.path]) }
    let wait = "until \"$0\" -c 'switch own; cat ready' 2> /dev/null; do sleep 0.02; done"
    #expect(try run("\(wait); sleep 0.3; \"$0\" write fine x").status == 0)
    let mounted = try run("\"$0\" mount main \(place.path)")
    #expect(mounted.status == 0, "\(mounted)")
    let program = try run("cd \(place.path); touch fine2; touch bad-program; ls")
    #expect(program.output == "a.txt\nbad.lua\nfine\nfine2\n", "\(program)")
    #expect(program.errors.contains("Operation not permitted"), "\(program)")
    #expect(try run("\"$0\" write fine3 x; \"$0\" umount main").status == 0)
    // It goes on when somebody reads, and is told all.
    let text = pipe.readToEnd()
    _ = try Finished.wait(stopped)
    for path in ["/bad-own", "/bad-program"] {
      let parts = text.split(
        separator: "bad.lua:2: boom at \(path)\nstack", omittingEmptySubsequences: false)
      #expect(parts.count == 2, "\(text)")
    }
  }

  @Test func `plugins are asked about mounts, and told of them and of their end`() throws {
    try tree.write(
      "watch.lua",
      """
      #!strata-plugin name=watch api=1
      strata.on("before_mount", {}, function(ev)
        if ev.path2:find("/no$") then return strata.deny("EACCES", "not there") end
      end)
      strata.on("before_unmount", {}, function(ev)
        if ev.fork == "kept" then return strata.deny("EBUSY", "it stays") end
      end)
      strata.on("after_mount", {}, function(ev)
        strata.fs.write("/mounted", ev.fork .. " at " .. ev.path2 .. "\\n")
      end)
      strata.on("after_unmount", {}, function(ev) strata.fs.write("/unmounted", ev.path2) end)
      """)
    let place = try TemporaryDirectory()
    for name in ["no", "one", "two"] { mkdir("\(place.path)/\(name)", 0o755) }
    defer {
      for name in ["one", "two"] {
        _ = try? ChildProcess(["umount", "-l", "\(place.path)/\(name)"])
      }
    }
    let wait = "for i in $(seq 500); do test -e unmounted && break; sleep 0.02; done; cat unmounted"
    let result = try run(
      "watch.lua",
      """
      set -k
      mount main \(place.path)/no
      mount main \(place.path)/one
      cat mounted
      mount main \(place.path)/two
      umount \(place.path)/one
      !sh -c 'cd \(place.path)/two; \(wait)'
      fork kept
      mount kept \(place.path)/one
      umount kept
      """)
    #expect(
      result.output == """
        \(place.path)/one
        main at \(place.path)/one
        \(place.path)/two
        \(place.path)/one\(place.path)/one

        """, "\(result)")
    #expect(
      result.errors == """
        mount: Permission denied (watch.lua:2: not there)
        umount: Device or resource busy (watch.lua:5: it stays)

        """, "\(result)")
  }

  @Test func `a program sees what a handler has changed because of it`() throws {
    try tree.write(
      "answer.lua",
      """
      #!strata-plugin name=answer api=1
      strata.on("after_create", {pattern="/ask*"}, function(ev)
        strata.fs.write("/answer", "now\\n")
        strata.fs.write("/a.txt", "changed\\n")
      end)
      strata.on("before_create", {pattern="/before"}, function(ev) strata.fs.mkdir("/made") end)
      """)
    // What it has looked for is believed not to be there until the kernel is told.
    let script = """
      wait() { for i in $(seq 500); do "$@" 2> /dev/null && return; sleep 0.02; done; false; }
      cat answer made a.txt; touch ask; wait cat answer; wait grep changed a.txt
      touch before; wait test -d made && echo made
      """
    try tree.write("script", script)
    let result = try run("answer.lua", "run -q -- sh script")
    #expect(result.output == "one\nnow\nchanged\nmade\n", "\(result)")
  }

  @Test func `guard refuses by path what a program writes`() throws {
    _ = try ChildProcess(["mkdir", "\(tree.path)/usr"])
    try tree.write("usr/x", "old\n")
    let script = "echo new > usr/x; rm usr/x; echo new > a.txt; cat usr/x a.txt"
    let result = try run("\(examples)/guard.lua", "run -q -- sh -c '\(script)'")
    #expect(result.output == "old\nnew\n", "\(result)")
    #expect(result.errors.contains("Read-only file system"), "\(result)")
  }

  @Test func `guard refuses what a program moves or links there`() throws {
    mkdir("\(tree.path)/usr", 0o755)
    try tree.write("usr/tool", "tool")
    try tree.write("evil", "evil")
    let result = try run(
      "\(examples)/guard.lua",
      "run -q -- sh -c 'mv -f evil usr/tool; ln evil usr/x; mv evil usr/y; ls . usr; cat usr/tool'")
    #expect(result.output == ".:\na.txt\nevil\nusr\n\nusr:\ntool\ntool", "\(result)")
    #expect(result.errors.contains("Read-only file system"), "\(result)")
  }

  @Test(arguments: ["true", "ls -l > /dev/null", "cat b1 > /dev/null", "cat a1 b1 > /dev/null"])
  func `a rule for one name of a file refuses programs by all`(_ before: String) throws {
    try tree.write("a1", "one\n")
    link("\(tree.path)/a1", "\(tree.path)/b1")
    try tree.write(
      "rule.lua",
      """
      #!strata-plugin name=rule api=1
      strata.policy("p", {rules = {{match = "/a1", write = "deny", errno = "EPERM"}}})
      """)
    for name in ["a1", "b1"] {
      let result = try run(
        "rule.lua", "run -q -- sh -c '\(before); echo y >> \(name) || chmod 600 \(name)'; diff")
      #expect(result.output == "", "\(result)")
      let parts = result.errors.split(
        separator: "Operation not permitted", omittingEmptySubsequences: false)
      #expect(parts.count == 3, "\(result)")
    }
  }

  @Test func `a handler is asked about what a program writes by another name`() throws {
    try tree.write(
      "no.lua",
      """
      #!strata-plugin name=no api=1
      strata.on("before_write", {pattern="/a*"}, function(ev)
        return strata.deny("EROFS", ev.path)
      end)
      """)
    let result = try run(
      "no.lua",
      """
      set -k
      ln a.txt third
      write -a a.txt x
      write -a third x
      run -q -- sh -c 'env echo x >> a.txt; env echo x >> third; mv third fourth; env echo x >> fourth; cat a.txt'
      rm a.txt
      run -q -- sh -c 'env echo x >> fourth'
      cat fourth
      """)
    #expect(result.output == "one\none\nx\n", "\(result)")
    #expect(
      result.errors == """
        write: a.txt: Read-only file system (no.lua:2: /a.txt)
        write: third: Read-only file system (no.lua:2: /third)
        \(String(repeating: "echo: write error: Read-only file system\n", count: 3))
        """, "\(result)")
  }

  @Test func `a file that may not be opened is not made`() throws {
    try tree.write(
      "no.lua",
      """
      #!strata-plugin name=no api=1
      strata.on("before_open", {pattern="**/no"}, function() return strata.deny("EACCES", "no") end)
      """)
    let result = try run(
      "no.lua",
      "run -q -- sh -c 'for i in 1 2; do (set -C; echo > no); done; test ! -e no; echo $?; ls'"
    )
    #expect(result.output == "0\na.txt\nno.lua\n", "\(result)")
  }

  @Test func `hot counts what programs write`() throws {
    let script = "for i in 1 2 3; do echo x >> a.txt; done; echo z > b.txt"
    let result = try run("\(examples)/hot.lua", "run -q -- sh -c '\(script)'\nhot")
    #expect(result.output == "       6  /a.txt\n       2  /b.txt\n", "\(result)")
  }

  @Test func `audit notes the program, and an event has its number`() throws {
    let audit = try run(
      "\(examples)/audit.lua", "run -q -- cp a.txt b.txt\ncat /audit.jsonl")
    #expect(audit.output.contains("after_create") && audit.output.contains("/b.txt"), "\(audit)")
    #expect(audit.output.contains("\"command\":\"cp\""), "\(audit)")
    try tree.write(
      "who.lua",
      """
      #!strata-plugin name=who api=1
      strata.on("after_write", function(ev) print(ev.command, ev.pid, ev.path) end)
      """)
    let script = "echo $$; exec dd if=a.txt of=c.txt status=none"
    let result = try run("who.lua", "run -q -- sh -c '\(script)'")
    let lines = result.output.split(separator: "\n")
    let pid = try #require(lines.first)
    #expect(lines.dropFirst() == ["dd\t\(pid)\t/c.txt"], "\(result)")
  }

  @Test func `scratch keeps what a program caches out of the differences`() throws {
    try tree.write("m.py", "x = 1\n")
    let result = try run(
      "\(examples)/scratch.lua",
      "run -q -- env -u PYTHONDONTWRITEBYTECODE python3 -c 'import m; open(\"b.txt\", \"w\")'\n"
        + "ls __pycache__\ndiff --name-status")
    #expect(result.output.contains(".pyc\n"), "\(result)")
    #expect(
      result.output.hasSuffix("A /b.txt\n") && !result.output.contains("A /__py"), "\(result)")
  }

  @Test func `trace shows events while the program runs`() throws {
    let shell = try TerminalProcess(["--no-rc"], in: tree.path)
    try shell.expect("main:/> ")
    try shell.type("trace on\r")
    try shell.expect("main:/> ")
    try shell.type("run -q -- sh -c 'echo x >> a.txt; read line; echo got \"$line\"'\r")
    try shell.expect("@ copy_up /a.txt base->main 4 bytes")
    // The program waits for that.
    try shell.type("on\r")
    try shell.expect("got on")
    try shell.expect("main*:/> ")
    try shell.type("exit\r")
    #expect(try shell.exitStatus() == 0)
  }
}

/// A pipe that takes nothing until it is read.
private final class FullPipe {
  private let reader: Int32
  let writer: Int32
  private var isOpen = true

  init() throws {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw TestFailure("pipe: \(errno)") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (reader, writer) = (ends[0], ends[1])
    _ = fcntl(writer, F_SETFL, O_NONBLOCK)
    let block = [UInt8](repeating: UInt8(ascii: "."), count: 4096)
    while write(writer, block, block.count) > 0 {}
    _ = fcntl(writer, F_SETFL, 0)
  }

  deinit {
    close(reader)
    closeWriter()
  }

  func closeWriter() {
    if isOpen { close(writer) }
    isOpen = false
  }

  func readToEnd() -> String {
    var (text, buffer): ([UInt8], [UInt8]) = ([], .init(repeating: 0, count: 65536))
    while case let count = read(reader, &buffer, buffer.count), count > 0 {
      text += buffer[..<count]
    }
    return String(decoding: text.drop { $0 == UInt8(ascii: ".") }, as: UTF8.self)
  }
}
