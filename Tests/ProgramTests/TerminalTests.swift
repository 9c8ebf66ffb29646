import Glibc
import Testing

/// The program on a pseudo-terminal, over a small tree.
@Suite struct TerminalTests {
  let tree: TemporaryDirectory
  let state: TemporaryDirectory

  init() throws {
    tree = try TemporaryDirectory()
    state = try TemporaryDirectory()
    try tree.write("alpha-file.txt", "first words\n")
    try tree.write("with blank.txt", "quoted words\n")
  }

  private func start(_ arguments: [String] = ["--no-rc"]) throws -> TerminalProcess {
    let process = try TerminalProcess(
      arguments, in: tree.path,
      environment: ["XDG_STATE_HOME=\(state.path)", "XDG_CONFIG_HOME=\(state.path)"])
    try process.expect("main:/> ")
    return process
  }

  @Test func `a prompt appears, a command runs, and Ctrl-D leaves with status 0`() throws {
    let shell = try start()
    try shell.type("echo one two\r")
    try shell.expect("\rone two\r\n")
    try shell.expect("main:/> ")
    try shell.type("\u{4}")
    #expect(try shell.exitStatus() == 0)
  }

  @Test func `Tab completes a path, and quotes what needs it`() throws {
    let shell = try start()
    try shell.type("cat al\t")
    try shell.expect("cat alpha-file.txt ")
    try shell.type("\r")
    try shell.expect("first words\r\n")
    try shell.expect("main:/> ")
    try shell.type("cat wi\t\r")
    try shell.expect("quoted words\r\n")
  }

  @Test func `a second Tab shows the ways to go on`() throws {
    try tree.write("alpha-two.txt", "")
    let shell = try start()
    try shell.type("cat al\t")
    try shell.expect("cat alpha-")
    try shell.type("\t")
    try shell.expect("alpha-file.txt")
    try shell.expect("alpha-two.txt")
    try shell.expect("main:/> cat alpha-")
  }

  @Test func `Tab completes a command`() throws {
    let shell = try start()
    try shell.type("hel\t")
    try shell.expect("help ")
  }

  @Test func `the arrow up brings back a line, of an earlier session, too`() throws {
    let shell = try start()
    try shell.type("echo remembered\r")
    try shell.expect("\rremembered\r\n")
    try shell.expect("main:/> ")
    try shell.type("\u{1B}[A\r")
    try shell.expect("\rremembered\r\n")
    try shell.expect("main:/> ")
    try shell.type("\u{4}")
    #expect(try shell.exitStatus() == 0)

    let next = try start()
    try next.type("\u{1B}[A\r")
    try next.expect("\rremembered\r\n")
    var status = stat()
    #expect(stat("\(state.path)/strata/history", &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    #expect(stat("\(state.path)/strata", &status) == 0)
    #expect(status.st_mode & 0o777 == 0o700)
  }

  @Test func `Ctrl-C drops the line that is being typed`() throws {
    let shell = try start()
    try shell.type("echo never")
    try shell.expect("echo never")
    try shell.type("\u{3}")
    try shell.expect("^C")
    try shell.expect("main:/> ")
    try shell.type("echo after\r")
    let seen = try shell.expect("\rafter\r\n")
    #expect(!seen.contains("never"))
  }

  @Test func `an open quote and a heredoc ask for more, and Ctrl-C drops all of it`() throws {
    let shell = try start()
    try shell.type("echo 'a\r")
    try shell.expect("\n")
    try shell.expect("> ")
    try shell.type("b'\r")
    try shell.expect("\ra\r\nb\r\n")
    try shell.expect("main:/> ")
    try shell.type("cat <<END\r")
    try shell.expect("\n")
    try shell.expect("> ")
    try shell.type("one\rEND\r")
    try shell.expect("\rone\r\n")
    try shell.expect("main:/> ")
    try shell.type("echo 'a\r")
    try shell.expect("> ")
    try shell.type("\u{3}")
    try shell.expect("main:/> ")
  }

  @Test func `Ctrl-C ends a program of the host, and the shell goes on`() throws {
    let shell = try start()
    try shell.type("!sleep 100\r")
    try shell.expect("sleep 100\r\n")
    usleep(300_000)
    try shell.type("\u{3}")
    try shell.expect("main:/> ")
    try shell.type("echo $?\r")
    try shell.expect("\r130\r\n")
  }

  @Test func `a program of the host has the terminal for its own`() throws {
    let shell = try start()
    try shell.type("!sh -c 'test -t 0 && test -t 1 && echo yes'\r")
    try shell.expect("\ryes\r\n")
    try shell.expect("main:/> ")
    try shell.type("!sh -c 'read x; echo got $x'\r")
    try shell.expect("\n")
    usleep(200_000)
    try shell.type("this\n")
    try shell.expect("got this\r\n")
    try shell.expect("main:/> ")
  }

  @Test func `Ctrl-C ends a command that waits for input`() throws {
    let shell = try start()
    try shell.type("cat\r")
    try shell.expect("cat\r\n")
    try shell.type("\u{3}")
    try shell.expect("main:/> ")
  }

  @Test func `Ctrl-C ends a Lua handler that loops, and the write with it`() throws {
    // Each round is dear in time and cheap in budget, so that only the interruption can end it soon.
    try state.write(
      "loop.lua",
      """
      #!strata-plugin name=loop api=1
      strata.on("before_write", function()
        while true do pcall(strata.fs.stat, "/") end
      end)
      """)
    let shell = try start(["--no-rc", "--plugin", "\(state.path)/loop.lua"])
    try shell.type("write -a alpha-file.txt more\r")
    usleep(500_000)
    try shell.type("\u{3}")
    try shell.expect("interrupted")
    try shell.expect("main:/> ")
    try shell.type("cat alpha-file.txt\r")
    try shell.expect("first words\r\n")
    try shell.expect("main:/> ")
    try shell.type("\u{4}")
    #expect(try shell.exitStatus() == 0)
  }

  @Test func `exit leaves with its status`() throws {
    let shell = try start()
    try shell.type("exit 3\r")
    #expect(try shell.exitStatus() == 3)
  }

  @Test func `the rc file is read, and --no-rc leaves it alone`() throws {
    let made = try Finished.run("/bin/mkdir", ["-p", "\(state.path)/strata"])
    #expect(made.status == 0)
    try state.write("strata/rc", "echo from the rc file\nnope\necho and on\n")
    let shell = try TerminalProcess(
      [], in: tree.path, environment: ["XDG_CONFIG_HOME=\(state.path)"])
    try shell.expect("from the rc file")
    try shell.expect("and on")
    try shell.expect("main:/> ")
    let plain = try start()
    try plain.type("\u{4}")
    #expect(try plain.exitStatus() == 0)
    #expect(!String(decoding: plain.screen, as: UTF8.self).contains("rc file"))
  }

  @Test(arguments: [true, false])
  func `what is recorded at a terminal replays`(isSubcommand: Bool) throws {
    let words = ["record", "\(state.path)/r.session"]
    let shell = try start(["--no-rc"] + (isSubcommand ? words : []))
    if !isSubcommand {
      try shell.type(words.joined(separator: " ") + "\r")
      try shell.expect("main:/> ")
    }
    for line in ["write new.txt some words", "cat new.txt", "ls", "nope"] {
      try shell.type(line + "\r")
      try shell.expect("> ")
    }
    try shell.type("record off\r")
    try shell.expect("main*:/> ")
    try shell.type("exit\r")
    _ = try shell.exitStatus()
    let replayed = try Finished.strata(["replay", "\(state.path)/r.session"])
    let transcript = try state.read("r.session")
    #expect(replayed.output == "1 passed\n", "\(transcript)")
    #expect(replayed.status == 0)
  }

  @Test func `the prompt is there within 50 ms`() throws {
    var best = Double.infinity
    for _ in 0..<5 {
      let begin = TerminalProcess.now()
      let shell = try start()
      best = min(best, TerminalProcess.now() - begin)
      try shell.type("\u{4}")
      _ = try shell.exitStatus()
    }
    // A build for debugging may take twice as long.
    let limit = getenv("STRATA_BINARY") == nil ? 0.1 : 0.05
    #expect(best < limit, "\(best) s")
  }

}
