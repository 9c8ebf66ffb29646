import Glibc
import Testing

/// Transcripts through the built program: the shipped ones, and ones made to differ.
@Suite struct ReplayProgramTests {
  /// All sessions of `examples`, and the README.
  static let shipped: [String] = {
    let folder = "\(StrataProgram.root)/examples/sessions"
    var files = ["\(StrataProgram.root)/README.md"]
    guard let directory = opendir(folder) else { return files }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(".session") { files.append("\(folder)/\(name)") }
    }
    return files.sorted()
  }()

  @Test(arguments: shipped)
  func `a shipped session shows what it says`(file: String) throws {
    let result = try Finished.strata(["replay", file])
    #expect(result.status == 0, "\(result.output)\(result.errors)")
  }

  @Test(arguments: ["run -- true", "mount", "mounts", "umount main", "init"])
  func `what needs a place on the host says that it cannot be replayed`(line: String) throws {
    try directory.write("a.session", "#! strata-session 1\n\nmain:/> \(line)\n")
    let result = try Finished.strata(["replay", "a.session"], in: directory.path)
    let name = line.split(separator: " ")[0]
    #expect(result.status == 1)
    #expect(result.output.contains("+\(name): cannot be replayed: "), "\(result)")
  }

  let directory: TemporaryDirectory
  static let good = """
    #! strata-session 1
    //file notes.txt 0600 <<END
    one
    END
    //file big 128K
    //file sub/deep.txt <<END
    deep
    END
    //file link -> notes.txt

    # read
    main:/> cat notes.txt sub/deep.txt
    one
    deep
    main:/> cat missing
    cat: missing: * (glob)
    [1]

    # write
    main:/> fork work
    work:/> write -a link <<END
    > two
    > END
    @ copy_up /notes.txt base->work [0-9]+ bytes (re)
    work*:/> cat notes.txt
    one
    two
    work*:/> cd sub
    work*:/sub> pwd
    /sub

    """

  init() throws {
    directory = try TemporaryDirectory()
    try directory.write("good.session", Self.good)
  }

  private func replay(_ arguments: [String]) throws -> Finished {
    try Finished.strata(["replay"] + arguments, in: directory.path)
  }

  @Test func `a transcript that holds passes, again and again`() throws {
    for _ in 0..<2 {
      let result = try replay(["good.session"])
      #expect(result.output == "2 passed\n", "\(result.errors)")
      #expect(result.status == 0)
    }
  }

  @Test(
    arguments: [
      ("deep\nmain", "deeper\nmain"), ("\none\ndeep", "\none"), ("[1]", "[2]"),
      ("work*:/> cat notes", "work:/> cat notes"), ("work*:/sub> pwd", "work*:/> pwd"),
      ("@ copy_up", "@ redirect"), ("cat: missing: *", "cat: nothing: *"),
      ("\n/sub\n", "\n/sub (no-eol)\n"),
    ])
  func `a planted difference gives status 1 and the line`(old: String, new: String) throws {
    let parts = Self.good.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
    let planted = parts.joined(separator: new)
    #expect(planted != Self.good)
    try directory.write("bad.session", planted)
    let result = try replay(["bad.session"])
    #expect(result.status == 1)
    #expect(result.output.contains("--- bad.session:"))
    #expect(result.output.contains("1 passed, 1 differ\n"))
  }

  @Test func `blessing what holds changes nothing, and blessing twice is blessing once`() throws {
    #expect(try replay(["--bless", "good.session"]).status == 0)
    #expect(try directory.read("good.session") == Self.good)
    let bare = Self.good.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix("one") && !$0.hasPrefix("@") && $0 != "[1]" }
    try directory.write("bare.session", bare.joined(separator: "\n"))
    #expect(try replay(["bare.session"]).status != 0)
    #expect(try replay(["--bless", "bare.session"]).status == 0)
    let once = try directory.read("bare.session")
    #expect(try replay(["bare.session"]).status == 0)
    #expect(try replay(["--bless", "bare.session"]).status == 0)
    #expect(try directory.read("bare.session") == once)
  }

  @Test func `a report is written in JUnit's form`() throws {
    #expect(try replay(["--junit", "out.xml", "--filter", "^read$", "good.session"]).status == 0)
    let report = try directory.read("out.xml")
    #expect(report.contains("<testsuites tests=\"1\" failures=\"0\" errors=\"0\">"))
  }

  @Test func `a command that never ends breaks the transcript, not the replay`() throws {
    try directory.write(
      "hang.session", "#! strata-session 1\n//timeout 1\n\nmain:/> cat | !sleep 60\n")
    let result = try replay(["hang.session", "good.session"])
    #expect(result.status == 2)
    #expect(result.output.contains("hang.session:4: not done after 1 seconds"))
    #expect(result.output.contains("2 passed"))
  }

  @Test func `nothing stays behind in the temporary directory`() throws {
    let place = try TemporaryDirectory()
    let result = try Finished.strata(
      ["replay", "good.session"], in: directory.path, environment: ["TMPDIR=\(place.path)"])
    #expect(result.status == 0)
    #expect(try Finished.run("/bin/ls", ["-A", place.path]).output == "")
  }

  @Test(arguments: ["memory", "workspace"])
  func `what is recorded of commands that nobody types replays`(place: String) throws {
    let tree = try TemporaryDirectory()
    try tree.write("a.txt", "one\n")
    if place == "workspace" { #expect(try Finished.strata(["init"], in: tree.path).status == 0) }
    let lines = """
      fork work; cat a.txt |
        grep one; write b.txt <<END
      two

      END
      # nothing
      cat nope || cat b.txt
      """
    let transcript = """
      #! strata-session 1
      //base \(tree.path)

      main:/> fork work
      work:/> cat a.txt |
      >   grep one
      one
      work:/> write b.txt <<END
      > two
      >
      > END
      work*:/> cat nope || cat b.txt
      cat: nope: No such file or directory
      two

      """
    let before = "record \(directory.path)/r; "
    let end = "; record off; rm b.txt; switch main; drop -f work"
    for (words, input) in [
      (["-c", before + lines + end], ""), ([], before + lines + end),
      (["record", "\(directory.path)/r"], lines),
    ] {
      let result = try Finished.strata(words, input: input, in: tree.path)
      #expect(result.output == "one\ntwo\n\n", "\(words): \(result)")
      #expect(try directory.read("r").contains(transcript), "\(words)")
      let replayed = try Finished.strata(["replay", "\(directory.path)/r"])
      #expect(replayed.output == "1 passed\n", "\(words): \(replayed)")
    }
  }

  @Test(arguments: ["fork work; cd d", "fork work; write x y; undo", "cd d"])
  func `what is recorded in another place than the root of main replays`(before: String) throws {
    let tree = try TemporaryDirectory()
    mkdir("\(tree.path)/d", 0o755)
    let result = try Finished.strata(
      ["-c", "\(before); record \(directory.path)/r; ls; write new x; cat new"], in: tree.path)
    #expect(result.status == 0 && result.errors == "", "\(result)")
    let replayed = try Finished.strata(["replay", "\(directory.path)/r"])
    #expect(replayed.output == "1 passed\n", "\(replayed)")
  }

  @Test(arguments: [
    ("main", "write x y"), ("work", "fork work; write x y"), ("work", "write x y; fork work"),
  ])
  func `record warns where a replay cannot begin`(fork: String, before: String) throws {
    let tree = try TemporaryDirectory()
    let result = try Finished.strata(
      ["-c", "\(before); record \(directory.path)/r; cat x"], in: tree.path)
    let warning =
      "record: fork \(fork) differs from the bases; a replay begins with those, and will not show "
      + "the same\n"
    #expect(result.status == 0 && result.errors == warning, "\(result)")
  }

  @Test func `record as a subcommand says whether something is recorded, and why it cannot be`()
    throws
  {
    #expect(try Finished.strata(["record"]).output == "off\n")
    let result = try Finished.strata(["record", "/nope/r"], input: "write a 1\n")
    #expect(result.status == 1 && result.errors == "record: /nope/r: No such file or directory\n")
  }
}
