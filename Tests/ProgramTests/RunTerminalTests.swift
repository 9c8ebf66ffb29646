import Glibc
import StrataTestSupport
import Testing

/// `strata run` on a terminal. Needs root and FUSE.
@Suite(.enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0))
struct RunTerminalTests {
  let tree: TemporaryDirectory

  init() throws {
    tree = try TemporaryDirectory()
    try tree.write("a.txt", "one\n")
  }

  private func run(_ script: String, _ options: [String] = []) throws -> TerminalProcess {
    try TerminalProcess(["run"] + options + ["--", "sh", "-c", script], in: tree.path)
  }

  @Test(arguments: [false, true])
  func `Ctrl-C is the program's`(_ hasWorkspace: Bool) throws {
    if hasWorkspace { _ = try Finished.strata(["init"], in: tree.path) }
    let killed = try run("echo ready; exec sleep 60", ["-q"])
    try killed.expect("ready")
    try killed.type("\u{3}")
    #expect(try killed.exitStatus() == 130)
    // What the program does then is still in the fork.
    let trapped = try run(
      "trap 'echo two > b.txt; cat b.txt; exit 5' INT; echo ready; while :; do sleep 0.05; done",
      ["-q"])
    try trapped.expect("ready")
    try trapped.type("\u{3}")
    try trapped.expect("two")
    #expect(try trapped.exitStatus() == 5)
  }

  @Test(arguments: [false, true])
  func `what ends who waits goes on to the program`(_ hasWorkspace: Bool) throws {
    if hasWorkspace { _ = try Finished.strata(["init"], in: tree.path) }
    let line = """
      (\(StrataProgram.path) run -q -- sh -c 'trap "echo got >&2; exit 7" TERM; echo $PPID > b; \
      touch /tmp/$0; while :; do sleep 0.05; done' $0 & echo $! > pid
      while [ ! -e /tmp/$0 ]; do sleep 0.05; done; rm /tmp/$0; kill $(cat pid); wait $(cat pid))
      """
    let result = try Finished.run(
      "/bin/sh", ["-c", line, "strata-test-\(getpid())-\(hasWorkspace)"], in: tree.path)
    #expect(result.status == 7 && result.errors == "got\n", "\(result)")
  }

  @Test func `what ends who waits goes on to what the program has left behind`() throws {
    let line = """
      (\(StrataProgram.path) run -q -- sh -c '(trap "echo got >&2; exit" TERM
        while kill -0 $$ 2> /dev/null; do sleep 0.02; done
        touch /tmp/$0; while :; do sleep 0.05; done) & exit 3' $0 & echo $! > pid
      while [ ! -e /tmp/$0 ]; do sleep 0.05; done; rm /tmp/$0; kill $(cat pid); wait $(cat pid))
      """
    let result = try Finished.run(
      "/bin/sh", ["-c", line, "strata-test-\(getpid())-left"], in: tree.path)
    #expect(result.status == 3 && result.errors == "got\n", "\(result)")
  }

  @Test func `a person is told what is waited for behind the program's end`() throws {
    let left = try run("sleep 1.6 & echo ready", ["-q"])
    try left.expect("ready")
    try left.expect("run: still waiting for process ")
    try left.expect("sleep")
    #expect(try left.exitStatus() == 0)
  }

  @Test func `the difference that a person is shown is the run's`() throws {
    _ = try Finished.strata(["init"], in: tree.path)
    _ = try Finished.strata(["write", "earlier", "1"], in: tree.path)
    let shell = try run("echo two >> a.txt")
    try shell.expect("diff?")
    try shell.type("f\r")
    let told = try shell.expect("diff?")
    #expect(told.contains("+two") && !told.contains("earlier"), "\(told)")
    try shell.type("k\r")
    #expect(try shell.exitStatus() == 0)
  }

  /// There is nothing to keep them in without a workspace.
  @Test(arguments: [false, true])
  func `a person is asked what becomes of the changes`(_ hasWorkspace: Bool) throws {
    if hasWorkspace { _ = try Finished.strata(["init"], in: tree.path) }
    let question = "\(hasWorkspace ? "keep, " : "\n")commit, discard or diff?"
    let kept = try run("echo two > b.txt")
    try kept.expect(question)
    try kept.type("f\r")
    try kept.expect("b.txt")
    try kept.expect(question)
    try kept.type("d\r")
    if hasWorkspace { try kept.expect("undid") }
    #expect(try kept.exitStatus() == 0)
    #expect(access("\(tree.path)/b.txt", F_OK) != 0)
    let committed = try run("echo two > b.txt; exit 3")
    try committed.expect(question)
    try committed.type("c\r")
    try committed.expect("committed 1 change")
    #expect(try committed.exitStatus() == 3)
    #expect(try tree.read("b.txt") == "two\n")
  }

  @Test func `an answer that is none is asked for again`() throws {
    _ = try Finished.strata(["init"], in: tree.path)
    let shell = try run("echo two > b.txt")
    for answer in ["?", "x", "kommit"] {
      try shell.expect("keep, commit, discard or diff?")
      try shell.type("\(answer)\r")
      try shell.expect("k, keep: leave the changes in the fork\r\nc, commit: ")
    }
    try shell.expect("diff? [K/c/d/f] ")
    try shell.type("diff\r")
    try shell.expect("+two")
    try shell.type("keep\r")
    #expect(try shell.exitStatus() == 0)
    #expect(try Finished.strata(["cat", "b.txt"], in: tree.path).output == "two\n")
  }

  @Test(arguments: [false, true])
  func `Ctrl-C at the question leaves all as it is`(_ hasWorkspace: Bool) throws {
    if hasWorkspace { _ = try Finished.strata(["init"], in: tree.path) }
    let shell = try run("echo two > b.txt")
    try shell.expect("/f] ")
    try shell.type("\u{3}")
    if hasWorkspace { try shell.expect("\r\nrun: interrupted; the changes are kept in main\r\n") }
    #expect(try shell.exitStatus() == 130)
    #expect(access("\(tree.path)/b.txt", F_OK) != 0)
  }

  @Test(arguments: [[], ["-i"]] as [[String]])
  func `Ctrl-C at the question of a commit ends it`(_ options: [String]) throws {
    _ = try Finished.strata(["init"], in: tree.path)
    _ = try Finished.strata(["write", "b.txt", "two"], in: tree.path)
    let commit = try TerminalProcess(["commit"] + options, in: tree.path)
    try commit.expect("? [y/N] ")
    try commit.type("\u{3}")
    try commit.expect("\r\ncommit: interrupted; nothing was done\r\n")
    #expect(try commit.exitStatus() == 130)
    #expect(access("\(tree.path)/b.txt", F_OK) != 0)
  }

  /// What is typed is for who has the terminal.
  @Test(arguments: [false, true])
  func `a question is not answered from the background`(_ hasWorkspace: Bool) throws {
    if hasWorkspace { _ = try Finished.strata(["init"], in: tree.path) }
    let script = """
      import os, pty, signal, subprocess, sys, time
      os.chdir('\(tree.path)')
      pid, terminal = pty.fork()
      signal.alarm(30)
      if pid == 0:
          strata = subprocess.Popen(['\(StrataProgram.path)', '-c', 'write b.txt two; commit'],
              preexec_fn=os.setpgrp)
          time.sleep(2)
          line = sys.stdin.readline()
          if line != 'y\\n' or os.path.exists('b.txt') or strata.poll() is not None:
              print(line, os.listdir('.'), strata.poll()); os._exit(1)
          print('again', flush=True)
          os.tcsetpgrp(0, strata.pid)
          os.kill(strata.pid, 18)
          os._exit(strata.wait())
      seen = b''
      def until(text):
          global seen
          while text not in seen: seen += os.read(terminal, 4096)
      try:
          for text in [b'[y/N]', b'again']:
              until(text)
              os.write(terminal, b'y\\n')
          while True: seen += os.read(terminal, 4096)
      except OSError: pass
      status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
      if status != 0 or not os.path.exists('b.txt'): sys.exit(f'{status} {seen}')
      """
    let result = try Finished.run("/usr/bin/python3", ["-c", script], in: "/")
    #expect(result.status == 0, "\(result)")
  }

  @Test func `a second terminal works while a shell has a run under way`() throws {
    _ = try Finished.strata(["init"], in: tree.path)
    let shell = try TerminalProcess(["--no-rc"], in: tree.path)
    try shell.expect("main:/> ")
    try shell.type("run -q -- sh -c 'echo two > b.txt; echo re''ady; exec sleep 60'\r")
    try shell.expect("ready")
    #expect(try Finished.strata(["cat", "b.txt"], in: tree.path).output == "two\n")
    let second = try Finished.strata(
      ["run", "-q", "--", "sh", "-c", "cat b.txt; echo 3 > c.txt"], in: tree.path)
    #expect(second.output == "two\n", "\(second)")
    try shell.type("\u{3}")
    try shell.expect("main*:/> ")
    try shell.type("cat c.txt; undo; ls\r")
    try shell.expect("3\r\nundid")
    try shell.expect("a.txt\r\n")
    try shell.type("exit\r")
    #expect(try shell.exitStatus() == 0)
  }
}
