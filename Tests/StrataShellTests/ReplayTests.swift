import StrataEngine
import Testing

@testable import StrataShell

@Suite struct ReplayTests {
  let host = FakeReplayHost()
  let head = "#! strata-session 1\n\n"

  private func blessed(_ text: String) -> String {
    var options = ReplayRun.Options()
    options.bless = true
    #expect(host.replay(text, options) == 0)
    return host.files["a.session"] ?? ""
  }

  @Test func `a transcript that says what happens passes and prints only the count`() {
    host.answers["write -a /etc/hosts <<END\nhi\nEND"] = ReplayOutcome(
      pieces: [.event(Array("@ copy_up /etc/hosts base->work 20 bytes".utf8))])
    host.answers["cat /nope"] = ReplayOutcome(
      "cat: /nope: No such file or directory\n", status: 1)
    let text =
      head + """
        # copy up once
        main:/> fork work
        work:/> write -a /etc/hosts <<END
        > hi
        > END
        @ copy_up /etc/hosts base->work 20 bytes
        work:/> cat /nope
        cat: /nope: No such file or directory
        [1]

        """
    #expect(host.replay(text) == 0)
    #expect(host.printed == "1 passed\n")
  }

  @Test(
    arguments: [
      ("main:/> say\nhullo\n", "-hullo", "+hello"),
      ("main:/> say\n", "+hello", "+hello"),
      ("main:/> say\nhello\n[1]\n", "-[1]", "-[1]"),
      ("main:/> say\n@ fork x\nhello\n", "-@ fork x", "-@ fork x"),
      ("work:/> say\nhello\n", "-work:/> say", "+main:/> say"),
      ("main*:/> say\nhello\n", "-main*:/> say", "+main:/> say"),
      ("main:/tmp> say\nhello\n", "-main:/tmp> say", "+main:/> say"),
      ("main:/> say\nhello (no-eol)\n", "-hello (no-eol)", "+hello"),
      ("main:/> say\nhel (re)\n", "-hel (re)", "+hello"),
      ("main:/> say\nhel? (glob)\n", "-hel? (glob)", "+hello"),
    ])
  func `what differs is shown and gives status 1`(text: String, removed: String, added: String) {
    host.answers["say"] = ReplayOutcome("hello\n")
    #expect(host.replay(head + "# greet\n" + text) == 1)
    #expect(host.printed.contains("--- a.session:"))
    #expect(host.printed.contains(": greet\n"))
    let lines = host.printed.split(separator: "\n")
    #expect(lines.contains { $0 == removed })
    #expect(lines.contains { $0 == added })
  }

  @Test func `the diff names the line of the file`() {
    host.answers["say"] = ReplayOutcome("hello\n")
    #expect(host.replay(head + "main:/> say\nhullo\n") == 1)
    #expect(host.printed.hasPrefix("--- a.session:4: a.session\n"))
    #expect(host.printed.contains("@@ -1,4 +1,4 @@\n"))
  }

  @Test(
    arguments: [
      ("1234 bytes\n", "[0-9]+ bytes (re)"), ("1234 bytes\n", "* bytes (glob)"),
      ("a*c\n", #"a\*c (glob)"#), ("tab\there\n", #"tab\there (esc)"#),
      ("odd (re)\n", "odd (re)"), ("[a (glob)\n", "[a (glob)"), ("bell\u{7}\n", #"bell\x07 (esc)"#),
      ("no newline", "no newline (no-eol)"), ("no 12", "no [0-9]* (re) (no-eol)"),
      ("# title\n", #"\x23 title (esc)"#), ("@ event\n", #"\x40 event (esc)"#),
      ("[1]\n", #"\x5b1] (esc)"#), ("> quote\n", #"\x3e quote (esc)"#),
      ("main:/> ls\n", #"\x6dain:/> ls (esc)"#), ("// comment\n", "// comment"),
      ("a\n\nb\n", "a\n\nb"), ("a\n\n", "a\n (esc)"), ("blank \n", #"blank\x20 (esc)"#),
    ])
  func `an inexact line meets what it describes`(output: String, line: String) {
    host.answers["say"] = ReplayOutcome(output)
    #expect(host.replay(head + "main:/> say\n" + line + "\n") == 0, "\(host.printed)")
  }

  @Test(
    arguments: [
      "# title\n", "@ event\n", "[12]\n", "> x\n", "main*:/a b> ls\n", "\u{1B}[1m\n", "end ",
      "\n\n",
      "a\n\n\n", "```\n", "x (esc)\n", "x (no-eol)\n", "back\\slash\n", "\u{202E}flip\n", "é\n",
      "main:/>\n", "#\n", "\\x23 (esc)\n",
    ])
  func `blessed output reads back as itself`(output: String) {
    host.answers["say"] = ReplayOutcome(output, status: 3)
    let once = blessed(head + "main:/> say\nwrong\nmain:/> say\n")
    host.printed = ""
    #expect(host.replay(once) == 0, "\(once)\n\(host.printed)")
    #expect(blessed(once) == once)
  }

  @Test func `bytes that are no text survive blessing`() {
    host.answers["say"] = ReplayOutcome(pieces: [.output([0xFF, 0x00, 0x41, 0x0A])])
    let once = blessed(head + "main:/> say\n")
    #expect(once == head + "main:/> say\n" + #"\xff\x00A (esc)"# + "\n")
    #expect(host.replay(once) == 0)
  }

  @Test func `blessing keeps the inexact lines that still hold`() {
    host.answers["say"] = ReplayOutcome("new\nsize 77\nmiddle\nlast 9\n")
    let text = head + "# t\nmain:/> say\nold\nsize [0-9]+ (re)\nlast * (glob)\n\n# other\n\n"
    #expect(
      blessed(text)
        == head + "# t\nmain:/> say\nnew\nsize [0-9]+ (re)\nmiddle\nlast * (glob)\n\n# other\n\n")
  }

  @Test func `an event in the middle of a line is shown after it`() {
    host.answers["say"] = ReplayOutcome(pieces: [
      .output(Array("ab".utf8)), .event(Array("@ write /x".utf8)), .output(Array("cd\nef\n".utf8)),
    ])
    #expect(host.replay(head + "main:/> say\nabcd\n@ write /x\nef\n") == 0)
  }

  @Test func `a filter checks the tests that it names, and runs what comes before them`() {
    let text = head + "# one\nmain:/> fork work\nwrong\n# two\nwork:/> cd /x\nwork:/x> fork y\n"
    var options = ReplayRun.Options()
    options.filter = Array("^tw".utf8)
    #expect(host.replay(text, options) == 0)
    #expect(host.printed == "1 passed\n")
    options.filter = Array("one|two".utf8)
    #expect(host.replay(text, options) == 1)
    options.filter = Array("(".utf8)
    #expect(host.replay(text, options) == 2)
  }

  @Test(
    arguments: [
      ("", 1), ("#! strata-session 2\n", 1), ("#! strata-session 1\n//nope x\n", 2),
      ("#! strata-session 1\nhello\n", 2), ("#! strata-session 1\n//file a <<END\nx\n", 2),
      ("#! strata-session 1\n//timeout never\n", 2), ("#! strata-session 1\n//file ../a 3\n", 2),
    ])
  func `a broken transcript gives status 2 and its line`(text: String, line: Int) {
    #expect(host.replay(text) == 2)
    #expect(host.printed.hasPrefix("replay: a.session:\(line): "), "\(host.printed)")
  }

  @Test func `a session that gives up is broken, not different`() {
    var outcome = ReplayOutcome()
    outcome.failure = "no answer after 30 seconds"
    host.answers["hang"] = outcome
    #expect(host.replay(head + "main:/> hang\n") == 2)
    #expect(host.printed.hasPrefix("replay: a.session:3: no answer after 30 seconds\n"))
  }

  @Test func `blocks of Markdown are sessions of their own, named by the heading above`() {
    host.answers["say"] = ReplayOutcome("hello\n")
    let text = """
      # Read me
      ```strata-session
      main:/> fork work
      ```
      ## Second
      ```sh
      main:/> not this
      ```
      ```strata-session
      main:/> say
      hullo
      ```

      """
    #expect(host.replay(text, as: "d/README.md") == 1)
    #expect(host.printed.contains("--- d/README.md:11: Second\n"))
    #expect(host.printed.hasSuffix("1 passed, 1 differ\n"))
    #expect(host.directories == ["d", "d"])
    var options = ReplayRun.Options()
    options.bless = true
    #expect(host.replay(text, as: "d/README.md", options) == 0)
    #expect(
      host.files["d/README.md"]
        == text.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0 == "hullo" ? "hello" : String($0) }.joined(separator: "\n"))
  }

  @Test func `directives make the setting`() {
    let text =
      "#! strata-session 1\n" + """
        //base tree
        //base
        //file /etc/hosts 0600 <<END
        # a comment
        END
        //file dir/
        //file big 64K
        //file link -> etc/hosts
        //file hard = etc/hosts
        //plugin guard.lua
        //env A=b c
        //timeout 5
        //trace write fork

        main:/> fork work
        """
    #expect(host.replay(text) == 0)
    var setting = ReplaySetting()
    setting.bases = [
      .directory(Array("tree".utf8)),
      .inline([
        ReplayFile(
          path: Array("etc/hosts".utf8), content: .bytes(Array("# a comment\n".utf8)), mode: 0o600),
        ReplayFile(path: Array("dir".utf8), content: .directory),
        ReplayFile(path: Array("big".utf8), content: .size(65536)),
        ReplayFile(path: Array("link".utf8), content: .symlink(Array("etc/hosts".utf8))),
        ReplayFile(path: Array("hard".utf8), content: .hardLink(Array("etc/hosts".utf8))),
      ]),
    ]
    setting.plugins = [Array("guard.lua".utf8)]
    setting.environment = [(Array("A".utf8), Array("b c".utf8))]
    setting.timeout = 5
    setting.trace = .events(["write", "fork"])
    #expect(host.settings == [setting])
  }

  @Test func `a directory stands for the transcripts in it`() {
    host.files["d/a.session"] = head + "main:/> fork x\n"
    host.files["d/b.session"] = head + "main:/> nope\n"
    #expect(host.run(["d/"]) == 1)
    #expect(host.printed.hasSuffix("1 passed, 1 differ\n"))
    #expect(host.run(["empty/"]) == 2)
  }

  @Test func `the JUnit report has a case for each test`() {
    host.answers["say"] = ReplayOutcome("a<b\n")
    var options = ReplayRun.Options()
    options.junit = Array("out.xml".utf8)
    #expect(host.replay(head + "# one\nmain:/> fork x\n# two & more\nx:/> say\n", options) == 1)
    let xml = host.files["out.xml"] ?? ""
    #expect(xml.contains("<testsuites tests=\"2\" failures=\"1\" errors=\"0\">"))
    #expect(xml.contains("<testcase classname=\"a.session\" name=\"one\"/>"))
    #expect(xml.contains("name=\"two &amp; more\">"))
    #expect(xml.contains("+a&lt;b\n"))
  }
}

@Suite struct RecorderTests {
  @Test func `what is recorded replays`() {
    let host = FakeReplayHost()
    host.answers["say <<END\na\n\nEND"] = ReplayOutcome("# a\n\n", status: 2)
    let prompt = Array("main:/> ".utf8)
    var text = Recorder.header(bases: [Array("tree".utf8)], plugins: [Array("p.lua".utf8)])
    for input in ["say <<END\na\n\nEND", "", "nope"] {
      let outcome = FakeReplaySession(host.answers).run(Array(input.utf8), timeout: 1)
      text += Recorder.step(prompt: prompt, input: Array(input.utf8), outcome: outcome)
    }
    host.answers[""] = ReplayOutcome(": not found\n", status: 127)
    #expect(host.replay(String(decoding: text, as: UTF8.self)) == 0, "\(host.printed)")
    #expect(host.settings[0].plugins == [Array("p.lua".utf8)])
  }
}
