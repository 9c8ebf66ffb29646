import Glibc
import StrataTestSupport
import Testing

/// A workspace on a file system that is read-only can be looked at. Needs root.
@Suite(.enabled(if: geteuid() == 0, "mounting a file system takes root"))
struct ReadOnlyTests {
  let place: TemporaryDirectory

  init() throws {
    place = try TemporaryDirectory()
    try shell("mount -t tmpfs none \(place.path)")
  }

  private func shell(_ script: String) throws {
    let child = try ChildProcess(["sh", "-ec", script])
    #expect(child.status == 0, "\(script): \(child.text)")
  }

  private func strata(_ line: String, status: Int32 = 0) throws -> Finished {
    let result = try Finished.strata(["-c", line], in: "\(place.path)/tree")
    #expect(result.status == status, "\(line): \(result)")
    return result
  }

  private func end() throws { try shell("umount -l \(place.path)") }

  /// With what SQLite's log has of it, as a process that was killed has left it, or without.
  @Test(arguments: [false, true])
  func `what it holds can be read, and nothing written`(isKilled: Bool) throws {
    defer { _ = try? end() }
    try shell("mkdir \(place.path)/tree; cd \(place.path)/tree; echo base > base; seq 9999 > big")
    #expect(try Finished.strata(["init"], in: "\(place.path)/tree").status == 0)
    _ = try strata("write new text; write -a big more; chmod 600 base; fork work; rm base")
    _ = try strata("write -a base committed; commit -y; write -a base later")
    if isKilled {
      _ = try strata("write last one")
      try shell("kill -9 $(cat \(place.path)/tree/.strata/lock)")
    } else {
      while access("\(place.path)/tree/.strata/store.db-wal", F_OK) == 0 { usleep(10_000) }
    }
    // Not before nobody has it open for writing any more.
    try shell(
      "for n in $(seq 500); do mount -o remount,ro \(place.path) && exit; sleep 0.01; done; false")
    let look = "cd \(place.path); find . -ls; cat tree/.strata/*.db*"
    let before = try ChildProcess(["sh", "-c", look]).output
    let read = try strata(
      "ls; cat new; tail -n 1 big; cat base; forks; log; diff; status; op show 1")
    for word in ["new", "text", "more", "later", "work", "write new text"] {
      #expect(read.output.contains(word), "\(word): \(read)")
    }
    #expect(try strata("switch work; ls").output == "big\nnew\n")
    #expect(try strata("tail -n 1 big; diff work main").output.hasPrefix("more\n"))
    #expect(try strata("check").output.contains("all is well"))
    let changes = [
      "write x y", "rm new", "mkdir d", "fork other", "undo", "redo", "discard", "discard base",
      "op restore 1", "rebase", "drop -f work", "squash -y", "gc", "layers add side", "commit -y",
      "commit --undo", "mount main \(place.path)/mount", "run --new --rm -- true",
    ]
    for line in changes {
      let result = try strata(line, status: 1)
      let reason =
        "Read-only file system (the workspace \(place.path)/tree/.strata can only be read)\n"
      #expect(result.output == "" && result.errors.hasSuffix(reason), "\(line): \(result)")
      #expect(result.errors.split(separator: "\n").count == 1, "\(line): \(result)")
    }
    #expect(try strata("run -- sh -c 'cat new; echo > new'", status: 2).output == "text\n")
    #expect(try strata("ls").output == "base\nbig\n\(isKilled ? "last\n" : "")new\n")
    #expect(try ChildProcess(["sh", "-c", look]).output == before)
    try shell("mount -o remount,rw \(place.path)")
    _ = try strata("write x y; undo; check")
  }

  @Test func `who may only read waits for an owner that is about to leave`() throws {
    defer { _ = try? end() }
    try shell(
      """
      cd \(place.path); mkdir -p rw/tree ro; echo base > rw/tree/base
      mount --bind rw ro; mount -o remount,bind,ro ro
      """)
    defer { _ = try? shell("umount -l \(place.path)/ro") }
    #expect(try Finished.strata(["init"], in: "\(place.path)/rw/tree").status == 0)
    for number in 1...3 {
      let line = "write new \(number)"
      #expect(try Finished.strata(["-c", line], in: "\(place.path)/rw/tree").status == 0)
      let read = try Finished.strata(["cat", "new"], in: "\(place.path)/ro/tree")
      #expect(read.output == "\(number)\n", "\(read)")
    }
    // One that stays is not waited for much longer.
    let shell = try TerminalProcess(["--no-rc"], in: "\(place.path)/rw/tree")
    try shell.expect("main*:/> ")
    var read: Finished?
    let waited = try ContinuousClock().measure {
      read = try Finished.strata(["cat", "new"], in: "\(place.path)/ro/tree")
    }
    #expect(read?.errors.contains("the workspace is open in process ") == true && read?.status == 1)
    #expect(waited < .milliseconds(1500))
    try shell.type("exit\r")
    #expect(try shell.exitStatus() == 0)
  }
}
