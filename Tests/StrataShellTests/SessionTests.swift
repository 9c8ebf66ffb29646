import StrataEngine
import StrataTestSupport
import Testing

@testable import StrataShell

@Suite struct SessionTests {
  private let items: [(String, TableBase.Item)] = [
    ("a.txt", .file("apple\nbanana\n")), ("b.txt", .file("berry\n")),
    ("d/e/f.txt", .file("deep\n")),
    ("sp ace", .file("x\n")), (".hidden", .file("h\n")),
  ]

  @Test(arguments: [
    ("x=1; echo $x${x}", "11\n"), ("x='a  b'; echo $x", "a  b\n"),
    ("echo \"[$none]\" $none.", "[] .\n"),
    ("echo $none end", "end\n"), ("echo \"\" end", " end\n"), ("false; echo $?", "1\n"),
    ("x=*; echo $x", "*\n"), ("echo *.txt", "a.txt b.txt\n"), ("echo '*'", "*\n"),
    ("echo ?.txt", "a.txt b.txt\n"),
    ("echo [!a].txt", "b.txt\n"), ("echo **/*.txt", "a.txt b.txt d/e/f.txt\n"),
    ("echo none*", "none*\n"),
    ("echo */", "d/\n"), ("echo .h*", ".hidden\n"), ("echo sp*", "sp ace\n"),
    ("echo /d/*/f*", "/d/e/f.txt\n"),
    ("true && echo y || echo n", "y\n"), ("false && echo y || echo n", "n\n"),
    ("false || false || echo n", "n\n"),
    ("echo a; echo b # c", "a\nb\n"), ("echo a > f; echo b >> f; cat < f", "a\nb\n"),
    ("cat a.txt | grep an | cat -n", "     1\tbanana\n"), ("cat <<E\n$FORK $PWD\nE", "main /\n"),
    ("cat <<'E'\n$x\nE", "$x\n"),
    ("cat /none 2> e; cat e", "cat: /none: No such file or directory\n"),
    ("cat /none 2>&1 | head -c 3", "cat"), ("alias l='ls -d'; l d", "d\n"),
    ("alias ls='ls -d'; ls d", "d\n"),
    ("!echo from host", "from host\n"), ("cat b.txt | !upper", "BERRY\n"),
    ("!echo x | cat -n", "     1\tx\n"),
    ("echo a | !upper | !cat | cat", "A\n"), ("cat a.txt | head -n 1", "apple\n"),
    ("write s $'echo $x\\nfalse'; x=5; source s; echo $?", "5\n1\n"),
    ("write s echo in script; source s", "in script\n"),
    ("fork w; pwd; switch main; forks | grep -c '  w'", "/\n2\n"),
    ("cd d; fork w; pwd; cd e; switch main; pwd; switch w; pwd", "/d\n/d\n/d/e\n"),
    ("set v=3; echo $v; set -u v; echo \"$v\"", "3\n\n"), ("x=1 echo a; echo \"$x\"", "a\n\n"),
    ("write -a b.txt more; echo ok | cat", "ok\n"), ("true | false; echo $?", "1\n"),
    ("ls | true", ""),
  ])
  func `lines do what they say`(line: String, expected: String) throws {
    #expect(try Shell(items).run(line).output == expected)
  }

  @Test func `a recorder is asked for what is to be kept only while it is on`() throws {
    let shell = try Shell(items)
    let recorder = FakeRecorder()
    shell.session.recorder = recorder
    #expect(shell.output("echo a; cat b.txt") == "a\nberry\n" && recorder.sources.isEmpty)
    recorder.isOn = true
    #expect(shell.output("echo a; cat b.txt # all") == "a\nberry\n")
    #expect(recorder.sources == ["echo a", "cat b.txt"])
  }

  @Test(arguments: [
    ("nosuch", 127, "strata: nosuch: unknown command\n"),
    ("gerp x", 127, "strata: gerp: unknown command; did you mean grep?\n"),
    ("ls --colr", 64, "ls: unknown option --colr\n"),
    ("ls --revers x", 1, "ls: x: No such file or directory\n"),
    ("ls -Z", 64, "ls: unknown option -Z\n"),
    ("head -n", 64, "head: option -n needs an argument: N\n"),
    ("cat 'x", 64, "strata: line 1, column 5: unterminated quote\n"), ("exit 7", 7, ""),
    ("!fail", 3, "no luck\n"), ("echo > /d", 1, "strata: /d: Is a directory\n"),
    ("cat < /none", 1, "strata: /none: No such file or directory\n"),
    ("echo > *.txt", 1, "strata: a redirection to 2 files at once\n"),
    ("switch mian", 1, "switch: no fork mian; did you mean main?\n"),
    ("drop main", 1, "drop: main: main cannot be dropped\n"),
    ("alias x='a|b'", 1, "alias: an alias stands for one command with arguments, not for a|b\n"),
    ("source /none", 1, "source: /none: No such file or directory\n"),
    ("undo", 1, "undo: nothing to undo\n"),
    ("help mov", 1, "help: no command mov; did you mean mv?\n"),
    ("plugin load x", 1, "plugin: x: No such file or directory\n"),
  ])
  func `what cannot be done is told in one line`(line: String, status: Int32, error: String) throws
  {
    let result = try Shell(items).run(line)
    #expect(result.status == status)
    #expect(result.error.hasPrefix(error), "\(result.error)")
    #expect(result.error.isEmpty == error.isEmpty)
  }

  @Test func `the prompt tells fork, changes and directory`() throws {
    let shell = try Shell(items)
    #expect(shell.session.prompt == Array("main:/> ".utf8))
    shell.run("fork work; cd d/e; write new x")
    #expect(shell.session.prompt == Array("work*:/d/e> ".utf8))
    shell.run("undo")
    #expect(shell.session.prompt == Array("work:/d/e> ".utf8))
  }

  @Test func `a script stops at its first failure unless told to keep going`() throws {
    let shell = try Shell(items)
    shell.session.settings.keepsGoing = false
    #expect(shell.run("false; echo no").output == "")
    #expect(shell.run("false || echo caught; false && echo no; echo on").output == "caught\non\n")
    #expect(shell.run("set -k; false; echo yes").output == "yes\n")
  }

  @Test func `a reader that stops early stops the writer`() throws {
    let shell = try Shell([("big", .file(String(repeating: "0123456789abcdef\n", count: 200_000)))])
    let result = shell.run("cat big | head -n 1; echo $?")
    #expect(result.output == "0123456789abcdef\n0\n")
    #expect(result.error == "")
  }

  @Test func `trace shows events as they happen, until it is off`() throws {
    let shell = try Shell([("etc/hosts", .file("127.0.0.1 localhost\n"))])
    shell.run("fork work; trace on")
    #expect(
      shell.run("write -a /etc/hosts hi").error == "@ copy_up /etc/hosts base->work 20 bytes\n")
    #expect(shell.run("trace off; rm /etc/hosts").error == "")
  }

  @Test func `trace and why call a file with several names by the one that was used`() throws {
    let shell = try Shell([("bigger", .file("text"))])
    shell.run("fork work; ln bigger third; trace on")
    #expect(shell.run("write -a bigger x").error == "@ copy_up /bigger base->work 4 bytes\n")
    #expect(shell.output("why bigger").hasPrefix("/bigger: "))
    #expect(shell.output("why third").hasPrefix("/third: "))
    shell.run("mkdir d; cd d; ln -s ../third s")
    #expect(shell.output("why ../bigger").hasPrefix("/bigger: "))
    #expect(shell.output("why s").hasPrefix("/d/s: "))
    #expect(shell.output("why .").hasPrefix("/d: ") && shell.output("why /").hasPrefix("/: "))
  }

  @Test func `cancelling ends a command with 130 and the list with it`() throws {
    let shell = try Shell(items)
    shell.session.commands.add(
      Command("spin", .session, .reads, "spin", usage: [""], examples: []) { context in
        context.session.cancellation.cancel()
        while true { try context.checkCancelled() }
      })
    let result = shell.run("spin; echo no")
    #expect(result == Shell.Result(output: "", error: "", status: 130))
    #expect(shell.run("echo yes").output == "yes\n")
  }

  @Test(arguments: [
    ("ec", ["echo "]), ("cat a", ["a.txt "]), ("cat d", ["d/"]), ("cat d/e/", ["d/e/f.txt "]),
    ("cat sp", ["'sp ace' "]), ("cat 's", ["'sp ace' "]), ("cd ", ["d/"]), ("switch w", ["work "]),
    ("ls --rev", ["--reverse "]), ("echo a | gre", ["grep "]), ("cat < b", ["b.txt "]),
    ("help tra", ["trace "]),
    ("trace o", ["off ", "on "]), ("head -n 5 b", ["b.txt "]), ("cat .h", [".hidden "]),
    ("echo $VA", ["$VAR "]),
    ("touch -r b", ["b.txt "]), ("write a", ["a.txt "]), ("plugin l", ["list ", "load "]),
  ])
  func `words are completed by what can stand there`(line: String, expected: [String]) throws {
    let shell = try Shell(items)
    shell.run("fork -s work; VAR=1")
    let (_, candidates) = shell.session.complete(Array(line.utf8), cursor: line.utf8.count)
    let texts = candidates.map {
      String(decoding: $0.replacement, as: UTF8.self) + ($0.isFinal ? " " : "")
    }
    #expect(texts == expected)
  }
}

private final class FakeRecorder: SessionRecorder {
  var isOn = false
  var sources: [String] = []

  func step(
    _ session: Session, _ source: [UInt8], _ output: Output, _ run: (Output) -> Int32
  ) -> Int32 {
    sources.append(String(decoding: source, as: UTF8.self))
    return run(output)
  }
}
