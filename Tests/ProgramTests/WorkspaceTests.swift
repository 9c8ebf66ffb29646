import Glibc
import StrataTestSupport
import Testing

/// A workspace on disk as a person uses it, a process for each command.
@Suite struct WorkspaceTests {
  let tree: TemporaryDirectory

  init() throws {
    tree = try TemporaryDirectory()
    try tree.write("a.txt", "one\n")
    try tree.write("b.txt", "two\n")
    #expect(try Finished.strata(["init"], in: tree.path).status == 0)
  }

  @discardableResult
  private func strata(_ line: String, status: Int32 = 0) throws -> Finished {
    let result = try Finished.strata(["-c", line], in: tree.path)
    #expect(result.status == status, "\(line): \(result)")
    return result
  }

  @Test func `forks and history are there for the next process`() throws {
    try strata("write -a a.txt more; fork work; rm b.txt; switch main")
    #expect(try strata("cat a.txt").output == "one\nmore\n")
    #expect(try strata("switch work; ls").output == "a.txt\n")
    #expect(try strata("undo").output == "undid 1: write -a a.txt more\n")
    #expect(try strata("cat a.txt").output == "one\n")
    try strata("redo")
    #expect(try strata("cat a.txt").output == "one\nmore\n")
    #expect(try strata("op show 1").output.contains("M /a.txt"))
    try strata("rm a.txt; op restore 1")
    #expect(try strata("cat a.txt").output == "one\nmore\n")
    #expect(try strata("check").output.contains("all is well"))
    #expect(try strata("squash -y; cat a.txt").output.hasSuffix("one\nmore\n"))
    try strata("gc; check")
    #expect(try tree.read("a.txt") == "one\n")
  }

  @Test func `squash says of what it gives up what was undone`() throws {
    try strata("write a.txt 1; write a.txt 2; undo; rm b.txt")
    let told = try strata("squash").output
    #expect(try strata("squash -n").output == told)
    #expect(told.hasPrefix("gives up 1: write a.txt 1\ngives up 2, undone: write a.txt 2\n"))
    #expect(told.contains("gives up 3: rm b.txt\n"))
  }

  @Test func `what is in the way of a workspace or of a plugin is named`() throws {
    let again = try Finished.strata(["init"], in: tree.path)
    #expect(
      again.status == 1 && again.errors.contains("/.strata is a workspace already"), "\(again)")
    _ = try Finished.run("/bin/mkdir", ["-p", "new/.strata"], in: tree.path)
    let other = try Finished.strata(["--base", ".", "init"], in: "\(tree.path)/new")
    #expect(other.status == 1 && other.errors.contains("is no workspace"), "\(other)")
    _ = try Finished.run("/bin/mkdir", ["alone"], in: tree.path)
    let missing = try Finished.strata(["--base", ".", "init", "nope"], in: "\(tree.path)/alone")
    #expect(missing.errors.contains("init: nope: No such file or directory"), "\(missing)")
    // Nothing is left of it.
    let then = try Finished.strata(["--base", ".", "init", "."], in: "\(tree.path)/alone")
    #expect(then.status == 0, "\(then)")
    for place in [[], ["--base", "."]] {
      let plugin = try Finished.strata(place + ["--plugin", "/nope", "-c", "ls"], in: tree.path)
      #expect(
        plugin.status != 0 && plugin.errors.contains("plugin /nope: No such file"), "\(plugin)")
    }
  }

  @Test
  func `a session begins where the client stands, or above it where the fork has no such place`()
    throws
  {
    _ = try Finished.run("/bin/mkdir", ["-p", "sub/deep", ".strata/in"], in: tree.path)
    try tree.write("sub/f", "1\n")
    func told(_ words: [String], in place: String, input: String = "") throws -> String {
      let result = try Finished.strata(words, input: input, in: "\(tree.path)/\(place)")
      #expect(result.status == 0, "\(words): \(result)")
      return result.output
    }
    #expect(try told(["ls"], in: "sub") == "deep\nf\n")
    #expect(try told([], in: "sub", input: "write g 2; cat f ../sub/g\n") == "1\n2\n")
    #expect(try told(["rm", "-r", "/sub"], in: "sub/deep") == "")
    #expect(try told(["pwd"], in: "sub/deep") == "/\n")
    #expect(try told(["-c", "undo; ls /sub"], in: "sub").hasSuffix("\ndeep\nf\ng\n"))
    #expect(try told(["pwd"], in: ".strata/in") == "/\n")
    #expect(try told(["--base", "..", "pwd"], in: "sub") == "/sub\n")
    #expect(try told(["--base", "sub", "pwd"], in: ".") == "/\n")
  }

  @Test func `what is recorded in a directory replays`() throws {
    _ = try Finished.run("/bin/mkdir", ["new"], in: tree.path)
    try tree.write("new/f", "1\n")
    let place = "\(tree.path)/new"
    #expect(try Finished.strata(["-c", "record ../r; cat f"], in: place).status == 0)
    let replayed = try Finished.strata(["replay", "\(tree.path)/r"])
    #expect(replayed.output == "1 passed\n", "\(replayed)")
  }

  @Test(arguments: [["--base", "../of", "init"], ["init", "--base", "../of"], ["init", "../of"]])
  func `a workspace is made over the base that is named`(words: [String]) throws {
    _ = try Finished.run("/bin/mkdir", ["of", "other"], in: tree.path)
    try tree.write("of/f", "1\n")
    let other = "\(tree.path)/other"
    let made = try Finished.strata(words, in: other)
    #expect(made.output.contains("other/.strata"), "\(made)")
    #expect(try Finished.strata(["ls"], in: other).output == "f\n")
    _ = try Finished.run("/bin/rm", ["-r", ".strata"], in: other)
    #expect(try Finished.strata(["--base", "../of", "-c", "init"], in: other).status == 0)
    #expect(try Finished.strata(["ls"], in: other).output == "f\n")
  }

  @Test func `a workspace that cannot be opened is not passed over`() throws {
    _ = try Finished.run("/bin/mkdir", ["-p", "new/.strata", "new/sub"], in: tree.path)
    for place in ["new", "new/sub"] {
      let words = ["-c", "write f lost"]
      let result = try Finished.strata(words, in: "\(tree.path)/\(place)")
      let path = "\(tree.path)/new/.strata/store.db"
      #expect(
        result.status == 1 && result.errors.contains("\(path): No such file or directory"),
        "\(result)")
      let inMemory = try Finished.strata(["--base", "."] + words, in: "\(tree.path)/\(place)")
      #expect(inMemory.status == 0, "\(inMemory)")
    }
  }

  @Test(.enabled(if: geteuid() == 0)) func `another user's workspace is not passed over`() throws {
    _ = try Finished.run("/bin/chmod", ["755", "."], in: tree.path)
    let words = ["--reuid", "65534", "--regid", "65534", "--clear-groups", StrataProgram.path]
    let result = try Finished.run("/usr/bin/setpriv", words + ["ls"], in: tree.path)
    #expect(
      result.status == 1 && result.errors.contains(".strata/store.db: Permission denied"),
      "\(result)")
  }

  @Test func `git sees nothing of a workspace`() throws {
    let child = try ChildProcess(
      ["sh", "-ec", "cd '\(tree.path)'; git init -q; git add . 2>&1; git ls-files"])
    #expect(child.text == "a.txt\nb.txt\n")
  }

  @Test func `why tells the same in the next process, also after undo and redo`() throws {
    let told = try strata("write -a a.txt more; chmod 600 b.txt; why a.txt b.txt").output
    #expect(told.contains("copy_up base->main"))
    #expect(told.contains("metadata_copy base->main"))
    // The owner leaves when nobody needs it.
    usleep(600_000)
    #expect(try strata("why a.txt b.txt").output == told)
    #expect(try strata("undo 2; why a.txt").output.contains("copy_up") == false)
    usleep(600_000)
    #expect(try strata("redo 2; why a.txt b.txt").output.hasSuffix(told))
    try strata("gc; check")
    #expect(try strata("why a.txt b.txt").output == told)
  }

  @Test func `a workspace of an older format is brought up to date`() throws {
    try strata("write -a a.txt more; fork work")
    usleep(600_000)
    let older = """
      import sqlite3
      db = sqlite3.connect('.strata/store.db')
      db.executescript('''
        DROP TABLE event; DROP INDEX data_file_later;
        ALTER TABLE layer DROP COLUMN depth; ALTER TABLE layer DROP COLUMN sources;
        PRAGMA user_version = 1;''')
      for table in 'counter', 'base', 'fork', 'side_layer':
        db.execute(f'DROP TABLE {table}_mirror')
      for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f'DROP TRIGGER {trigger}')
      """
    let python = try Finished.run("/usr/bin/env", ["python3", "-c", older], in: tree.path)
    #expect(python.status == 0, "\(python)")
    #expect(try strata("switch work; cat a.txt").output == "one\nmore\n")
    try strata("write -a b.txt more; why b.txt; check")
  }

  @Test func `commit brings changes to the host, and other forks see what was before`() throws {
    try strata("fork other; switch main; write -a a.txt more; mkdir new; mv b.txt new/c.txt")
    #expect(try strata("commit -n").output == "M /a.txt\nA /new/\nR /b.txt -> /new/c.txt\n")
    #expect(try tree.read("a.txt") == "one\n")
    try strata("commit -y")
    #expect(try tree.read("a.txt") == "one\nmore\n")
    #expect(try tree.read("new/c.txt") == "two\n")
    #expect(try strata("status").output.contains("no changes"))
    #expect(try strata("switch other; cat a.txt b.txt").output == "one\ntwo\n")
    // Before the commit the fork had the changes over the old tree.
    #expect(try strata("undo").output.contains("the host keeps what was committed; commit --undo"))
    #expect(try strata("cat new/c.txt a.txt").output == "two\none\nmore\n")
    try strata("check")
  }

  @Test func `without a terminal, nothing is committed that nobody says yes to`() throws {
    try strata("write a.txt mine")
    for words in ["commit", "commit --undo"] {
      let refused = try strata(words, status: 1)
      #expect(refused.errors == "commit: there is no terminal to ask at; -y does it\n")
      #expect(refused.output.hasSuffix("/a.txt\nnothing was done\n"))
      #expect(try tree.read("a.txt") == (words == "commit" ? "one\n" : "mine\n"))
      try strata("commit -y")
    }
  }

  @Test func `what both sides have made the same is no conflict, and no change`() throws {
    try strata("write a.txt same; write new.txt same; mkdir d; write d/mine 1; write b.txt mine")
    try tree.write("a.txt", "same\n")
    try tree.write("new.txt", "same\n")
    _ = try Finished.run("/bin/mkdir", ["d"], in: tree.path)
    try tree.write("d/theirs", "1\n")
    #expect(try strata("commit -n").output == "M /b.txt\nA /d/mine\n")
    #expect(try strata("commit", status: 1).output.hasSuffix("A /d/mine\nnothing was done\n"))
    #expect(try strata("log -n 1").output.contains("write b.txt"))
    #expect(try strata("commit -y").output == "M /b.txt\nA /d/mine\ncommitted 2 changes\n")
    #expect(try strata("status").output.contains("no changes"))
    #expect(try strata("ls d").output == "mine\ntheirs\n")
    try strata("write a.txt again")
    try tree.write("a.txt", "again\n")
    #expect(try strata("commit -y; status").output.hasPrefix("no changes\n"))
    try strata("check")
  }

  @Test func `a conflict that was settled by --ours is there again behind commit --undo`() throws {
    try strata("write a.txt mine")
    try tree.write("a.txt", "theirs\n")
    try strata("commit -y --ours; commit --undo -y")
    #expect(try tree.read("a.txt") == "theirs\n")
    #expect(try strata("commit -y", status: 1).errors.contains("/a.txt: changed on the host"))
    try strata("commit -y --theirs")
    #expect(try tree.read("a.txt") == "theirs\n")
    #expect(try strata("cat a.txt").output == "theirs\n")
  }

  @Test func `a conflict stops a commit before the first change`() throws {
    try strata("write -a a.txt mine; write -a b.txt mine")
    try tree.write("a.txt", "of somebody else\n")
    let refused = try strata("commit -y", status: 1)
    #expect(refused.errors.contains("/a.txt: changed on the host"))
    #expect(try tree.read("b.txt") == "two\n")
    try strata("commit -y --theirs-at /a.txt")
    #expect(try tree.read("a.txt") == "of somebody else\n")
    #expect(try tree.read("b.txt") == "two\nmine\n")
    try strata("write a.txt mine")
    try strata("commit -y --ours")
    #expect(try tree.read("a.txt") == "mine\n")
  }

  @Test func `a commit that leaves something to the host is one operation, and taken back as one`()
    throws
  {
    try strata("write -a a.txt mine; write -a b.txt mine")
    try tree.write("a.txt", "of somebody else\n")
    try strata("commit -y --theirs")
    #expect(try strata("log").output.split(separator: "\n").count == 4)
    #expect(try strata("cat a.txt").output == "of somebody else\n")
    try strata("commit -y --undo")
    #expect(try tree.read("b.txt") == "two\n")
    #expect(try tree.read("a.txt") == "of somebody else\n")
    #expect(try strata("cat a.txt b.txt").output == "one\nmine\ntwo\nmine\n")
    #expect(try strata("log").output.split(separator: "\n").count == 5)
    let refused = try strata("commit -y", status: 1)
    #expect(refused.errors.contains("/a.txt: changed on the host"))
    try strata("commit -y --ours")
    #expect(try tree.read("a.txt") == "one\nmine\n")
    #expect(try tree.read("b.txt") == "two\nmine\n")
    try strata("check")
  }

  @Test func `what two forks have of the same is committed from both`() throws {
    try strata(
      "write notes draft; mkdir d; write d/x 1; mv a.txt moved; fork try; write more 2; switch main"
    )
    try strata("commit -y")
    try strata("switch try; commit -y; status")
    #expect(try tree.read("notes") == "draft\n" && tree.read("more") == "2\n")
    #expect(try strata("switch try; diff").output == "")
    try strata("check")
  }

  @Test func `rebase takes the base as it is now, and names what both have changed`() throws {
    try tree.write("big", String(repeating: "line of the host\n", count: 6000))
    try strata("write --at 0 big mine; write new.txt mine; write -a b.txt mine")
    try tree.write("a.txt", "changed\n")
    try strata("rebase")
    #expect(try strata("cat a.txt").output == "changed\n")
    try tree.write("big", String(repeating: "another line\n", count: 9000))
    try tree.write("new.txt", "of the host\n")
    let refused = try strata("rebase", status: 1)
    #expect(refused.errors.contains("/big: changed on the host"))
    #expect(refused.errors.contains("/new.txt: made on the host as well"))
    try strata("rebase --ours-at /big --theirs-at /new.txt")
    #expect(try strata("cat new.txt").output == "of the host\n")
    // The block that was written is the fork's, the rest is the host's.
    #expect(try strata("head -n 1 big; tail -n 1 big").output == "mine\nanother line\n")
    #expect(try strata("cat b.txt").output == "two\nmine\n")
    try strata("check")
  }

  @Test func `a commit as a script does the same`() throws {
    try strata("write -a a.txt more; mkdir d; write d/x text; ln -s x d/link; rm b.txt")
    let script = try strata("commit --script").output
    let result = try Finished.run("/bin/sh", ["-s"], input: script, in: tree.path)
    #expect(result.status == 0, "\(result)")
    #expect(try tree.read("a.txt") == "one\nmore\n")
    #expect(try tree.read("d/link") == "text\n")
    #expect(access("\(tree.path)/b.txt", F_OK) != 0)
  }

  @Test func `discard drops the changes of some paths`() throws {
    try strata("write a.txt new; write d.txt new; rm b.txt; discard a.txt b.txt")
    #expect(try strata("status").output.hasSuffix("  A /d.txt\n"))
    #expect(try strata("cat a.txt b.txt").output == "one\ntwo\n")
    try strata("undo")
    #expect(try strata("cat a.txt").output == "new\n")
  }

  @Test func `a damaged store is named, and the rest can be read`() throws {
    try strata("write a.txt new")
    // Long enough for a file of its own.
    try strata("truncate -s 100000 big; write --at 50000 big text")
    let find = try Finished.run("/usr/bin/find", [".strata/data", "-type", "f"], in: tree.path)
    let file = try #require(find.output.split(separator: "\n").first)
    #expect(truncate("\(tree.path)/\(file)", 10) == 0)
    let check = try strata("check", status: 1)
    #expect(check.output.contains("store: data/"))
    #expect(try strata("cat a.txt").output == "new\n")
    let repair = try strata("check --repair")
    #expect(repair.output.contains("content of /big is damaged"), "\(repair)")
    #expect(repair.output.contains("all is well"))
    #expect(try strata("ls; stat -c %s lost+found/*").output.hasSuffix("100000\n"), "\(repair)")
  }

  @Test func `a workspace of a newer format is refused with both numbers`() throws {
    // By then the owner has left.
    usleep(600_000)
    let file = open("\(tree.path)/.strata/store.db", O_RDWR)
    defer { close(file) }
    // `PRAGMA user_version` is at offset 60 of an SQLite file.
    var version = UInt32(99).bigEndian
    #expect(pwrite(file, &version, 4, 60) == 4)
    let result = try Finished.strata(["forks"], in: tree.path)
    #expect(result.status != 0)
    #expect(result.errors.contains("format 99") && result.errors.contains("up to "), "\(result)")
  }
}
