import Glibc
import StrataTestSupport
import Testing

/// Clients in a run find the owner of its workspace. Needs root and FUSE.
@Suite(.enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0))
struct InsideRunTests {
  let tree: TemporaryDirectory
  private let program = StrataProgram.path

  init() throws {
    tree = try TemporaryDirectory()
    try tree.write("a.txt", "one\n")
    #expect(try strata(["init"]).status == 0)
  }

  private func strata(_ words: [String]) throws -> Finished {
    try Finished.strata(words, in: tree.path)
  }

  private func inside(_ script: String, _ options: [String] = []) throws -> Finished {
    try strata(
      ["run", "-q"] + options + ["--", "sh", "-c", "strata() { \(program) \"$@\"; }; \(script)"])
  }

  @Test func `they begin in the fork of the run, and each sees what the other does`() throws {
    let result = try inside(
      """
      echo two > b.txt; strata diff --name-status; strata -c 'write -a a.txt more; fork x'
      cat a.txt; strata -c 'switch x; rm a.txt; diff main --name-status'; cat a.txt
      """, ["--new"])
    #expect(result.output == "A /b.txt\none\nmore\nD /a.txt\nA /b.txt\none\nmore\n", "\(result)")
    #expect(try strata(["ls"]).output == "a.txt\n")
    #expect(try strata(["-c", "switch x; ls"]).output == "b.txt\n")
  }

  @Test func `they find the owner whatever the program has closed`() throws {
    let close = "import os; os.closerange(3, 100); os.execv('\(program)', ['strata', 'forks'])"
    let result = try inside("cd /; exec python3 -c \"\(close)\"")
    #expect(result.status == 0 && result.output.contains("main"), "\(result)")
  }

  @Test func `a run inside a run is in the same workspace`() throws {
    let result = try inside(
      """
      echo two > b.txt
      strata run -q -- sh -c 'cat b.txt; echo three > c.txt'
      strata run -q --new -- sh -c 'rm b.txt; $0 forks' \(program) | grep -c run-1
      ls
      """)
    #expect(result.output == "two\n1\na.txt\nb.txt\nc.txt\n", "\(result)")
    #expect(try strata(["undo"]).status == 0)
    #expect(try strata(["ls"]).output == "a.txt\n")
  }

  @Test func `what cannot be done inside says why`() throws {
    #expect(try strata(["-c", "write before 1"]).status == 0)
    let undo = try inside("strata undo")
    #expect(undo.status == 1 && undo.errors.contains("a run in the fork has not ended"))
    for command in ["init", "mount main /mnt", "copy-out a.txt /tmp/strata-inside"] {
      let result = try inside("strata \(command)")
      #expect(result.status == 1, "\(command): \(result)")
      #expect(result.errors.contains("does not see the host's files"), "\(command): \(result)")
    }
    let contained = try inside("strata log", ["--contain"])
    #expect(contained.status == 1 && contained.errors.contains("--contain"), "\(contained)")
    #expect(try strata(["undo"]).status == 0)
    #expect(try strata(["ls"]).output == "a.txt\n")
  }
}
