import Glibc
import Testing

/// The owner is killed while programs work: what is durable of it can be undone. Needs root and FUSE.
@Suite(.enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0))
struct KilledOwnerTests {
  let tree: TemporaryDirectory
  /// Where programs leave word.
  let outside: TemporaryDirectory

  init() throws {
    (tree, outside) = (try TemporaryDirectory(), try TemporaryDirectory())
    try tree.write("a", "base\n")
    #expect(try strata(["init"]).status == 0)
  }

  private func strata(_ words: [String]) throws -> Finished {
    try Finished.strata(words, in: tree.path)
  }

  private func killOwner() throws {
    guard let pid = pid_t(try tree.read(".strata/lock")) else { throw TestFailure("no owner") }
    #expect(kill(pid, SIGKILL) == 0)
    // What is locked by it is free when it is gone.
    while kill(pid, 0) == 0, try !contents(of: "/proc/\(pid)/stat").contains(") Z") { usleep(1000) }
  }

  /// Waits until a program has left its number.
  private func program() throws -> pid_t {
    for _ in 0..<60_000 {
      if let text = try? outside.read("pid"), text.hasSuffix("\n") {
        return pid_t(text.dropLast()) ?? 0
      }
      usleep(1000)
    }
    throw TestFailure("no program")
  }

  private func check(_ command: String) throws {
    #expect(try strata(["cat", "a"]).output == "by the program\n")
    let log = try strata(["log"]).output.split(separator: "\n")
    #expect(log.count == 3 && log[1].contains(command) == true, "\(log)")
    #expect(try strata(["undo"]).status == 0)
    #expect(try strata(["-c", "cat a b"]).output == "base\nbefore\n")
    #expect(try strata(["redo"]).status == 0)
    #expect(try strata(["-c", "cat a b"]).output == "by the program\nbefore\n")
    #expect(try strata(["-c", "undo; undo; ls"]).output.hasSuffix("\na\n"))
    #expect(try strata(["check"]).status == 0)
  }

  @Test func `a run`() throws {
    #expect(try strata(["write", "b", "before"]).status == 0)
    let script = """
      echo by the program > a; sync a; echo $$ > \(outside.path)/new; \
      mv \(outside.path)/new \(outside.path)/pid; exec sleep 1000
      """
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let client = try Finished.spawn(
      StrataProgram.path, ["run", "--", "sh", "-c", script], in: tree.path, [], &actions, nil)
    let program = try program()
    try killOwner()
    kill(program, SIGKILL)
    #expect(try Finished.wait(client) != 0)
    try check("run -- sh -c")
  }

  @Test func `programs in a mount`() throws {
    #expect(try strata(["write", "b", "before"]).status == 0)
    #expect(try strata(["mount", "main", outside.path]).status == 0)
    defer { umount2(outside.path, Int32(MNT_FORCE | MNT_DETACH)) }
    let script = "echo by the program > a; sync a"
    #expect(try Finished.run("/bin/sh", ["-c", script], in: outside.path).status == 0)
    try killOwner()
    umount2(outside.path, Int32(MNT_FORCE | MNT_DETACH))
    try check("(programs)")
  }
}
