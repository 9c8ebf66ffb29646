import Glibc
import StrataTestSupport
import Testing

/// Forks mounted for programs, by the program itself. Needs root and FUSE.
@Suite(.enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0))
struct MountTests {
  let tree: TemporaryDirectory
  let place: TemporaryDirectory

  init() throws {
    tree = try TemporaryDirectory()
    place = try TemporaryDirectory()
    try tree.write("a.txt", "one\n")
    try tree.write("b.txt", "two\n")
  }

  private func strata(_ words: [String]) throws -> Finished {
    try Finished.strata(words, in: tree.path)
  }

  /// Runs a script of `sh` in the directory; fails if it does.
  @discardableResult
  private func sh(_ script: String, in directory: String) throws -> String {
    let child = try ChildProcess(["sh", "-ec", "cd '\(directory)'; \(script)"])
    #expect(child.status == 0, "\(script): \(child.text)")
    return child.text
  }

  private func unmount() { _ = try? ChildProcess(["umount", "-l", place.path]) }

  /// Runs lines of the shell with the fork mounted at `place`.
  private func session(_ lines: String, _ options: String = "") throws -> Finished {
    defer { unmount() }
    return try Finished.strata(
      ["--base", tree.path, "-c", "mount main \(place.path) \(options)\n\(lines)"], in: tree.path)
  }

  @Test func `programs and the shell see each other's changes at once, the host none`() throws {
    let result = try session(
      """
      !sh -c 'cd \(place.path); cat a.txt; echo three > c.txt; rm b.txt; ls'
      write /a.txt changed
      !cat \(place.path)/a.txt
      rm c.txt
      !ls \(place.path)
      undo
      !ls \(place.path)
      status
      """)
    #expect(
      result.output == """
        \(place.path)
        one
        a.txt
        c.txt
        changed
        a.txt
        undid 3: rm c.txt
        a.txt
        c.txt
        fork main, in /
        base \(tree.path)
        2 operations, 1 undone
        3 changes: 1 added, 1 removed, 1 modified
          M /a.txt
          D /b.txt
          A /c.txt

        """, "\(result)")
    #expect(try sh("cat a.txt b.txt; ls", in: tree.path) == "one\ntwo\na.txt\nb.txt\n")
  }

  @Test func `without a directory a fork is mounted where nobody else can lead it`() throws {
    func mount() throws -> Finished {
      try Finished.strata(
        ["--base", tree.path, "-c", "mount\numount main"], in: tree.path,
        environment: ["XDG_RUNTIME_DIR=\(place.path)"])
    }
    let directory = "\(place.path)/strata"
    let made = try mount()
    #expect(
      made.status == 0 && made.output.hasPrefix("\(directory)/")
        && made.output.hasSuffix("/main\n"), "\(made)")
    #expect(try sh("stat -c '%a %u' strata; ls strata", in: place.path) == "700 0\n")
    for (script, why) in [
      ("chmod 720 strata", "\(directory): belongs to another user"),
      ("chmod 700 strata; chown 12345 strata", "\(directory): belongs to another user"),
      ("rmdir strata; mkdir -m 700 other; ln -s other strata", "\(directory): is not a directory"),
      ("rm strata; touch strata", "\(directory): is not a directory"),
    ] {
      try sh(script, in: place.path)
      let refused = try mount()
      #expect(refused.status != 0 && refused.errors.contains(why), "\(script): \(refused)")
      #expect(try sh("ls -d other/* 2>&1 || true", in: place.path).contains("cannot access"))
    }
  }

  @Test(arguments: ["", "--no-passthrough"])
  func `an undo leaves what is open as it was`(_ options: String) throws {
    let script = try TemporaryDirectory()
    try script.write(
      "hold",
      """
      exec 3< a.txt 4<> b.txt 5< large
      echo changed > a.txt; echo changed > large
      echo ready; read line < \(script.path)/fifo
      cat <&3; echo more >&4; head -c 7 <&5
      echo; cat a.txt b.txt

      """)
    try sh("mkfifo fifo", in: script.path)
    try sh("yes before | head -c 300000 > large", in: tree.path)
    let result = try session(
      """
      write /b.txt shell
      !sh -c 'cd \(place.path); sh \(script.path)/hold > \(script.path)/out 2>&1 &'
      !sh -c 'while ! grep -q ready \(script.path)/out; do sleep 0.01; done'
      undo
      undo
      !sh -c 'echo go > \(script.path)/fifo; sleep 0.3; cat \(script.path)/out; cat \(place.path)/b.txt'
      """, options)
    // What the kernel reads by itself shows what was below when it was opened, as on overlayfs.
    let held = options.isEmpty ? "before\n" : "changed"
    #expect(
      result.output.hasSuffix("ready\nchanged\n\(held)\none\ntwo\ntwo\n"), "\(result)")
  }

  @Test func `files from below were born when the base's were, also after a change`() throws {
    let host = try sh("stat -c %w a.txt b.txt", in: tree.path)
    let result = try session(
      "!sh -c 'cd \(place.path); stat -c %w a.txt b.txt; chmod 600 a.txt; stat -c %w a.txt b.txt; echo > c; stat -c %w c'"
    )
    #expect(result.output == "\(place.path)\n\(host)\(host)-\n", "\(result)")
  }

  @Test func `files that several programs write are whole`() throws {
    let result = try session(
      """
      !sh -c 'cd \(place.path); for i in 1 2 3 4; do (for n in $(seq 200); do echo $i-$n >> log; done) & done; wait; sort log | uniq | wc -l'
      """)
    #expect(result.output == "\(place.path)\n800\n", "\(result)")
  }

  @Test func `a workspace's owner serves a mount after the shell has gone, and leaves with it`()
    throws
  {
    #expect(try strata(["init"]).status == 0)
    defer { unmount() }
    #expect(try strata(["mount", "main", place.path]).output == "\(place.path)\n")
    try sh("echo kept > new; sync .", in: place.path)
    #expect(try strata(["cat", "/new"]).output == "kept\n")
    #expect(try strata(["write", "/a.txt", "shell"]).status == 0)
    #expect(try sh("cat a.txt", in: place.path) == "shell\n")
    #expect(try strata(["log"]).output.contains("(programs)"))
    #expect(try strata(["mounts"]).output == "main\t\(place.path)\n")
    for words in [["--json", "mounts"], ["mounts", "--json"]] {
      let row = #"{"fork":"main","path":"\#(place.path)"}"#
      #expect(try strata(words).output == "[\n \(row)\n]\n")
    }
    // Where it is said does not matter: the mount leads to its workspace.
    #expect(try Finished.strata(["umount", place.path], in: "/proc").status == 0)
    let none = try Finished.strata(["umount", place.path], in: "/proc")
    #expect(none.errors == "umount: \(place.path): no mount of this workspace\n")
    #expect(try strata(["cat", "/new"]).output == "kept\n")
    #expect(try strata(["check"]).output.contains("all is well"))
  }

  @Test func `a mount in use is not taken away, and lazily leaves programs what they have open`()
    throws
  {
    #expect(try strata(["init"]).status == 0)
    #expect(try strata(["fork", "work"]).status == 0)
    defer { unmount() }
    #expect(try strata(["mount", "work", place.path]).status == 0)
    try sh(
      """
      exec 7> '\(place.path)/open'
      '\(StrataProgram.path)' umount work 2> busy && exit 1
      '\(StrataProgram.path)' mounts > mounts; ls '\(place.path)' > list
      '\(StrataProgram.path)' umount -l work; '\(StrataProgram.path)' mounts > after
      ls '\(place.path)' > gone; echo late >&7
      '\(StrataProgram.path)' drop -f work 2> drop && exit 1
      exec 7>&-
      """, in: tree.path)
    #expect(
      try tree.read("busy")
        == "umount: \(place.path) is busy: programs use it; umount -l takes it from its place\n")
    #expect(try tree.read("mounts") == "work\t\(place.path)\n")
    #expect(try tree.read("list") == "a.txt\nb.txt\nbusy\nlist\nmounts\nopen\n")
    #expect(try tree.read("after") == "" && tree.read("gone") == "")
    #expect(try tree.read("drop").contains("is mounted"))
    #expect(try strata(["-c", "switch work; cat open"]).output == "late\n")
    // All that was in it is the fork's when it is back.
    for number in 1...5 {
      #expect(try strata(["mount", "work", place.path]).status == 0)
      try sh("echo \(number) > f\(number)", in: place.path)
      #expect(try strata(["umount", place.path]).status == 0)
      #expect(try strata(["-c", "mounts; switch work; cat f\(number)"]).output == "\(number)\n")
    }
    #expect(try strata(["drop", "-f", "work"]).status == 0)
  }

  @Test func `umount takes away the fork's mount alone, whatever lies below or above`() throws {
    #expect(try strata(["init"]).status == 0)
    defer { for _ in 1...3 { unmount() } }
    func put(_ name: String) throws {
      try sh("mount -t tmpfs none '\(place.path)'; touch '\(place.path)/\(name)'", in: "/")
    }
    try put("below")
    // Not in the base, whose changes are told.
    let errors = try TemporaryDirectory()
    let both = "'\(StrataProgram.path)' umount '\(place.path)' 2> '\(errors.path)'/"
    for _ in 1...10 {
      #expect(try strata(["mount", "main", place.path]).status == 0)
      let result = try Finished.run(
        "/bin/sh", ["-c", "\(both)1 & \(both)2 & wait; cat '\(errors.path)'/*"], in: tree.path)
      #expect(result.output.split(separator: "\n").count == 1, "\(result)")
      #expect(try sh("ls", in: place.path) == "below\n")
    }
    #expect(try strata(["mount", "main", place.path]).status == 0)
    try put("above")
    for words in [["umount", "main"], ["umount", "-l", "main"]] {
      let refused = try strata(words)
      let reason = "umount: \(place.path): another file system is at the place of the mount\n"
      #expect(refused.status == 1 && refused.errors == reason, "\(refused)")
      #expect(try sh("ls", in: place.path) == "above\n")
    }
    try sh("umount '\(place.path)'", in: "/")
    #expect(try strata(["umount", "main"]).status == 0)
    #expect(try sh("ls", in: place.path) == "below\n")
  }

  @Test func `programs get errors when the server is killed, and the next start clears up`() throws
  {
    #expect(try strata(["init"]).status == 0)
    defer { unmount() }
    #expect(try strata(["mount", "main", place.path]).status == 0)
    try sh("echo kept > new; sync new", in: place.path)
    _ = try ChildProcess(["pkill", "-9", "-f", "own-workspace \(tree.path)"])
    usleep(100_000)
    #expect(try ChildProcess(["ls", place.path]).text.contains("not connected"))
    #expect(try strata(["cat", "/new"]).output == "kept\n")
    #expect(try ChildProcess(["ls", place.path]).text == "")
    #expect(try strata(["check"]).output.contains("all is well"))
  }

  @Test func `a fork that is mounted inside its own base shows what lies under the mount`() throws {
    try sh("mkdir -p m/below; echo deep > m/below/f", in: tree.path)
    defer { _ = try? ChildProcess(["umount", "-f", "-l", "\(tree.path)/m"]) }
    let look =
      "timeout 20 sh -c 'cd \(tree.path)/m; ls -l . m m/below; cat m/below/f; find . | wc -l'"
    let result = try Finished.strata(
      ["--base", tree.path, "-c", "mount main \(tree.path)/m\n!\(look)\nls m\ncat m/below/f"],
      in: tree.path)
    #expect(result.status == 0 && result.output.hasSuffix("deep\n6\nbelow\ndeep\n"), "\(result)")
  }

  @Test func `what lies under a mount inside the base is not committed through it`() throws {
    try sh("mkdir m; echo host > m/f", in: tree.path)
    #expect(try strata(["init"]).status == 0)
    defer { _ = try? ChildProcess(["umount", "-f", "-l", "\(tree.path)/m"]) }
    #expect(try strata(["mount", "main", "\(tree.path)/m"]).status == 0)
    #expect(try strata(["-c", "chmod 600 /m/f; write /c.txt new"]).status == 0)
    let refused = try strata(["commit", "-y"])
    #expect(
      refused.status == 1 && refused.errors.contains("/m/f: a fork is mounted there"), "\(refused)")
    #expect(try strata(["commit", "-y", "/c.txt"]).output == "A /c.txt\ncommitted 1 change\n")
    #expect(try strata(["umount", "main"]).status == 0)
    #expect(try strata(["commit", "-y"]).output == "m /m/f\ncommitted 1 change\n")
    #expect(try sh("stat -c %a m/f; cat c.txt", in: tree.path) == "600\nnew\n")
  }

  @Test func `a commit does not move a directory that a fork is mounted in`() throws {
    try sh("mkdir -p a/m; echo host > a/m/f", in: tree.path)
    #expect(try strata(["init"]).status == 0)
    defer { _ = try? ChildProcess(["umount", "-f", "-l", "\(tree.path)/a/m"]) }
    #expect(try strata(["mount", "main", "\(tree.path)/a/m"]).status == 0)
    #expect(try strata(["-c", "mv /a /b"]).status == 0)
    let refused = try strata(["commit", "-y"])
    #expect(
      refused.status == 1 && refused.errors.contains("a fork is mounted in it"), "\(refused)")
    #expect(try strata(["umount", "main"]).status == 0)
    let done = try strata(["commit", "-y"])
    #expect(done.output.hasSuffix("committed 1 change\n"), "\(done)")
    #expect(try sh("cat b/m/f", in: tree.path) == "host\n")
  }

  @Test func `gc takes nothing from programs that write meanwhile, and their fork stays`() throws {
    #expect(try strata(["init"]).status == 0)
    #expect(try strata(["fork", "work"]).status == 0)
    defer { _ = try? strata(["umount", "work"]) }
    #expect(try strata(["mount", "work", place.path]).status == 0)
    let sums = try sh(
      """
      (cd '\(place.path)'; for n in $(seq 40); do
        head -c 3000000 /dev/zero | tr '\\0' a > f$n; echo $n >> log; sync log; rm -f f$((n - 20))
      done) & writer=$!
      for n in $(seq 12); do '\(StrataProgram.path)' gc > /dev/null; sleep 0.1; done
      wait $writer
      cd '\(place.path)'; cat f* | tr -d a | wc -c; ls f* | wc -l; wc -l < log
      """, in: tree.path)
    #expect(sums == "0\n20\n40\n")
    #expect(try strata(["drop", "-f", "work"]).errors.contains("is mounted"))
    #expect(try strata(["umount", "work"]).status == 0)
    #expect(try strata(["check"]).output.contains("all is well"))
    let kept = try strata(["-c", "switch work; cat f40"]).output
    #expect(kept.utf8.count == 3_000_000 && kept.utf8.allSatisfy { $0 == UInt8(ascii: "a") })
  }

  @Test func `real programs do in a mount what they do elsewhere`() throws {
    let work = """
      export GIT_AUTHOR_NAME=n GIT_AUTHOR_EMAIL=e GIT_COMMITTER_NAME=n GIT_COMMITTER_EMAIL=e
      git init -q r && cd r
      cp ../a.txt . && git add a.txt && git -c commit.gpgsign=false commit -qm one
      cd .. && git clone -q r s && (cd s && echo x >> a.txt && git commit -qam two && git log --format=%s)
      tar cf t.tar s/a.txt r/a.txt && mkdir u && tar xf t.tar -C u && diff -r u/s/a.txt s/a.txt
      printf 'all: x\\nx: x.c\\n\\tcc -o x x.c\\n' > Makefile
      printf 'int main(void) { return 0; }\\n' > x.c && make -s && ./x
      sed -i s/one/uno/ a.txt && cat a.txt
      mkdir -p deep/er && touch deep/er/f && find deep -delete && ls
      sqlite3 db 'pragma journal_mode=wal; create table t(a); insert into t values (1);' \
        'select * from t' | tail -1
      rsync -a r/ v/ && diff -r r v
      echo 'x = 1' > m.py && PYTHONDONTWRITEBYTECODE= python3 -c 'import m'
      ls __pycache__ | wc -l
      """
    let native = try TemporaryDirectory()
    try sh("cp -a a.txt b.txt '\(native.path)'", in: tree.path)
    let want = try sh(work, in: native.path)
    let script = try TemporaryDirectory()
    try script.write("work", "set -e; cd \(place.path)\n\(work)\n")
    let result = try session("!sh \(script.path)/work 2>&1")
    #expect(result.output == "\(place.path)\n\(want)", "\(result)")
    #expect(try sh("ls", in: tree.path) == "a.txt\nb.txt\n")
  }

  /// `STRATA_FORKS` says how many forks (1,000 unless set).
  @Test func `a fork that is taken while programs write is one instant of them`() throws {
    let forks = getenv("STRATA_FORKS").flatMap { Int(String(cString: $0)) } ?? 1000
    let writer = StrataProgram.root + "/Tests/Conformance/writers.py"
    var lines = [
      "mount main \(place.path)",
      "!sh -c '(for name in a b; do python3 \(writer) \(place.path) $name & done)"
        + " >/dev/null 2>&1 </dev/null; until [ -e \(place.path)/renamed-a -a -e \(place.path)/renamed-b ]; do sleep 0.01; done'",
    ]
    for number in 1...forks { lines += ["fork -s c\(number)", "!sleep 0.001"] }
    lines.append("touch /stop")
    for number in 1...forks {
      lines.append("switch c\(number)")
      for name in ["a", "b"] {
        lines.append("head -n 1 first-\(name); tail -n 1 first-\(name); tail -n 1 log-\(name)")
        lines.append("head -c 176 second-\(name) | tail -c 16; cat renamed-\(name)")
        lines.append("head -c 16 map-\(name); head -c 4112 map-\(name) | tail -c 16")
      }
    }
    let script = try TemporaryDirectory()
    try script.write("script", lines.joined(separator: "\n"))
    defer { unmount() }
    let result = try Finished.strata(
      ["--base", tree.path, "\(script.path)/script"], in: tree.path)
    let records = result.output.split(separator: "\n").dropFirst().map { Int($0) ?? 0 }
    try #require(records.count == forks * 14, "\(result)")
    var before = [[0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0]]
    for index in 0..<forks * 2 {
      let now = Array(records[index * 7..<index * 7 + 7])
      let (first, log, second, renamed) = (now[0], now[2], now[3], now[4])
      let earlier = before[index % 2]
      #expect(first == now[1] && first >= log && log >= second && second >= first - 1, "\(now)")
      #expect(second >= renamed && renamed >= second - 1, "\(now)")
      // What was stored through a mapping before is there, page by page, and nothing else.
      for stored in now[5...] {
        #expect(stored <= second && stored >= earlier[3] - 1, "\(now) after \(earlier)")
      }
      #expect(zip(earlier, now).allSatisfy { $0 <= $1 }, "\(now) after \(earlier)")
      before[index % 2] = now
    }
  }

  @Test(arguments: ["", "workspace=/WORK,", "workspace=/WORK,fork=fresh,"])
  func `the options of mount(8) are those of the mount`(_ first: String) throws {
    let work = try TemporaryDirectory()
    defer { unmount() }
    let options =
      first.replacing("/WORK", with: work.path)
      + "ro,nodev,nosuid,noexec,noatime,fsname=mine,_netdev,nofail,x-any.thing,defaults"
    let made = try strata(["mount-helper", tree.path, place.path, "-o", options])
    #expect(made.status == 0, "\(made)")
    let shown = try contents(of: "/proc/self/mounts").split(separator: "\n")
      .first { $0.contains(place.path) }
    let wanted = "mine \(place.path) fuse.strata ro,nosuid,nodev,noexec,noatime,"
    #expect(shown?.hasPrefix(wanted) == true, "\(shown ?? "")")
    #expect(try ChildProcess(["ls", place.path]).text == "a.txt\nb.txt\n")
    let refused = try strata(["mount-helper", tree.path, place.path, "-o", "bogus=1"])
    #expect(refused.status == 32 && refused.errors.contains("bogus=1"), "\(refused)")
  }

  @Test func `a workspace is mounted over no other bases than its own, and once at a place`() throws
  {
    let (work, other) = (try TemporaryDirectory(), try TemporaryDirectory())
    defer { unmount() }
    func mount(_ source: String) throws -> Finished {
      try strata(["mount-helper", source, place.path, "-o", "workspace=\(work.path),fork=f"])
    }
    #expect(try mount(tree.path).status == 0)
    let table = try contents(of: "/proc/self/mounts")
    #expect(table.contains("\n\(tree.path) \(place.path) fuse.strata "), "\(table)")
    let twice = try mount(tree.path)
    #expect(
      twice.status == 32 && twice.errors.contains("(\(place.path): fork f is mounted there)"),
      "\(twice)")
    try sh("umount '\(place.path)'", in: "/")
    for source in [other.path, "\(tree.path):\(other.path)"] {
      let refused = try mount(source)
      let reason = "the workspace is over \(tree.path), not over \(source)\n"
      #expect(refused.status == 32 && refused.errors.contains(reason), "\(refused)")
    }
    #expect(try mount("none").status == 0)
    #expect(try sh("ls", in: place.path) == "a.txt\nb.txt\n")
  }

  @Test func `lower directories without an upper one are mounted read-only, as overlayfs has it`()
    throws
  {
    defer { unmount() }
    let mounted = try strata(["mount-helper", "none", place.path, "-o", "rw,lowerdir=\(tree.path)"])
    #expect(mounted.status == 0, "\(mounted)")
    let write = try ChildProcess(["touch", "\(place.path)/new"])
    #expect(write.text.contains("Read-only file system"), "\(write.text)")
    #expect(try sh("cat a.txt", in: place.path) == "one\n")
  }

  @Test func `a place where no fork can be mounted is named, with the reason`() throws {
    try sh("ln -s nowhere dangling; mkdir full; touch full/f", in: place.path)
    for (name, reason) in [
      ("none", "No such file or directory"), ("dangling", "No such file or directory"),
      ("full/f", "Not a directory"),
    ] {
      let path = "\(place.path)/\(name)"
      let refused = try strata(["--base", tree.path, "-c", "mount main \(path)"])
      #expect(
        refused.status == 1 && refused.errors == "mount: \(reason) (\(path))\n", "\(refused)")
    }
    #expect(try strata(["init"]).status == 0)
    for option in [["--base", tree.path], ["--alone"]] {
      let brief = try strata(option + ["mount", "main", place.path])
      let reason = "mount: the mount would end with this command, which "
      #expect(brief.status == 1 && brief.errors.hasPrefix(reason), "\(brief)")
    }
    let path = "\(place.path)/full"
    let lines = "mount main \(path)\n!ls \(path)\nmount main \(path) || mounts\numount main"
    let result = try strata(["--base", tree.path, "-c", lines])
    #expect(result.output == "\(path)\na.txt\nb.txt\nmain\t\(path)\n", "\(result)")
    #expect(
      result.errors == "mount: Device or resource busy (\(path): fork main is mounted there)\n",
      "\(result)")
  }

  @Test(arguments: 1...6)
  func `kernel overlayfs finds in an upper directory what was changed`(_ seed: Int) throws {
    let script = StrataProgram.root + "/Tests/Conformance/upper_directory.py"
    let words = ["timeout", "60", "python3", script, StrataProgram.path, place.path, "\(seed)"]
    let check = try ChildProcess(words)
    #expect(check.status == 0, "\(check.text)")
    if check.status != 0 {
      for name in ["mount", "kernel"] {
        _ = try? ChildProcess(["umount", "-l", "\(place.path)/\(name)"])
      }
    }
  }

  @Test(arguments: [
    ("", ""), ("--no-passthrough", "--no-passthrough"), ("", "--no-passthrough"),
  ])
  func `two mounts of a fork see each other's changes at once`(
    _ option: String, _ secondOption: String
  ) throws {
    let second = try TemporaryDirectory()
    try tree.write("base", "base and more")
    let script = StrataProgram.root + "/Tests/Conformance/two_mounts.py"
    defer { _ = try? ChildProcess(["umount", "-l", second.path]) }
    let result = try session(
      """
      !sh -c 'cat \(place.path)/base; test ! -e \(place.path)/f0'
      mount main \(second.path) \(secondOption)
      !timeout 60 python3 \(script) \(place.path) \(second.path) \(option == secondOption ? "one" : "")
      """, option)
    #expect(result.status == 0, "\(result)")
  }

  @Test func `each of several mounts of a fork comes and goes by itself`() throws {
    let second = try TemporaryDirectory()
    defer {
      unmount()
      _ = try? ChildProcess(["umount", "-l", second.path])
    }
    #expect(try strata(["init"]).status == 0)
    func attributes(_ directory: String) throws -> String {
      try sh("findmnt -n -o VFS-OPTIONS \(directory)", in: "/")
    }
    #expect(try strata(["mount", "-r", "main", second.path]).status == 0)
    #expect(try strata(["mount", "main", place.path, "-o", "dev,suid,noexec"]).status == 0)
    #expect(try attributes(place.path) == "rw,noexec,relatime\n")
    #expect(try attributes(second.path) == "ro,nosuid,nodev,relatime\n")
    #expect(try sh("touch a.txt 2>&1 || true", in: second.path).contains("Read-only"))
    try sh("umount \(place.path)", in: "/")
    #expect(try strata(["mounts"]).output == "main\t\(second.path)\n")
    #expect(try strata(["mount", "main", place.path]).status == 0)
    try sh("echo new > new; ls \(second.path)", in: place.path)
    let program = "'\(StrataProgram.path)'"
    let script = """
      exec 7< '\(second.path)/new'
      \(program) umount '\(second.path)' 2> busy && exit 1
      \(program) umount '\(place.path)'; cat <&7
      \(program) umount -l '\(second.path)'
      """
    #expect(try sh(script, in: tree.path) == "new\n")
    #expect(try tree.read("busy").contains("is busy"))
    #expect(try strata(["mounts"]).output == "")
    #expect(try strata(["cat", "/new"]).output == "new\n")
  }

  @Test(arguments: ["", "--no-passthrough"], ["writing", "both"])
  func `large writes do not stay in the kernel's cache, and nothing else is lost from it`(
    _ option: String, _ access: String
  ) throws {
    let script = StrataProgram.root + "/Tests/Conformance/large_writes.py"
    let result = try session("!timeout 60 python3 \(script) \(place.path) \(access)", option)
    let kept = result.output.split(separator: "\n").last?.split(separator: " ").last.flatMap {
      Int($0)
    }
    #expect(result.status == 0 && kept.map { $0 < 25 } == true, "\(result)")
  }

  /// Needs a machine that nobody else keeps awake.
  @Test(.enabled(if: access("/dev/cpu_dma_latency", R_OK) == 0))
  func `processors wait lightly while a program asks and asks, and no longer`() throws {
    let script = try TemporaryDirectory()
    try script.write(
      "ask",
      """
      import os, sys, time
      def wait(want):
          end = time.time() + 20
          while time.time() < end:
              for turn in range(200 if want else 0):
                  os.close(os.open('a.txt', os.O_RDWR))
              with open('/dev/cpu_dma_latency', 'rb') as file:
                  if (int.from_bytes(file.read(4), 'little') <= 2) == want: return
              if not want: time.sleep(0.01)
          sys.exit(('limit' if want else 'no limit') + ' expected')
      os.chdir(sys.argv[1])
      wait(False); wait(True); wait(False)
      """)
    let result = try session("!timeout 90 python3 \(script.path)/ask \(place.path)")
    #expect(result.status == 0, "\(result)")
  }

  @Test func `times, owners, modes and refusals are those of the host's file system`() throws {
    let script = StrataProgram.root + "/Tests/Conformance/conformance.py"
    let native = try TemporaryDirectory()
    let want = try sh("chmod 755 .; python3 '\(script)' .", in: native.path)
      .split(separator: "\n")
    // The kernel asks again for what it has dropped.
    let work = try TemporaryDirectory()
    try work.write(
      "work",
      """
      (while sleep 0.4; do echo 2 > /proc/sys/vm/drop_caches; done) & dropping=$!
      python3 '\(script)' '\(place.path)'; kill $dropping
      """)
    try sh("rm a.txt b.txt; chmod 755 .", in: tree.path)
    let result = try session("!sh \(work.path)/work 2>&1")
    let lines = result.output.split(separator: "\n").dropFirst()
    let differing = zip(lines, want).filter { $0 != $1 }
    #expect(want.count > 1000 && lines.count == want.count && differing.isEmpty, "\(differing)")
  }

  /// `STRATA_STEPS` says how many random calls (20,000 unless set), `STRATA_SEED` where to begin.
  @Test(arguments: ["", "--no-passthrough"])
  func `a mount does what kernel overlayfs does, call by call`(_ options: String) throws {
    func number(_ name: String, _ other: Int) -> Int {
      getenv(name).flatMap { Int(String(cString: $0)) } ?? other
    }
    let seed = try TestSeed.first(options.isEmpty ? 61 : 62)
    let twin = StrataProgram.products + "/twin-trees"
    try sh(
      """
      rm a.txt b.txt; mkdir lower upper work over
      cd lower; mkdir -p lower-dir/a lower-dir/lower-dir d1; echo lower > lower-file
      seq 30000 > long-lower; seq 100 > lower-dir/lower-file; cp long-lower lower-dir/long-lower
      ln -s lower-file link; ln lower-file lower-dir/b; mkfifo lower-dir/c
      chown 1000:1000 lower-dir lower-file; chmod 777 . ../upper d1
      touch -d 1990-01-01 lower-dir/a lower-dir long-lower; cp -a lower-dir d1/; touch -r . ../upper
      cd ..
      mount -t overlay -o noatime,nodev,nosuid,redirect_dir=on,index=on,lowerdir=lower,upperdir=upper,workdir=work strata-test over
      """, in: tree.path)
    defer { _ = try? ChildProcess(["umount", "-l", "\(tree.path)/over"]) }
    defer { unmount() }
    let result = try Finished.strata(
      [
        "--base", "\(tree.path)/lower", "-c",
        "mount main \(place.path) \(options)\n"
          + "!'\(twin)' '\(tree.path)/over' '\(place.path)' \(seed) \(number("STRATA_STEPS", 20_000))",
      ], in: tree.path)
    #expect(
      result.output == "\(place.path)\n" && result.status == 0, "STRATA_SEED=\(seed): \(result)")
  }

  @Test func `mount(8)'s helper mounts, and understands overlayfs's directories`() throws {
    try sh(
      """
      mkdir lower upper work; mv a.txt b.txt lower; mkdir lower/d; echo in > lower/d/in
      mount -t overlay -o redirect_dir=on,lowerdir=lower,upperdir=upper,workdir=work x work/..  2>/dev/null || true
      """, in: tree.path)
    _ = try? ChildProcess(["umount", tree.path])
    let options =
      "lowerdir=\(tree.path)/lower,upperdir=\(tree.path)/upper,workdir=\(tree.path)/work"
    let overlay = "mount -t overlay -o \(options),redirect_dir=on x '\(place.path)'"
    try sh("\(overlay)", in: "/")
    try sh("rm a.txt; mv d e; echo more >> e/in; setfattr -n user.a -v b e || true", in: place.path)
    try sh("umount '\(place.path)'", in: "/")
    let helper = [
      "mount-helper", "\(tree.path)/lower", place.path, "-o", "rw,noatime,\(options)",
    ]
    let mounted = try Finished.strata(helper, in: "/")
    #expect(mounted.status == 0, "\(mounted)")
    defer { unmount() }
    #expect(try sh("ls; cat e/in", in: place.path) == "b.txt\ne\nin\nmore\n")
    try sh("mv e f; ln f/in hard; mkdir d; echo x > d/x; rm b.txt", in: place.path)
    let want = try sh("ls -R; cat f/in; stat -c %h hard", in: place.path)
    // umount(8)'s helper comes back when all is in the upper directory; the next mount waits for it.
    let busy = try Finished.strata(["umount-helper", place.path, "-v"], in: place.path)
    #expect(busy.status == 32 && busy.errors.contains("busy"), "\(busy)")
    #expect(try Finished.strata(["umount-helper", place.path], in: "/").status == 0)
    try sh("\(overlay)", in: "/")
    #expect(try sh("ls -R; cat f/in; stat -c %h hard", in: place.path) == want)
    try sh("umount '\(place.path)'", in: "/")
    for round in 1...2 {
      #expect(try Finished.strata(helper, in: "/").status == 0)
      #expect(try sh("ls", in: place.path).hasSuffix(round == 1 ? "hard\n" : "hard\nround1\n"))
      try sh("touch round\(round)", in: place.path)
      try sh("umount -i '\(place.path)'", in: "/")
    }
  }

  @Test func `an upper directory is the same again in the next mount, and as a lower one`() throws {
    let disk = try TemporaryDirectory()
    // On a file system of its own, to see that nothing of it is in use when umount is back.
    try sh("mount -t tmpfs none '\(disk.path)'", in: "/")
    defer { _ = try? ChildProcess(["umount", "-l", disk.path]) }
    try sh(
      """
      mkdir -p lower/moved/in lower/emptied lower/swapped1 lower/swapped2 upper upper2 work
      echo linked > lower/link1; ln lower/link1 lower/link2; echo linked > lower/link3
      ln lower/link3 lower/link4; echo single > lower/single; echo gone > lower/gone
      echo deep > lower/moved/in/deep; mkfifo lower/fifo
      """, in: disk.path)
    func mount(_ lower: String, _ upper: String) throws {
      let options = "upperdir=\(disk.path)/\(upper),workdir=\(disk.path)/work,\(lower)"
      let mounted = try Finished.strata(
        ["mount-helper", "none", place.path, "-o", options], in: "/")
      #expect(mounted.status == 0, "\(mounted)")
    }
    func unmount() throws {
      #expect(try Finished.strata(["umount-helper", place.path], in: "/").status == 0)
    }
    let lower = "lowerdir=\(disk.path)/lower"
    try mount(lower, "upper")
    defer { self.unmount() }
    let all = "find . ! -name . -printf '%p %y %m"
    let before = try sh("\(all) %i\\n' | grep -v ' d ' | sort", in: place.path)
    try sh("echo more >> link1; cat link2 > /dev/null; chmod 600 single fifo", in: place.path)
    #expect(try sh("\(all) %i\\n' | grep link1", in: place.path) != "")
    let inodes = "find . -printf '%p %i\\n' | sort"
    let untouched = try sh(inodes, in: place.path)
    #expect(
      before.split(separator: "\n").allSatisfy { line in
        let words = line.split(separator: " ")
        return untouched.contains("\(words[0]) \(words[words.count - 1])\n")
      })
    try sh(
      """
      rm gone; rmdir emptied; mkdir emptied; mv swapped1 new; mv -T new swapped2
      mv moved away; mkdir moved; ln single double; ln link3 link5; rm link4; echo new > created
      mv link2 renamed; mv fifo away/in/; python3 -c "import os; os.setxattr('created', 'trusted.one', b'1')"
      """, in: place.path)
    let look = "\(all) %n %T@ %i\\n' | sort; cat link1 renamed link3 away/in/deep"
    let want = try sh(look, in: place.path)
    for _ in 1...2 {
      try unmount()
      try mount(lower, "upper")
      #expect(try sh(look, in: place.path) == want)
    }
    // Nobody has looked at the other name of what was changed.
    try sh("echo again >> link1", in: place.path)
    try unmount()
    try mount(lower, "upper")
    #expect(try sh("tail -n 1 renamed", in: place.path) == "again\n")
    let contents =
      "\(all)\\n' | sort; cat renamed link3 away/in/deep; python3 -c \"import os; print(os.listxattr('created'))\""
    let last = try sh(contents, in: place.path)
    try unmount()
    try mount("lowerdir=\(disk.path)/upper:\(disk.path)/lower", "upper2")
    #expect(try sh(contents, in: place.path) == last)
    try sh("echo more > moved/more; rm created", in: place.path)
    #expect(try sh("ls moved emptied; ls created || true", in: place.path).contains("more\n"))
    try unmount()
    try sh("umount '\(disk.path)'", in: "/")
  }

  @Test func `a mount without a workspace keeps nothing of what is gone again`() throws {
    let disk = try TemporaryDirectory()
    let mounted = try Finished.strata(["mount-helper", disk.path, place.path], in: "/")
    #expect(mounted.status == 0, "\(mounted)")
    defer { self.unmount() }
    try sh("head -c 200000000 /dev/zero > big", in: place.path)
    // Longer than what is done in a mount that lasts is one operation.
    sleep(6)
    let memory = try sh(
      """
      rm big; server=$(pgrep -f 'serve-moun[t] \(disk.path) '); for i in $(seq 300); do
        kB=$(sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$server/status)
        [ $kB -lt 150000 ] && break; sleep 0.05
      done; echo $kB
      """, in: place.path)
    #expect(try #require(Int(memory.dropLast())) < 150_000)
  }

  @Test func `what an upper directory has no room for comes when there is some`() throws {
    let disk = try TemporaryDirectory()
    try sh("mount -t tmpfs -o size=3m none '\(disk.path)'", in: "/")
    defer { _ = try? ChildProcess(["umount", "-l", disk.path]) }
    try sh("mkdir lower upper work", in: disk.path)
    let directories = "upperdir=\(disk.path)/upper,workdir=\(disk.path)/work"
    let mounted = try Finished.strata(
      ["mount-helper", "\(disk.path)/lower", place.path, "-o", directories], in: "/")
    #expect(mounted.status == 0, "\(mounted)")
    // Programs are told, and what is gone again counts no more.
    try sh("echo precious > small", in: place.path)
    let tooMuch = "head -c 5000000 /dev/zero > big 2> /dev/null || rm big; ls"
    for _ in 0..<3 { #expect(try sh(tooMuch, in: place.path) == "small\n") }
    try sh("head -c 1500000 /dev/zero > big", in: place.path)
    #expect(try sh("[ $(stat -f -c %a .) -lt 500 ] && echo few", in: place.path) == "few\n")
    // Somebody else has taken the room meanwhile.
    try sh("head -c 10000000 /dev/zero > filler 2> /dev/null || :", in: disk.path)
    let result = try Finished.strata(["umount-helper", place.path], in: "/")
    #expect(result.status == 32 && result.errors.contains("No space left"), "\(result)")
    try sh("rm filler", in: disk.path)
    for _ in 0..<100 where access("\(disk.path)/upper/big", F_OK) != 0 { usleep(100_000) }
    #expect(try sh("stat -c %s upper/big; cat upper/small", in: disk.path) == "1500000\nprecious\n")
  }
}
