import Glibc
import StrataTestSupport
import Testing

/// `strata run`: programs in a fork. Needs root and FUSE.
@Suite(.enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0))
struct RunTests {
  let tree: TemporaryDirectory

  init() throws {
    tree = try TemporaryDirectory()
    try tree.write("a.txt", "one\n")
  }

  private func strata(_ words: [String]) throws -> Finished {
    try Finished.strata(words, in: tree.path)
  }

  @Test func `a program's status is that of run`() throws {
    #expect(try strata(["run", "--", "true"]).status == 0)
    #expect(try strata(["run", "sh", "-c", "exit 7"]).status == 7)
    #expect(try strata(["run", "--", "no-such-program"]).status == 127)
    #expect(try strata(["run", "--", "/etc/passwd"]).status == 126)
    #expect(try strata(["run", "--", "sh", "-c", "kill -9 $$"]).status == 137)
    #expect(try strata(["run"]).status == 64)
    #expect(try strata(["run", "--rm", "true"]).status == 64)
    #expect(try strata(["run", "--net=maybe", "true"]).status == 64)
    #expect(try strata(["run", "--new", "--fork", "main", "true"]).status == 64)
  }

  @Test func `a program works at the base's own path, and the host is as it was`() throws {
    let script = "pwd; echo two > \(tree.path)/b.txt; rm a.txt; ls; cd /; ls \(tree.path)"
    let result = try strata(["run", "--", "sh", "-c", script])
    #expect(result.output == "\(tree.path)\nb.txt\nb.txt\n")
    #expect(result.errors == "D /a.txt\nA /b.txt\n2 changes in main\n")
    #expect(try ChildProcess(["ls", tree.path]).text == "a.txt\n")
  }

  @Test func `what programs pass through pipes and files arrives`() throws {
    let line = "echo in | run -q -- sh -c 'cat; echo err >&2' | cat > /got; cat /got"
    let result = try strata(["-c", line])
    #expect(result.output == "in\n" && result.errors == "err\n", "\(result)")
  }

  @Test func `what a session in memory has made on the host goes with it`() throws {
    for number in 0..<10 {
      let line = "run -q -- sh -c 'echo new > f\(number)'; commit -y"
      #expect(try strata(["-c", line]).status == 0)
    }
    #expect(try ChildProcess(["sh", "-c", "ls -A '\(tree.path)' | wc -l"]).text == "11\n")
  }

  @Test func `what killed sessions have left is taken away, and what others have is not`() throws {
    let place = try TemporaryDirectory()
    let script = """
      import os, signal, subprocess, sys, time
      os.environ['TMPDIR'] = place = '\(place.path)'
      def run(*words): return subprocess.Popen(['\(StrataProgram.path)', 'run', '-q', '--', *words],
          cwd='\(tree.path)', start_new_session=True)
      def old():
          for name in os.listdir(place): os.utime(f'{place}/{name}', (1, 1))
          return set(os.listdir(place))
      def start(count):
          program = run('sleep', '60')
          while len(os.listdir(place)) < count: time.sleep(0.02)
          time.sleep(0.2)
          return program
      stopped = start(1)
      os.kill(stopped.pid, signal.SIGSTOP)
      live = old()
      killed = start(2)
      killed.kill(); killed.wait()
      os.mkdir(f'{place}/strata-run.empty')
      os.mkdir(f'{place}/strata-run.full'); os.mkdir(f'{place}/strata-run.full/x')
      os.symlink('/etc', f'{place}/strata-run.link')
      before = old()
      # Seen from a fork, the live ones stay as well.
      inside = subprocess.run(['\(StrataProgram.path)', '--base', place, 'run', '--', 'env', '-u',
          'STRATA_WORKSPACE', '\(StrataProgram.path)', '--base', '/etc', 'run', '-q', '--', 'true'],
          cwd=place, capture_output=True, text=True)
      ok = inside.returncode == 0 and 'D /' not in inside.stderr
      if not ok: print(inside)
      old()
      run('true').wait()
      left = set(os.listdir(place)) - live
      if left != {'strata-run.full', 'strata-run.link'} or not live <= set(os.listdir(place)):
          print(before, live, left); ok = False
      for program in [stopped, killed]: os.killpg(program.pid, signal.SIGKILL)
      sys.exit(0 if ok else 1)
      """
    let result = try Finished.run("/usr/bin/python3", ["-c", script], in: "/")
    #expect(result.status == 0, "\(result)")
  }

  @Test func `a run is one operation, and has ended when all that it started has`() throws {
    #expect(try strata(["init"]).status == 0)
    let script = "echo now > now; (sleep 0.3; echo late > late) > /dev/null 2>&1 &"
    #expect(try strata(["run", "--", "sh", "-c", script]).status == 0)
    #expect(try strata(["ls"]).output == "a.txt\nlate\nnow\n")
    #expect(try strata(["log"]).output.split(separator: "\n").count == 2)
    #expect(try strata(["undo"]).status == 0)
    #expect(try strata(["ls"]).output == "a.txt\n")
    #expect(try strata(["run", "--new", "--rm", "--", "rm", "a.txt"]).status == 0)
    #expect(try strata(["forks"]).output.split(separator: "\n").count == 2)
    #expect(try strata(["check"]).output.contains("all is well"))
  }

  @Test func `who comes to a fork while a run is going on shares locks and stores with it`() throws
  {
    let place = try TemporaryDirectory()
    defer { _ = try? ChildProcess(["umount", "-l", place.path]) }
    #expect(try strata(["init"]).status == 0)
    try tree.write(
      "hold.py",
      """
      import fcntl, mmap, os, sys, time
      file = open("a.txt", "r+b")
      fcntl.flock(file, fcntl.LOCK_EX)
      stored = mmap.mmap(file.fileno(), 0)
      stored[0:3] = b"two"
      open("held", "w").close()
      while not os.path.exists("go"): time.sleep(0.01)
      """)
    let strata = "'\(StrataProgram.path)'"
    let script = """
      cd '\(tree.path)'
      \(strata) run -q -- python3 hold.py &
      \(strata) mount main '\(place.path)'
      while [ ! -e '\(place.path)/held' ]; do sleep 0.01; done
      \(strata) run -q -- sh -c 'flock -n a.txt true || echo locked; cat a.txt'
      flock -n '\(place.path)/a.txt' true || echo locked
      touch '\(place.path)/go'
      wait
      flock -n '\(place.path)/a.txt' cat '\(place.path)/a.txt'
      \(strata) run -q -- sh -c 'echo three > a.txt'
      cat '\(place.path)/a.txt'
      \(strata) umount '\(place.path)'
      \(strata) mounts
      """
    let result = try ChildProcess(["timeout", "60", "sh", "-c", script])
    #expect(result.text == "\(place.path)\nlocked\ntwo\nlocked\ntwo\nthree\n", "\(result)")
    #expect(try self.strata(["cat", "/a.txt"]).output == "three\n")
  }

  @Test func `a run goes on when who has started it is killed, and is in the log`() throws {
    #expect(try strata(["init"]).status == 0)
    let place = try TemporaryDirectory()
    let script = """
      cd '\(tree.path)'; '\(StrataProgram.path)' run -q -- sh -c '
        touch started "$0/started"; while [ ! -e "$0/go" ]; do sleep 0.01; done
        echo 2 > late; cat late > "$0/result"; touch "$0/end"' '\(place.path)' &
      while [ ! -e '\(place.path)/started' ]; do sleep 0.01; done
      kill -9 $!; sleep 1; touch '\(place.path)/go'
      while [ ! -e '\(place.path)/end' ]; do sleep 0.01; done; sleep 0.5
      """
    #expect(try ChildProcess(["timeout", "60", "sh", "-c", script]).status == 0)
    #expect(try place.read("result") == "2\n")
    #expect(try strata(["ls"]).output == "a.txt\nlate\nstarted\n")
    #expect(try strata(["log"]).output.contains("run -q -- sh"))
    #expect(try strata(["check"]).output.contains("all is well"))
  }

  @Test func `a run begins in a directory of the fork alone`() throws {
    #expect(try strata(["init"]).status == 0)
    #expect(try strata(["mkdir", "-p", "/new/inner"]).status == 0)
    for directory in ["new/inner", "./new/../new/inner", "\(tree.path)/new/inner"] {
      let result = try strata(["run", "--chdir", directory, "pwd"])
      #expect(result.output == "\(tree.path)/new/inner\n", "\(result)")
    }
  }

  @Test func `a run begins where the shell stands, or who starts it, as far as the fork has that`()
    throws
  {
    #expect(try ChildProcess(["mkdir", "-p", "\(tree.path)/sub/inner"]).status == 0)
    func pwd(_ words: [String], in directory: String) throws -> String {
      let result = try Finished.strata(words, in: tree.path + directory)
      return result.output.replacing(tree.path, with: "BASE")
    }
    let base = ["--base", tree.path]
    #expect(try pwd(base + ["run", "pwd"], in: "/sub/inner") == "BASE/sub/inner\n")
    #expect(try pwd(base + ["-c", "cd ..; run pwd"], in: "/sub/inner") == "BASE/sub\n")
    let remove = "cd /; rm -r sub; run --fork main pwd"
    #expect(try pwd(base + ["-c", remove], in: "/sub/inner") == "BASE\n")
    let recorded = try Finished.strata(
      base + ["record", "/dev/null"], input: "cd sub\nrun -q pwd\n", in: tree.path)
    #expect(recorded.output == "\(tree.path)/sub\n", "\(recorded)")
    #expect(try strata(["init"]).status == 0)
    #expect(try strata(["-c", "fork other; rm -r sub/inner"]).status == 0)
    #expect(try pwd(["run", "--fork", "other", "pwd"], in: "/sub/inner") == "BASE/sub\n")
    let place = try TemporaryDirectory()
    let inShell = try Finished.strata(
      base + ["-c", "run -q -- sh -c 'pwd; touch made'"], in: place.path)
    #expect(inShell.output == "\(tree.path)\n" && inShell.errors == "", "\(inShell)")
    let outside = try Finished.strata(base + ["run", "-q", "touch", "made"], in: place.path)
    #expect(outside.errors.contains("which is not in the fork"), "\(outside)")
    #expect(try ChildProcess(["ls", tree.path, place.path]).text.contains("made"))
  }

  @Test func `strata in a run of a session in memory finds that session`() throws {
    let script = "echo two > b.txt; '\(StrataProgram.path)' -c 'status; fork seen'"
    try tree.write("script", script)
    let result = try strata(["-c", "run -q -- sh script; forks; switch seen; cat b.txt"])
    #expect(result.status == 0 && result.output.contains("A /b.txt"), "\(result)")
    #expect(result.output.hasSuffix("two\n"), "\(result)")
  }

  @Test(arguments: [["--json", "run"], ["run", "--json"]])
  func `what becomes of a run can be had as JSON`(_ words: [String]) throws {
    let result = try strata(words + ["--", "sh", "-c", "echo two > b.txt; exit 3"])
    #expect(result.status == 3 && result.errors == "")
    #expect(
      result.output.hasPrefix("[\n {\"fork\":\"main\",\"status\":3,\"seconds\":")
        && result.output.hasSuffix(
          ",\"changes\":1,\"bytes_written\":4,\"bytes_copied\":0}\n]\n"),
      "\(result)")
  }

  @Test func `forks run side by side, with a table at the end`() throws {
    #expect(try strata(["init"]).status == 0)
    let result = try strata(
      ["run", "-j", "2", "--forks", "a,b,c", "--", "sh", "-c", "echo $STRATA_FORK > who"])
    #expect(result.status == 0, "\(result)")
    let rows = result.output.split(separator: "\n").map {
      $0.split(separator: "\t").map(String.init)
    }
    #expect(rows.map { $0[0] } == ["fork", "a", "b", "c"])
    #expect(rows.dropFirst().allSatisfy { $0[1] == "0" && $0[3] == "1" && $0[4] == "2" })
    for fork in ["a", "b", "c"] {
      #expect(try strata(["-c", "switch \(fork); cat who"]).output == "\(fork)\n")
    }
    for fork in ["a", "b", "c"] { #expect(result.errors.contains("made fork \(fork) from main\n")) }
    let again = try strata(["--json", "run", "-j", "2", "--forks", "a,b", "--", "false"])
    #expect(again.status == 1 && !again.errors.contains("made"))
    #expect(again.output.contains(#"{"fork":"a","status":1,"#))
    #expect(again.output.contains(#","changes":0,"bytes_written":0,"bytes_copied":0}"#))
    #expect(try strata(["run", "-j", "0", "--forks", "a", "--", "true"]).status == 64)
    for list in ["new,b c", "new,,b", "new,/"] {
      let refused = try strata(["run", "-j", "2", "--forks", list, "--", "true"])
      #expect(refused.status == 64 && !refused.errors.contains("made fork"), "\(refused)")
    }
  }

  @Test func `forks in memory are gone after a run, which is said`() throws {
    let words = ["--base", ".", "run", "-j", "2", "--forks", "a,b", "--"]
    #expect(try strata(words + ["touch", "x"]).errors.contains("in memory and are gone"))
    #expect(try !strata(words + ["true"]).errors.contains("gone"))
  }

  @Test func `what programs write side by side has the names of their forks`() throws {
    #expect(try strata(["init"]).status == 0)
    let script = "echo one; sleep .1; echo bad >&2; printf 'two\\n\\nend'"
    func lines(_ words: [String]) throws -> (output: [Substring], errors: [Substring]) {
      let result = try strata(words + ["-j", "2", "--forks", "a,long", "--", "sh", "-c", script])
      #expect(result.status == 0, "\(result)")
      return (
        result.output.split(separator: "\n").filter { !$0.contains("\t") },
        result.errors.split(separator: "\n").filter { $0.contains(" | ") }
      )
    }
    let tagged = try lines(["run"])
    for tag in ["a    | ", "long | "] {
      let own = tagged.output.filter { $0.hasPrefix(tag) }.map { $0.dropFirst(tag.count) }
      #expect(own == ["one", "two", "", "end"])
    }
    #expect(tagged.output.count == 8)
    #expect(Set(tagged.errors) == ["a    | bad", "long | bad"])
    #expect(try lines(["run", "--raw"]).output.joined().contains("one"))
    #expect(try lines(["run", "--raw"]).errors == [])
    let json = try lines(["--json", "run"])
    #expect(json.output.first == "[" && json.errors.count == 10, "\(json)")
    // Who reads has gone: the programs are told, also one that would write no more for long.
    let words = "run -j 2 --forks a,long -- sh -c 'echo one; sleep .2; echo two; exec sleep 60'"
    let cut = try Finished.run(
      "/bin/sh", ["-c", "'\(StrataProgram.path)' \(words) | head -1; echo over"], in: tree.path)
    #expect(cut.output.hasSuffix("| one\nover\n"), "\(cut)")
    #expect(!cut.errors.contains("run:"), "\(cut)")
    // A line without an end, and more than a pipe holds.
    let long = try strata(
      ["run", "-j", "2", "--forks", "a,long", "--", "sh", "-c", "head -c 300000 /dev/zero"])
    #expect(long.output.utf8.filter { $0 == 0 }.count == 600_000)
  }

  @Test func `a run can be cut off from the network and from what others run`() throws {
    let links = try strata(["run", "-q", "--net=no", "--", "cat", "/proc/net/dev"]).output
    #expect(links.split(separator: "\n").count == 3, "\(links)")
    let contained = try strata(
      ["run", "-q", "--contain", "--", "sh", "-c", "echo $$; grep CapEff /proc/self/status"])
    #expect(contained.output == "2\nCapEff:\t0000000000000000\n", "\(contained)")
  }

  @Test func `bases, a directory and mounts below are where the program expects them`() throws {
    let lower = try TemporaryDirectory()
    try lower.write("b.txt", "two\n")
    let bases = ["--base", tree.path, "--base=\(lower.path)"]
    let script = "pwd; cat ../a.txt ../b.txt; cat m/f; echo x > ../a.txt"
    let line = """
      mkdir -p sub/m; mount -t tmpfs none sub/m; echo below > sub/m/f
      \(StrataProgram.path) run -q \(bases.joined(separator: " ")) --chdir '\(tree.path)/sub' -- \
      sh -c '\(script)'
      """
    let result = try Finished.run("/usr/bin/unshare", ["-m", "sh", "-ec", line], in: tree.path)
    #expect(result.output == "\(tree.path)/sub\none\ntwo\nbelow\n", "\(result)")
    #expect(try tree.read("a.txt") == "one\n")
    #expect(try strata(["run", "--chdir", "nowhere", "--", "true"]).status == 126)
  }

  @Test func `the whole machine can be the base`() throws {
    let result = try Finished.strata(
      ["run", "--base", "/", "--", "sh", "-c", "echo x > /etc/strata-test; ls /proc/self/exe"],
      in: tree.path)
    #expect(result.output == "/proc/self/exe\n", "\(result)")
    #expect(result.errors.contains("A /etc/strata-test\n"))
    #expect(access("/etc/strata-test", F_OK) != 0)
  }
}
