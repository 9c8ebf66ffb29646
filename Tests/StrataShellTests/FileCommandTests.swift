import StrataEngine
import StrataTestSupport
import Synchronization
import Testing

@testable import StrataShell

@Suite struct FileCommandTests {
  private let items: [(String, TableBase.Item)] = [
    ("etc/hosts", .file("127.0.0.1 localhost\n")), ("etc/motd", .file("one\ntwo\nthree\n")),
    ("empty", .directory), ("bin/tool", .file("#!x\n", mode: 0o755)),
    ("link", .symlink("etc/motd")), ("big", .file(String(repeating: "line\n", count: 40_000))),
  ]

  /// Lines and what they must write; each runs in a fresh session.
  @Test(arguments: [
    ("pwd", "/\n"), ("cd etc; pwd", "/etc\n"), ("cd etc; cd; pwd", "/\n"),
    ("cd etc; cd -", "/\n"), ("ls", "big\nbin\nempty\netc\nlink\n"),
    ("ls -F", "big\nbin/\nempty/\netc/\nlink@\n"),
    ("ls etc bin", "etc:\nhosts\nmotd\n\nbin:\ntool\n"),
    ("ls -d etc", "etc\n"), ("ls -r etc", "motd\nhosts\n"), ("ls -S etc", "hosts\nmotd\n"),
    ("cat etc/hosts", "127.0.0.1 localhost\n"), ("cat link", "one\ntwo\nthree\n"),
    ("cat -n etc/motd", "     1\tone\n     2\ttwo\n     3\tthree\n"),
    ("head -n 1 etc/motd", "one\n"), ("head -2 etc/motd", "one\ntwo\n"),
    ("head -n -2 etc/motd", "one\n"), ("head -c 5 etc/motd", "one\nt"),
    (
      "head -n1 etc/hosts etc/motd",
      "==> etc/hosts <==\n127.0.0.1 localhost\n\n==> etc/motd <==\none\n"
    ),
    ("tail -n 1 etc/motd", "three\n"), ("tail -n +2 etc/motd", "two\nthree\n"),
    ("tail -c 4 etc/motd", "ree\n"), ("tail -n 2 big", "line\nline\n"),
    ("cat etc/motd | tail -1", "three\n"), ("head -n 1 big", "line\n"),
    ("write new some words; cat new", "some words\n"), ("write -n new x; cat new", "x"),
    ("write -a etc/hosts more; cat etc/hosts", "127.0.0.1 localhost\nmore\n"),
    ("write --at 4 -n etc/motd TWO; cat etc/motd", "one\nTWO\nthree\n"),
    ("echo piped | write new; cat new", "piped\n"),
    ("write new <<END\na\nb\nEND\ncat new", "a\nb\n"),
    ("mkdir -p a/b/c; ls -R a", "a:\nb\n\na/b:\nc\n\na/b/c:\n"),
    ("mkdir -m 700 d; stat -c %a d", "700\n"), ("rmdir empty; ls -d empty || echo gone", "gone\n"),
    ("cp etc/motd copy; cat copy", "one\ntwo\nthree\n"), ("cp -r etc e2; ls e2", "hosts\nmotd\n"),
    ("cp -r etc empty; ls empty/etc", "hosts\nmotd\n"),
    ("cp etc/hosts etc/motd empty; ls empty", "hosts\nmotd\n"),
    ("cp link c; stat -c %F c", "regular file\n"), ("cp -P link c; readlink c", "etc/motd\n"),
    ("cp -a bin b2; stat -c %a b2/tool", "755\n"),
    ("mv etc conf; cat conf/hosts", "127.0.0.1 localhost\n"), ("mv link empty; ls empty", "link\n"),
    ("mv --exchange etc/hosts etc/motd; cat etc/hosts", "one\ntwo\nthree\n"),
    ("rm -r etc; ls", "big\nbin\nempty\nlink\n"), ("rm -rv empty", "removed empty\n"),
    ("rm -f nothing", ""), ("ln etc/motd m; stat -c %h m", "2\n"),
    ("ln -s x l; readlink l", "x\n"), ("ln -sf y link; readlink link", "y\n"),
    ("readlink -f link", "/etc/motd\n"), ("readlink -f etc/../none", "/none\n"),
    ("chmod u+x,g-r etc/motd; stat -c %a etc/motd", "704\n"),
    ("chmod -x bin/tool; stat -c %a bin/tool", "644\n"),
    ("chmod -R 700 etc; stat -c '%a %n' etc etc/motd", "700 etc\n700 etc/motd\n"),
    ("chown ann:users etc/motd; stat -c '%u %G' etc/motd", "1000 users\n"),
    ("chown ann: etc/motd; stat -c %g etc/motd", "1000\n"),
    ("touch -d 2025-01-31T08:05:09Z t; stat -c %y t", "2025-01-31 08:05:09.000000000 +0000\n"),
    ("touch -t 202501310805 t; stat -c %Y t", "1738310700\n"),
    ("touch -c none; ls none || true", ""), ("truncate -s 3 etc/motd; cat etc/motd", "one"),
    ("truncate -s +2 etc/hosts; stat -c %s etc/hosts", "22\n"),
    ("truncate -s 1M hole; stat -c '%s %b' hole", "1048576 0\n"),
    ("find etc", "etc\netc/hosts\netc/motd\n"),
    ("find -name '*t*' -type f", "./bin/tool\n./etc/hosts\n./etc/motd\n"),
    ("find . -size +100k", "./big\n"),
    ("find . -maxdepth 1 -type l -o -empty", "./empty\n./link\n"),
    ("find etc ! -name hosts -type f", "etc/motd\n"),
    ("find etc -name hosts -delete; ls etc", "motd\n"),
    ("write etc/motd x; find / -changed -type f", "/etc/motd\n"),
    ("tree etc", "etc\n├── hosts\n└── motd\n\n0 directories, 2 files\n"),
    ("grep o etc/motd", "one\ntwo\n"), ("grep -n two etc/motd", "2:two\n"),
    ("grep -v o etc/motd", "three\n"), ("grep -c o etc/motd", "2\n"),
    ("grep -rl local .", "./etc/hosts\n"),
    ("grep -E 'one|three' etc/motd", "one\nthree\n"), ("grep -iw ONE etc/motd", "one\n"),
    ("grep -o 't[a-z]' etc/motd", "tw\nth\n"), ("grep -A1 one etc/motd", "one\ntwo\n"),
    ("grep -F . etc/hosts -o", ".\n.\n.\n"), ("cat etc/motd | grep -x two", "two\n"),
    ("du -b etc/motd", "14\tetc/motd\n"),
    ("du -sbc etc/motd etc/hosts", "14\tetc/motd\n20\tetc/hosts\n34\ttotal\n"),
    ("xattr -w user.a b etc/motd; xattr etc/motd", "user.a=b\n"),
    ("xattr -w user.a b etc/motd; xattr -p user.a etc/motd", "b\n"),
    ("xattr -w user.a b etc/motd; xattr -d user.a etc/motd; xattr etc/motd", ""),
    (
      "echo hello | hexdump -C",
      "00000000  68 65 6c 6c 6f 0a                                 |hello.|\n00000006\n"
    ),
    (
      "hexdump -s 4 -n 3 etc/motd",
      "00000004  74 77 6f                                          |two|\n00000007\n"
    ),
  ])
  func `file commands do as coreutils do`(line: String, expected: String) throws {
    let shell = try Shell(items)
    let result = shell.run(line)
    #expect(result.output == expected)
  }

  @Test(arguments: ["", " -print", " -print0"])
  func `find lists what it would print as JSON, and nothing else`(action: String) throws {
    let shell = try Shell(items)
    let line = "find etc -name hosts\(action) -o -name none"
    for result in [shell.run(line, json: true), shell.run("\(line) --json")] {
      let rows = try JSON(parsing: Array(result.output.utf8)).elements
      #expect(rows?.map { $0["path"]?.bytesValue } == [Array("etc/hosts".utf8)], "\(result)")
    }
    #expect(shell.output("find etc -name hosts -delete --json") == "[]\n")
  }

  @Test func `ls -l shows mode, links, owner, size, time and link targets`() throws {
    let shell = try Shell(items)
    shell.run("touch -d 2025-01-31T08:05Z etc/motd; chmod 640 etc/motd; chown ann:users etc/motd")
    #expect(
      shell.output("ls -l etc/motd") == "-rw-r----- 1 ann users 14 2025-01-31 08:05 etc/motd\n")
    #expect(shell.output("ls -l link").hasSuffix(" link -> etc/motd\n"))
  }

  @Test func `cp -a keeps hard links, times and extended attributes`() throws {
    let shell = try Shell(items)
    shell.run("ln etc/motd etc/same; xattr -w user.k v etc/motd; touch -d @5 etc/motd")
    #expect(shell.output("cp -a etc e2") == "")
    #expect(shell.output("stat -c '%h %Y' e2/motd") == "2 5\n")
    #expect(shell.output("xattr e2/same") == "user.k=v\n")
  }

  @Test func `a tree is not copied into itself without end`() throws {
    let shell = try Shell(items)
    let result = shell.run("cp -r etc etc/inside")
    #expect(result.status == 1)
    #expect(result.error == "cp: etc/inside is not copied into itself\n")
    #expect(shell.output("ls etc/inside") == "hosts\nmotd\n")
  }

  @Test func `one command is one operation, which undo takes back`() throws {
    let shell = try Shell(items)
    shell.run("rm -r etc bin")
    #expect(shell.output("undo") == "undid 1: rm -r etc bin\n")
    #expect(shell.output("ls") == "big\nbin\nempty\netc\nlink\n")
    #expect(shell.output("redo; ls") == "did again 1: rm -r etc bin\nbig\nempty\nlink\n")
  }

  @Test func `names that no terminal should see are escaped in messages and round-trip`() throws {
    let shell = try Shell(items)
    shell.run("write $'a\\x1b[31m\\xff' x")
    #expect(shell.run("cat $'b\\x1b'").error == "cat: $'b\\e': No such file or directory\n")
    let json = shell.run("ls --json", json: false).output
    #expect(json.contains(#"{"name":{"b64":"YRtbMzFt/w=="},"#))
    #expect(shell.output("cat a*") == "x\n")
  }

  @Test func `copies go in from the host and out to it`() throws {
    let host = TestHost(["in.txt": "from outside"])
    let shell = try Shell(items, host: host)
    #expect(shell.output("copy-in in.txt /inside; cat inside") == "from outside")
    #expect(shell.output("copy-out etc/motd out.txt") == "")
    #expect(host.text("out.txt") == "one\ntwo\nthree\n")
    host.fullDisk.withLock { $0 = true }
    let result = shell.run("copy-out big full.txt")
    #expect(result.error == "copy-out: full.txt: No space left on device\n")
    #expect(result.status == 1)
  }

  @Test func `plugins are asked about what is copied from and to the host, and told`() throws {
    let host = TestHost(["in.txt": "from outside"])
    let shell = try Shell(items, host: host)
    let watch = CopyWatch()
    shell.workspace.hooks.policy = watch
    shell.workspace.hooks.add(watch)
    shell.run("ln -s /etc out; copy-in in.txt out/inside; copy-out -r etc tree")
    #expect(
      watch.take() == [
        "before import /etc/inside in.txt 12", "after import /etc/inside in.txt 12",
        "before export /etc tree -", "before export /etc/hosts tree/hosts 20",
        "after export /etc/hosts tree/hosts 20", "before export /etc/inside tree/inside 12",
        "after export /etc/inside tree/inside 12", "before export /etc/motd tree/motd 14",
        "after export /etc/motd tree/motd 14", "after export /etc tree -",
      ])
    watch.refused.withLock { $0 = true }
    #expect(shell.run("copy-in in.txt no").error == "copy-in: no: Permission denied (no copies)\n")
    #expect(
      shell.run("copy-out etc/motd no").error
        == "copy-out: etc/motd: Permission denied (no copies)\n")
    #expect(shell.run("cat no").status == 1 && host.text("no") == nil)
  }

  @Test func `permissions hold for the caller`() throws {
    let shell = try Shell(
      items + [("secret", .file("x", mode: 0o600))], caller: Caller(uid: 1000, gid: 1000))
    #expect(shell.run("cat secret").error == "cat: secret: Permission denied\n")
    #expect(shell.run("write etc/motd x").error == "write: etc/motd: Permission denied\n")
  }
}

/// Notes what is copied from and to the host, and refuses it once it is told to.
private final class CopyWatch: Policy, Observer {
  let interest = EventSet([.import, .export])
  let refused = Mutex(false)
  private let lines = Mutex<[String]>([])

  func decide(_ event: Event, on fork: Fork) throws(FileError) -> Verdict {
    note("before", event)
    if refused.withLock({ $0 }) { throw FileError(.permissionDenied, "no copies") }
    return .proceed
  }

  func observe(_ event: Event, on fork: Fork) { note("after", event) }

  private func note(_ when: String, _ event: Event) {
    let size = event.size.map { "\($0)" } ?? "-"
    let host = (event.path2 ?? []).text
    lines.withLock {
      $0.append("\(when) \(event.kind.rawValue) \(event.path.text) \(host) \(size)")
    }
  }

  func take() -> [String] {
    lines.withLock { lines in
      defer { lines = [] }
      return lines
    }
  }
}

@Suite struct DeepTreeTests {
  @Test func `trees deeper than a stack and longer than a path can be walked`() throws {
    let shell = try Shell()
    for _ in 0..<1000 { shell.run("mkdir deep; cd deep") }
    shell.run("write leaf text; cd /")
    #expect(shell.output("find deep | grep -c .") == "1001\n")
    #expect(shell.output("find deep -name leaf | grep -c leaf") == "1\n")
    #expect(shell.output("cp -r deep copy; du -sb copy") == "5\tcopy\n")
    #expect(
      shell.output("grep -r -h text copy; chmod -R 700 copy; tree deep | tail -1")
        == "text\n999 directories, 1 file\n")
    #expect(shell.output("rm -r deep; ls -R copy | grep -c leaf; ls") == "1\ncopy\n")
  }

  @Test func `what goes to dev-null is nowhere, and nothing comes from there`() throws {
    let shell = try Shell()
    let line = "mkdir d; cd d; echo lost > /dev/null; cat < ../dev/null; cat nope 2> /dev/null"
    let result = shell.run(line)
    #expect(result.output == "" && result.error == "", "\(result)")
    #expect(shell.run("ls -R /").output == "/:\nd\n\n/d:\n")
  }
}
