import Glibc
import StrataShell
import Testing

/// A workspace on disk that several processes use at once.
@Suite struct OwnerTests {
  let tree: TemporaryDirectory

  init() throws {
    tree = try TemporaryDirectory()
    try tree.write("file.txt", "content\n")
    #expect(try Finished.strata(["init"], in: tree.path).status == 0)
  }

  private func strata(
    _ arguments: [String], input: String = "", environment: [String] = []
  ) throws -> Finished {
    try Finished.strata(arguments, input: input, in: tree.path, environment: environment)
  }

  private func owner() throws -> pid_t {
    guard let pid = pid_t(try tree.read(".strata/lock")) else { throw TestFailure("no owner") }
    return pid
  }

  /// One that nobody has waited for is a zombie, and does not run.
  private func isRunning(_ pid: pid_t) -> Bool {
    guard let line = try? contents(of: "/proc/\(pid)/stat") else { return false }
    return line.split(separator: ")").last?.hasPrefix(" Z") == false
  }

  @Test(
    arguments: [
      (["forks"], ""), (["--json", "forks"], ""), (["-c", "echo a; exit 7; echo b"], ""),
      (["write", "/f"], "from standard input\n"), (["cat"], "through\n"),
      (["cat", "missing"], ""), (["nope"], ""), (["-c", "echo 'open"], ""),
      (["-c", "!pwd; !echo $0; !exit 5"], ""), (["-c", "!kill -9 $$"], ""),
      (["-c", "echo up | !tr a-z A-Z > /up; cat /up | !cat >&2"], ""),
      (["-c", "!cat"], "to the program\n"), (["-c", "!echo err >&2; cat /missing"], ""),
      (["-c", "!echo $VARIABLE; echo $VARIABLE"], ""), (["-c", "V=w; !echo $V; echo $1", "x"], ""),
      ([], "echo one\necho two > /two\ncat two missing\necho never\n"), ([], "cat <<END\nx\nEND\n"),
      (["s.strata", "me"], ""), (["-f", "missing"], ""),
      (["-c", "copy-in file.txt /in; copy-out /in out; !cat out; copy-out /in /dev/stdout"], ""),
      (["-c", "mkdir /d; stat /d | grep -c 0700"], ""), (["pwd", "--no-such-option"], ""),
      (["-c", "help cat"], ""), (["-c", "set -k; false; true"], ""),
    ] as [([String], String)])
  func `a command by the owner does what it does without one`(
    arguments: [String], input: String
  ) throws {
    let other = try TemporaryDirectory()
    for place in [tree, other] {
      try place.write("file.txt", "content\n")
      try place.write("s.strata", "echo from $1; cat < file.txt\n")
    }
    #expect(try Finished.strata(["init"], in: other.path).status == 0)
    func run(_ options: [String], _ place: TemporaryDirectory) throws -> [String] {
      let result = try Finished.run(
        "/bin/sh",
        ["-c", "umask 077; exec \"$0\" \"$@\"", StrataProgram.path] + options + arguments,
        input: input, in: place.path, environment: ["VARIABLE=value"])
      let texts = [result.output, result.errors].map { text in
        text.split(separator: place.path, omittingEmptySubsequences: false).joined(separator: "DIR")
      }
      return ["\(result.status)"] + texts
    }
    let alone = try run(["--alone"], other)
    #expect(try run([], tree) == alone)
    #expect(alone != ["0", "", ""] || arguments == ["write", "/f"] || arguments.count < 3)
  }

  @Test func `ten clients append at once, and each line is there exactly once`() throws {
    let clients = 10
    let lines = 20
    var pids: [pid_t] = []
    for client in 0..<clients {
      // Half of them as one process each, the others as one for each line.
      let commands = (0..<lines).map { "write -a /log '\(client) \($0)'" }
      let script =
        client % 2 == 0
        ? "exec \"$0\" -c \"$1\""
        : commands.map { "\"$0\" -c \"\($0)\" || exit 1" }.joined(separator: "\n")
      var actions = posix_spawn_file_actions_t()
      posix_spawn_file_actions_init(&actions)
      defer { posix_spawn_file_actions_destroy(&actions) }
      pids.append(
        try Finished.spawn(
          "/bin/sh", ["-c", script, StrataProgram.path, commands.joined(separator: "\n")],
          in: tree.path, [], &actions, nil))
    }
    for pid in pids { #expect(try Finished.wait(pid) == 0) }
    let found = try strata(["cat", "/log"]).output.split(separator: "\n").map(String.init)
    let wanted = (0..<clients).flatMap { client in (0..<lines).map { "\(client) \($0)" } }
    #expect(found.count == wanted.count)
    #expect(found.sorted() == wanted.sorted())
    for client in 0..<clients {
      let own = found.filter { $0.hasPrefix("\(client) ") }
      #expect(own == (0..<lines).map { "\(client) \($0)" }, "a client's lines are in its order")
    }
    // Each command is an operation of its own, none part of another's.
    let log = try strata(["log"]).output.split(separator: "\n").filter { $0.contains("write -a") }
    #expect(log.count == wanted.count)
    #expect(try strata(["check"]).status == 0)
  }

  @Test func `clients in forks of their own work at once, and the log numbers each once`() throws {
    var pids: [pid_t] = []
    for client in 0..<10 {
      let script =
        "fork own-\(client)\n"
        + (0..<30).map { "write -a /own '\(client) \($0)'\n" }.joined()
      var actions = posix_spawn_file_actions_t()
      posix_spawn_file_actions_init(&actions)
      defer { posix_spawn_file_actions_destroy(&actions) }
      pids.append(
        try Finished.spawn(
          StrataProgram.path, ["-c", script], in: tree.path, [], &actions, nil))
    }
    for pid in pids { #expect(try Finished.wait(pid) == 0) }
    var numbers: [String] = []
    for client in 0..<10 {
      let result = try strata(["-c", "switch own-\(client); cat /own; log"])
      let lines = result.output.split(separator: "\n").map(String.init)
      #expect(Array(lines.prefix(30)) == (0..<30).map { "\(client) \($0)" })
      let log = lines.filter { $0.contains("write -a") }
      #expect(log.count == 30)
      numbers += log.compactMap { $0.split(separator: " ").first.map(String.init) }
    }
    #expect(Set(numbers).count == 300)
    // Those of a new owner are the same.
    #expect(kill(try owner(), SIGKILL) == 0)
    #expect(try strata(["-c", "switch own-9; log"]).output.contains(numbers[299]))
    #expect(try strata(["check"]).status == 0)
  }

  @Test func `a second terminal works while the first has the shell open`() throws {
    let shell = try TerminalProcess([], in: tree.path)
    try shell.expect("main:/> ")
    #expect(try strata(["-c", "forks"]).output.contains("> main "))
    #expect(try strata(["-c", "fork other -s; write /second from the second"]).status == 0)
    try shell.type("cat /sec\t\r")
    try shell.expect("\rfrom the second\r\n")
    try shell.expect("main*:/> ")
    try shell.type("switch ot\t\r")
    try shell.expect("other:/> ")
    let dropped = try strata(["drop", "other"])
    #expect(dropped.status == 1)
    #expect(dropped.errors.contains("another client is in the fork"), "\(dropped)")
    try shell.type("switch main\r")
    try shell.expect("main*:/> ")
    #expect(try strata(["drop", "other"]).status == 0)
    try shell.type("switch other\r")
    try shell.expect("no fork other")
    // A client that has left its fork by its end holds nobody up.
    #expect(try strata(["fork", "gone"]).status == 0)
    #expect(try strata(["drop", "gone"]).status == 0)
    try shell.type("echo 'a\r")
    try shell.expect("> ")
    try shell.type("b'\r")
    try shell.expect("\ra\r\nb\r\n")
    try shell.type("exit 4\r")
    #expect(try shell.exitStatus() == 4)
  }

  @Test func `host programs of a shell have its terminal, and Ctrl-C reaches them`() throws {
    let shell = try TerminalProcess([], in: tree.path)
    try shell.expect("main:/> ")
    try shell.type("!sh -c 'tty; test -t 2 && echo on && cat /dev/null > /dev/tty'\r")
    try shell.expect("\r/dev/pts/")
    try shell.expect("\non\r\n")
    try shell.expect("main:/> ")
    try shell.type("!echo started; exec sleep 100\r")
    try shell.expect("\rstarted\r\n")
    try shell.type("\u{3}")
    try shell.expect("main:/> ", within: 5)
    try shell.type("cat\r")
    usleep(1_000_000)
    try shell.type("\u{3}")
    // The prompt before may have been drawn twice.
    try shell.expect("^C", within: 5)
    try shell.expect("main:/> ", within: 5)
    try shell.type("echo still here\r")
    try shell.expect("\rstill here\r\n")
    try shell.expect("main:/> ")
    try shell.type("\u{4}")
    #expect(try shell.exitStatus() == 0)
  }

  @Test func `after a killed owner the next client takes over`() throws {
    #expect(try strata(["write", "/kept", "kept"]).status == 0)
    let shell = try TerminalProcess([], in: tree.path)
    try shell.expect("main*:/> ")
    try shell.type("fork work\r")
    try shell.expect("work:/> ")
    let first = try owner()
    #expect(kill(first, SIGKILL) == 0)
    #expect(try strata(["cat", "/kept"]).output == "kept\n")
    let second = try owner()
    #expect(second != first)
    #expect(!isRunning(first))
    // The shell that was open finds the new owner, and is where it was. Nothing was under way.
    try shell.type("echo done\r")
    try shell.expect("the workspace's owner died; another one goes on")
    try shell.expect("done\r\n")
    try shell.expect("work:/> ")
    try shell.type("cat /kept\r")
    try shell.expect("\rkept\r\n")
    #expect(try owner() == second)
  }

  @Test func `the owner leaves when nobody needs it, and leaves nothing behind`() throws {
    #expect(try strata(["true"]).status == 0)
    let owner = try owner()
    var waited = 0
    while isRunning(owner), waited < 100 {
      usleep(50_000)
      waited += 1
    }
    #expect(waited < 100)
    #expect(access("\(tree.path)/.strata/socket", F_OK) != 0)
    #expect(try strata(["--alone", "echo", "alone"]).output == "alone\n")
  }

  @Test func `one that opens it alone finds it busy, and the owner's number`() throws {
    let shell = try TerminalProcess([], in: tree.path)
    try shell.expect("main:/> ")
    let result = try strata(["--alone", "true"])
    #expect(result.status == 1)
    #expect(result.errors.contains("process \(try owner())"), "\(result)")
  }

  @Test func `a command waits for one that changes the same fork, and no longer`() throws {
    let shell = try TerminalProcess([], in: tree.path)
    try shell.expect("main:/> ")
    try shell.type("write /slow\r")
    usleep(300_000)
    // Another fork is free.
    #expect(try strata(["-c", "fork free; write /other text"]).status == 0)
    let second = try TerminalProcess(["-c", "write /slow second"], in: tree.path)
    try second.expect("waiting for another client's command")
    try shell.type("first\r\u{4}")
    try shell.expect("main*:/> ")
    #expect(try second.exitStatus() == 0)
    #expect(try strata(["cat", "/slow"]).output == "second\n")
    #expect(try strata(["-c", "undo; cat /slow"]).output.hasSuffix("first\n"))
  }

  @Test func `a workspace at a path too long for a socket's address works`() throws {
    let name = String(repeating: "n", count: 120)
    let deep = "\(tree.path)/\(name)/\(name)"
    #expect(try Finished.run("/bin/mkdir", ["-p", deep]).status == 0)
    #expect(try Finished.strata(["init"], in: deep).status == 0)
    #expect(try Finished.strata(["-c", "write /a deep"], in: deep).status == 0)
    #expect(try Finished.strata(["cat", "/a"], in: deep).output == "deep\n")
  }

  @Test(.enabled(if: geteuid() == 0)) func `another user is refused`() throws {
    let shell = try TerminalProcess([], in: tree.path)
    try shell.expect("main:/> ")
    // As if somebody had opened the directory for all.
    #expect(try Finished.run("/bin/chmod", ["-R", "a+rwX", tree.path]).status == 0)
    #expect(chmod(StrataProgram.path, 0o755) == 0)
    let copy = "\(tree.path)/strata"
    #expect(try Finished.run("/bin/cp", [StrataProgram.path, copy]).status == 0)
    let result = try Finished.run(
      "/usr/bin/setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", copy, "forks"],
      in: tree.path)
    #expect(result.status == 1)
    #expect(result.errors.contains("not for user 65534"), "\(result)")
    #expect(result.output == "")
  }
}
