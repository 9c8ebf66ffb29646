import Testing

/// Arguments, standard input and exit statuses.
@Suite struct CommandLineTests {
  let tree: TemporaryDirectory

  init() throws {
    tree = try TemporaryDirectory()
    try tree.write("file.txt", "content\n")
  }

  private func strata(_ arguments: [String], input: String = "") throws -> Finished {
    try Finished.strata(arguments, input: input, in: tree.path)
  }

  @Test(
    arguments: [
      (["echo", "one"], 0, "one\n"), (["false"], 1, ""), (["nope"], 127, ""),
      (["cat", "file.txt"], 0, "content\n"), (["cat", "missing"], 1, ""),
      (["cat", "--no-such-option"], 64, ""), (["--no-such-option"], 64, ""),
      (["--color", "sometimes", "true"], 64, ""), (["-c"], 64, ""),
      (["-c", "echo a; exit 7; echo b"], 7, "a\n"), (["-c", "cat missing; echo b"], 1, ""),
      (["-c", "set -k; cat missing; echo b"], 0, "b\n"), (["-c", "echo 'open"], 64, ""),
      (["-f", "missing"], 127, ""), (["-f", "/"], 126, ""),
      (["--base", "/missing", "true"], 1, ""),
      (["--base", "file.txt", "true"], 1, ""), (["--plugin", "missing.lua", "true"], 1, ""),
      (["-c", "!exit 5"], 5, ""), (["-c", "!kill -9 $$"], 137, ""),
      (["echo", "--version", "-c", "--base"], 0, "--version -c --base\n"),
      (["replay", "missing.session"], 2, ""),
    ] as [([String], Int32, String)])
  func `each way to end has its status`(
    arguments: [String], status: Int32, output: String
  ) throws {
    let result = try strata(arguments)
    #expect(result.status == status, "\(result)")
    if arguments.first != "replay" { #expect(result.output == output) }
    let fails = status != 0 && arguments != ["false"] && !arguments.contains { $0.contains("ex") }
    if fails, status < 128, arguments.first != "replay" { #expect(!result.errors.isEmpty) }
  }

  @Test func `a script from standard input stops at the first failure`() throws {
    let stopped = try strata([], input: "echo a\ncat missing\necho b\n")
    #expect(stopped.output == "a\n")
    #expect(stopped.status == 1)
    let kept = try strata([], input: "set -k\necho a\ncat missing\necho b")
    #expect(kept.output == "a\nb\n")
    #expect(kept.status == 0)
    #expect(try strata([], input: "cat <<END\nx y\nEND\n").output == "x y\n")
    #expect(try strata([], input: "").status == 0)
  }

  @Test func `a file is a script, with a shebang, too`() throws {
    try tree.write("s.strata", "#!\(StrataProgram.path) -f\necho from $1\n", mode: 0o755)
    #expect(try strata(["s.strata", "me"]).output == "from me\n")
    #expect(try strata(["-f", "s.strata", "me"]).output == "from me\n")
    let direct = try Finished.run("\(tree.path)/s.strata", ["me"])
    #expect(direct.output == "from me\n", "\(direct)")
  }

  @Test func `the base stays as it is`() throws {
    #expect(try strata(["-c", "write file.txt changed; cat file.txt"]).output == "changed\n")
    #expect(try tree.read("file.txt") == "content\n")
  }

  @Test func `bases are stacked, topmost first`() throws {
    let upper = try TemporaryDirectory()
    try upper.write("file.txt", "from above\n")
    let result = try strata(["--base", upper.path, "--base", tree.path, "cat", "file.txt"])
    #expect(result.output == "from above\n")
  }

  @Test func `colour comes when it is asked for, and only then`() throws {
    let plain = try strata(["ls"])
    #expect(!plain.output.contains("\u{1B}"))
    let refused = try strata(["--color", "never", "ls", "/"])
    #expect(!refused.output.contains("\u{1B}"))
  }

  @Test func `a reader that goes away ends the program by SIGPIPE`() throws {
    let line =
      "'\(StrataProgram.path)' -c 'set -k; cat /big; cat /big' | true; exit ${PIPESTATUS[0]}"
    try tree.write("big", String(repeating: "x", count: 1 << 20))
    let result = try Finished.run("/bin/bash", ["-c", line], in: tree.path)
    #expect(result.status == 141)
    #expect(result.errors == "")
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `a completion script can be had for each shell`(name: String) throws {
    let result = try strata(["--generate-completion-script", name])
    #expect(result.status == 0)
    #expect(result.output.contains("---completion -- positional@0"))
  }

  @Test(arguments: [
    ("strata comm", ["commit"]), ("strata r", ["run", "record", "replay", "rm"]),
    ("strata mount", ["mount", "mounts"]), ("strata um", ["umount"]), ("strata ini", ["init"]),
    ("strata tes", ["test"]), ("strata commit --in", ["--interactive"]),
    ("strata --base . run --chd", ["--chdir"]), ("strata --json cat fi", ["file.txt"]),
  ])
  func `bash completes commands, their options and paths`(line: String, all: [String]) throws {
    let words = line.split(separator: " ").map(String.init)
    let script = """
      eval "$('\(StrataProgram.path)' --generate-completion-script bash)"
      strata() { '\(StrataProgram.path)' "$@"; }
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
      _strata strata "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
      printf '%s\n' "${COMPREPLY[@]}"
      """
    let result = try Finished.run("/bin/bash", ["-c", script, "bash"] + words, in: tree.path)
    let offered = Set(result.output.split(separator: "\n").map(String.init))
    #expect(offered.isSuperset(of: all), "\(result)")
    #expect(offered.allSatisfy { $0.hasPrefix(words.last ?? "") }, "\(result)")
  }

  @Test func `the version is told`() throws {
    let result = try strata(["--version"])
    #expect(result.status == 0)
    #expect(result.output.hasPrefix("strata "))
  }

  @Test func `a script says where it has stopped, and several -c are run`() throws {
    let tree = try TemporaryDirectory()
    try tree.write("script", "write a 1\n\ncat nope\nls\n")
    let result = try Finished.strata(["script"], in: tree.path)
    #expect(result.errors.hasSuffix("strata: script:3: stopped here\n"), "\(result)")
    #expect(try Finished.strata(["-c", "x=1", "-c", "echo $x"], in: tree.path).output == "1\n")
  }
}
