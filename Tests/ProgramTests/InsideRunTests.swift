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

  @Test func `the run's kernel is told what a client changes`() throws {
    let result = try inside(
      """
      cat out sub a.txt; strata -c 'write out x; mkdir sub; write a.txt longer'; cat out a.txt
      cd sub; ls g; strata -c 'write f 1; mv f g; rm ../out'; pwd; ls; cat ../out; echo $?
      mkdir deep; cd deep; strata commit -y; pwd; cat ../g; echo more > h; cat h
      """)
    #expect(
      result.output.replacing(tree.path, with: "") == """
        one
        x
        longer
        /sub
        g
        1
        M /a.txt
        A /sub/
        A /sub/deep/
        A /sub/g
        committed 4 changes
        /sub/deep
        1
        more

        """, "\(result)")
  }

  @Test func `what both sides have made the same is no conflict of a commit in a run`() throws {
    #expect(try strata(["write", "a.txt", "same"]).status == 0)
    try tree.write("a.txt", "same\n")
    let result = try inside("echo new > n; strata commit -y; cat a.txt n")
    #expect(result.output.hasSuffix("same\nnew\n") && result.status == 0, "\(result)")
    #expect(try tree.read("n") == "new\n")
    #expect(try strata(["diff"]).output == "")
  }

  @Test func `a merge into the fork of the run is seen there`() throws {
    let result = try inside(
      """
      strata run -q --new -- sh -c 'echo new > n; echo two > a.txt'
      exec 3< a.txt; cat n; strata merge run-1 > /dev/null; cat n a.txt
      """)
    #expect(result.output == "new\ntwo\n", "\(result)")
  }

  @Test func `nothing puts another tree in the place of a run's`() throws {
    #expect(try strata(["-c", "write before 1"]).status == 0)
    let result = try inside(
      """
      exec 3> log; echo one >&3
      for command in undo discard 'discard before' 'op restore 1' rebase; do
        strata $command && echo "$command was done"
      done
      echo two >&3; cat log before
      """)
    #expect(result.output == "one\ntwo\n1\n", "\(result)")
    let refusals = result.errors.split(separator: "\n").filter {
      $0.contains("a run in the fork has not ended")
    }
    #expect(refusals.count == 5, "\(result)")
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
