import StrataEngine
import StrataTestSupport
import Testing

@testable import StrataShell

@Suite struct LayerCommandTests {
  private let items: [(String, TableBase.Item)] = [
    ("etc/hosts", .file("127.0.0.1 localhost\n")), ("etc/motd", .file("one\ntwo\nthree\n")),
    ("big", .file([UInt8](repeating: 65, count: 1 << 20))), ("old/x", .file("x\n")),
  ]

  @Test func `diff tells each kind of change by its letter`() throws {
    let shell = try Shell(items)
    shell.run(
      "fork work; write -a etc/hosts hi; chmod 600 etc/motd; rm -r old; mkdir new; mv big large")
    shell.run("write new/file text")
    #expect(
      shell.output("diff") == """
        M /etc/hosts
        m /etc/motd
        R /big -> /large
        A /new/
        A /new/file
        D /old/
        D /old/x

        """)
    #expect(shell.output("diff work main | grep -c ^A") == "2\n")
    #expect(shell.output("diff main main") == "")
    #expect(shell.output("diff @1 @2") == "m /etc/motd\n")
  }

  @Test func `diff -p shows changed lines, links and attributes`() throws {
    let shell = try Shell(items)
    shell.run("fork work; write etc/motd <<E\none\n2\nthree\nE\nchmod 600 etc/motd; ln -s t l")
    #expect(
      shell.output("diff -p") == """
        M /etc/motd
        mode 0644 -> 0600
        --- start:/etc/motd
        +++ work:/etc/motd
        @@ -1,3 +1,3 @@
         one
        -two
        +2
         three
        A /l
        --- /dev/null
        +++ work:/l
        @@ -0,0 +1 @@
        +t

        """)
    shell.run("fork other; write --at 8 -n big $'\\x01'; write z $'\\x00\\x01'")
    #expect(shell.output("diff -p | grep -c 'Binary files differ'") == "1\n")
  }

  @Test func `layers draws the stack from the top to the bases`() throws {
    let shell = try Shell(items)
    shell.run("write -a etc/hosts hi; fork work; rm etc/motd")
    #expect(
      shell.output("layers") == """
        work*: 2 sealed layers on 1 base
        ╭──────────────────────────────────────────────────╮
        │ top of work: the next write goes here            │
        ├──────────────────────────────────────────────────┤
        │ #2 work  rm etc/motd                             │
        │    1 whiteout                                    │
        ├──────────────────────────────────────────────────┤
        │ #1 main  write -a etc/hosts hi                   │
        │    1 copied up; 3 bytes written, 20 bytes copied │
        ╞══════════════════════════════════════════════════╡
        │ base  table  (read-only)                         │
        ╰──────────────────────────────────────────────────╯

        """)
    let json = shell.output("layers --json")
    #expect(json.hasPrefix(#"{"fork":"work","layers":[{"id":2,"fork":"work","depth":1,"#))
  }

  @Test func `why names the layer, the rule and the base`() throws {
    let shell = try Shell(items)
    shell.run("fork work; write -a etc/hosts hi; rm etc/motd")
    let hosts = shell.output("why etc/hosts")
    #expect(hosts.contains("changed last in layer #1 of work: write -a etc/hosts hi\n"))
    #expect(hosts.contains("copy_up base->work #1, 20 bytes, by default: below 64 KiB\n"))
    #expect(hosts.contains("first seen in the base table\n"))
    #expect(
      shell.output("why etc/motd").hasPrefix("/etc/motd: hidden by a whiteout\n  in layer #2"))
    #expect(shell.output("why big").contains("as it is in the base table"))
    #expect(shell.run("why none").error == "why: none: No such file or directory\n")
  }

  @Test func `pages shows what is from below, own and shared`() throws {
    let shell = try Shell(items)
    shell.run("write --at 8192 -n big new; fork work; write --at 40960 -n big more")
    let text = shell.output("pages big")
    #expect(
      text.hasPrefix("/big: 1 MiB, 256 blocks, 5 runs\n")
        || text.hasPrefix("big: 1 MiB, 256 blocks, 5 runs\n"))
    let rows = text.split(separator: "\n").dropFirst(3).map {
      $0.split(separator: " ").joined(separator: " ")
    }
    #expect(
      rows == [
        "0-1 8 KiB base table", "2 4 KiB main #1 main", "3-9 28 KiB base table",
        "10 4 KiB work #2", "11-255 980 KiB base table",
      ])
  }

  @Test func `stats compares what was written with what was copied`() throws {
    let shell = try Shell(items)
    shell.run("write -a etc/hosts 1234567890123456789")
    let text = shell.output("stats")
    #expect(text.contains("written         20 bytes\n"))
    #expect(text.contains("copied          20 bytes from below"))
    #expect(text.contains("amplification   2.00\n"))
  }

  @Test func `log lists operations, and a fork can begin after any of them`() throws {
    let shell = try Shell(items)
    shell.run("write a 1; write b 2; write c 3; ls")
    #expect(shell.output("log -n 2 | grep -c write") == "2\n")
    let lines = shell.output("log").split(separator: "\n").dropFirst()
    #expect(lines.map { $0.split(separator: " ").last } == ["3", "2", "1"])
    #expect(shell.output("fork past --at 1; ls") == "a\nbig\netc\nold\n")
    #expect(
      shell.run("fork x --at 99").error.hasPrefix(
        "fork: x: operation 99 is not in the log"))
  }

  @Test func `discard goes back to the start and can be undone`() throws {
    let shell = try Shell(items)
    shell.run("fork work; rm -r etc old")
    #expect(
      shell.output("discard; ls") == "discarded 5 changes; undo brings them back\nbig\netc\nold\n")
    #expect(shell.output("undo; ls") == "undid 2: discard\nbig\n")
    #expect(shell.output("discard; discard").hasSuffix("no changes\n"))
  }

  @Test func `a changed fork is dropped only with -f, the current one never`() throws {
    let shell = try Shell(items)
    shell.run("fork work; write new x")
    #expect(
      shell.run("drop work").error
        == "drop: work is the current fork; switch to another one first\n")
    #expect(
      shell.run("switch main; drop work").error == "drop: work has changes; -f drops it with them\n"
    )
    #expect(shell.run("drop -f work; switch work").error == "switch: no fork work\n")
  }

  @Test func `side layers are added and drawn beside the stack`() throws {
    let shell = try Shell(items)
    #expect(
      shell.output("layers add scratch; layers | tail -1")
        == "beside it: scratch in memory, 0 bytes\n")
    #expect(shell.run("layers add scratch").error == "layers: scratch: File exists\n")
  }

  @Test func `every example in the help runs`() throws {
    for command in Command.all {
      let shell = try Shell(items)
      for line in command.examples {
        let result = shell.run(line)
        #expect(result.status == 0, "\(command.name): \(line): \(result)")
        #expect(result.error.isEmpty, "\(command.name): \(line): \(result)")
      }
    }
  }

  @Test func `names of commands and options are unique, and all have help`() throws {
    #expect(Set(Command.all.map(\.name)).count == Command.all.count)
    #expect(Command.all.map(\.name) == Command.all.map(\.name).sorted())
    for command in Command.all {
      let options = command.allOptions
      let shorts = options.compactMap(\.short)
      let longs = options.compactMap(\.long)
      #expect(
        Set(shorts).count == shorts.count && Set(longs).count == longs.count, "\(command.name)")
      let help = try Shell(items).run("\(command.name) --help")
      #expect(help.status == 0 && help.output.hasPrefix("\(command.name) — "), "\(command.name)")
      #expect(try Shell(items).output("help \(command.name)") == help.output)
      for line in help.output.split(separator: "\n") {
        #expect(displayWidth(String(line)) <= 100, "\(command.name): \(line)")
      }
    }
  }

  @Test func `what lists writes JSON`() throws {
    // There is no store to check, and no operation but the one that the test makes.
    let listing = Command.all.filter { $0.options.contains(.json) }
    for command in listing where !["check", "gc"].contains(command.name) {
      let shell = try Shell(items)
      let operand = [
        "readlink": " l", "stat": " big", "why": " big", "pages": " big", "xattr": " big",
        "op": " show 1", "merge": " -n other",
      ]
      shell.run("ln -s x l; x=1; fork other -s")
      let line = "\(command.name)\(operand[command.name] ?? "")"
      let result = shell.run(line, json: true)
      #expect(result.status == 0, "\(line): \(result)")
      let first = result.output.first
      #expect(first == "[" || first == "{" || first == "\"", "\(line): \(result)")
      #expect(
        shell.run("\(line) --json").output == result.output || command.name == "plugin", "\(line)")
    }
  }
}

@Suite struct MergeCommandTests {
  private func shell() throws -> Shell {
    let shell = try Shell([("f", .file("1\n2\n3\n")), ("d/g", .file("g\n"))])
    shell.run("fork work; write f one; rm -r d; write new text; switch main")
    shell.run("write f uno; write -a d/g more")
    return shell
  }

  @Test func `merge lists conflicts, changes nothing and ends with 1`() throws {
    let shell = try shell()
    let before = shell.output("log | cat")
    let result = shell.run("merge work")
    #expect(result.status == 1 && result.output.isEmpty)
    #expect(
      result.error == """
        merge: /d/g: changed/removed
        merge: /f: both changed (content)
        merge: 2 conflicts, nothing was changed; --ours, --theirs or a plugin can settle what differs

        """)
    #expect(shell.output("log | cat") == before)
    #expect(shell.run("cat new").status == 1)
  }

  @Test func `options settle conflicts, for all or path by path`() throws {
    let shell = try shell()
    #expect(shell.run("merge --ours --theirs work").status == 64)
    #expect(shell.run("merge main").status == 1)
    #expect(shell.run("merge wrk").error == "merge: no fork wrk; did you mean work?\n")
    #expect(shell.run("merge --ours-at d --theirs-at f work").status == 0)
    #expect(shell.output("cat f d/g new") == "one\ng\nmore\ntext\n")
    #expect(shell.output("log -n 1").contains("merge --ours-at d --theirs-at f work\n"))
    #expect(shell.run("undo; merge --theirs work").status == 0)
    #expect(shell.run("cat d/g").status == 1)
  }

  @Test func `merge -n and --json show the plan`() throws {
    let shell = try shell()
    let plan = shell.run("merge -n --theirs --json work")
    #expect(plan.status == 0)
    #expect(plan.output.contains(#""settled":[{"path":"/d/g","kind":"changed/removed""#))
    #expect(shell.run("cat new").status == 1)
    let failed = shell.run("merge --json work")
    #expect(failed.status == 1 && failed.error.isEmpty)
    #expect(failed.output.contains(#""path":"/f","kind":"both changed","fields":["content"]"#))
  }
}
