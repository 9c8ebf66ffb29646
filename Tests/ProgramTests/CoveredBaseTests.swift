import Glibc
import StrataTestSupport
import Testing

/// A fork mounted over its own base, with the workspace in it: who serves the mount must never go by
/// the path that it covers. Needs root and FUSE.
@Suite(.enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0))
struct CoveredBaseTests {
  let tree: TemporaryDirectory

  init() throws {
    tree = try TemporaryDirectory()
    try tree.write("a.txt", "one\n")
    try tree.write("b.txt", "two\n")
  }

  private func strata(_ words: [String]) throws -> Finished {
    try Finished.strata(words, in: tree.path)
  }

  /// Runs a script of `sh` in the directory, with `strata` as a command that gets 20 seconds. Who
  /// waits for a server that waits for itself can only be freed by the mount's end.
  private func sh(_ script: String) throws -> String {
    let text = """
      strata() { timeout 20 '\(StrataProgram.path)' "$@" < /dev/null; }
      ( sleep 60; exec umount -f '\(tree.path)' ) > /dev/null 2>&1 &
      watchdog=$!
      trap 'kill $watchdog' EXIT
      cd '\(tree.path)'
      \(script)
      """
    let child = try ChildProcess(["timeout", "120", "sh", "-ec", text])
    #expect(child.status == 0, "\(script): \(child.text)")
    return child.text
  }

  /// A server that waits for itself lets nobody go until its mount is taken by force.
  private func unmount() {
    _ = try? ChildProcess(["umount", "-f", tree.path])
    _ = try? ChildProcess(["umount", "-l", tree.path])
  }

  @Test func `all commands work while the fork is mounted over its base`() throws {
    #expect(try strata(["init"]).status == 0)
    // A way by the path would lead into this one, and not just fail.
    #expect(try strata(["run", "-q", "--", "mkdir", ".strata"]).status == 0)
    // Another owner makes the store's log anew, and syncs its directory.
    _ = try ChildProcess(["pkill", "-9", "-f", "own-workspace \(tree.path)"])
    #expect(try strata(["status"]).status == 0)
    _ = try sh("while pgrep -f 'own-workspac[e] \(tree.path)' > /dev/null; do sleep 0.05; done")
    defer { unmount() }
    #expect(try strata(["mount", "main", tree.path]).status == 0)
    let text = try sh(
      """
      echo new > c.txt; mkdir d; echo x > d/x; rm b.txt; sync c.txt d
      ls .strata; rmdir .strata
      strata status | sed 1,3d
      strata commit -y
      strata -c 'fork side; switch side; write /e.txt side; commit -y'
      strata gc > /dev/null
      strata check | grep -o 'all is well'
      strata write /f.txt six; cat f.txt
      strata undo > /dev/null; ls
      strata commit --undo -y | tail -1
      strata rebase > /dev/null
      strata squash -y > /dev/null
      strata run -q -- sh -c 'echo run > g.txt; ls'
      strata layers add extra
      strata mounts
      """)
    #expect(
      text == """
        4 changes: 3 added, 1 removed
          D /b.txt
          A /c.txt
          A /d/
          A /d/x
        D /b.txt
        A /c.txt
        A /d/
        A /d/x
        committed 4 changes
        A /e.txt
        committed 1 change
        all is well
        six
        a.txt
        c.txt
        d
        took commit 2 back
        a.txt
        c.txt
        d
        g.txt
        main\t\(tree.path)

        """, "\(text)")
  }

  @Test func `strata started in a mount finds its workspace, fork and place`() throws {
    #expect(try strata(["init"]).status == 0)
    #expect(try strata(["-c", "fork work; switch work; mkdir /sub"]).status == 0)
    defer { unmount() }
    #expect(try strata(["mount", "work", tree.path]).status == 0)
    let text = try sh(
      """
      cd sub
      echo here > f
      strata pwd; strata cat f; strata status | head -1
      strata init 2>&1 || true
      getfattr -d -m - . 2>/dev/null
      """)
    #expect(
      text == """
        /sub
        here
        fork work, made from main, in /sub
        init: \(tree.path)/sub is in fork work of a workspace, mounted

        """, "\(text)")
  }

  @Test func `mount(8)'s helper finds a workspace that a mount covers`() throws {
    #expect(try strata(["init"]).status == 0)
    defer { unmount() }
    #expect(try strata(["mount", "main", tree.path]).status == 0)
    let other = try TemporaryDirectory()
    defer { _ = try? ChildProcess(["umount", "-l", other.path]) }
    let mounted = try Finished.strata(
      ["mount-helper", tree.path, other.path, "-o", "workspace=\(tree.path),fork=main"])
    #expect(mounted.status == 0, "\(mounted)")
    #expect(try sh("echo new > c.txt; ls \(other.path)") == "a.txt\nb.txt\nc.txt\n")
  }

  @Test func `the next strata takes a dead mount off the workspace that it covers`() throws {
    #expect(try strata(["init"]).status == 0)
    defer { unmount() }
    #expect(try strata(["mount", "main", tree.path]).status == 0)
    // The kernel asks no more when a directory is opened once it was told so.
    _ = try sh("ls; echo kept > c.txt; sync c.txt")
    _ = try ChildProcess(["pkill", "-9", "-f", "own-workspace \(tree.path)"])
    usleep(100_000)
    #expect(try ChildProcess(["ls", tree.path]).text.contains("not connected"))
    #expect(try strata(["cat", "/c.txt"]).output == "kept\n")
    #expect(try ChildProcess(["ls", tree.path]).text == "a.txt\nb.txt\n")
    #expect(try strata(["check"]).output.contains("all is well"))
  }
}
