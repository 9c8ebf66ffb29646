import Testing

/// What the example sessions say, seen from outside the program: the base's checksum, the bytes
/// that the process reads (`/proc/PID/io`), the memory it takes.
///
/// A host program in the session is a child of strata, so `$PPID` there is strata itself.
@Suite struct SessionClaims {
  let tree: TemporaryDirectory

  init() throws { tree = try TemporaryDirectory() }

  private func shell(_ script: String) throws -> String {
    let result = try Finished.run("/bin/sh", ["-ec", "cd '\(tree.path)'; \(script)"])
    try #require(result.status == 0, "\(result.errors)")
    return result.output
  }

  /// Runs a session over the tree and returns its output.
  private func session(_ lines: String) throws -> String {
    let result = try Finished.strata(["--no-rc", "--base", tree.path, "-c", lines])
    try #require(result.status == 0, "\(result.errors)")
    return result.output
  }

  private static let bytesRead = "!sed -n 's/^rchar: //p' /proc/$PPID/io"
  private static let resident = "!sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$PPID/status"

  /// How much a figure of the process grows over some lines.
  private func growth(of figure: String, over lines: String, after before: String = "true") throws
    -> Int
  {
    let numbers = try session("\(before)\n\(figure)\n\(lines)\n\(figure)")
      .split(separator: "\n").compactMap { Int($0) }
    let (first, last) = (try #require(numbers.first), try #require(numbers.last))
    try #require(numbers.count == 2)
    return last - first
  }

  @Test func `a base is never written, whatever a session does`() throws {
    _ = try shell(
      """
      mkdir -p a/b c; echo one > a/one; echo two > a/b/two; ln a/one c/link; ln -s a sym
      head -c 200000 /dev/urandom > big; mkfifo pipe; chmod 640 a/one
      """)
    let look = """
      find . -printf '%p %y %s %m %U %G %n %i %T@ %C@ %l\\n' | sort
      find . -type f | sort | xargs sha256sum
      """
    let before = try shell(look)
    _ = try session(
      """
      write a/one changed; write -a c/link more; write --at 5000 -n big patch; truncate -s 10 big
      chmod 777 a/one; chown 1:1 a/b/two; touch -d 2001-01-01 c; xattr -w user.k v a/one
      mv a moved; rm -r moved/b; ln big c/hard; ln -s x new; mkdir -p deep/er; cp -r c copy
      fork w; rm -rf c; mkdir c; undo; discard; switch main; undo; redo
      """)
    #expect(try shell(look) == before)
  }

  @Test func `a small write into a large file reads a block under redirect, all under copy-up`()
    throws
  {
    _ = try shell("head -c 67108864 /dev/urandom > big")
    let write = "write -n --at 30000000 big x"
    let redirect = try growth(of: Self.bytesRead, over: write)
    #expect(redirect < 1 << 20, "redirect read \(redirect) bytes")
    let plugin = "\(StrataProgram.root)/examples/plugins/sizes.lua"
    let copyUp = try growth(
      of: Self.bytesRead, over: write,
      after: "plugin load \(plugin); plugin set sizes threshold=1G")
    #expect(copyUp >= 64 << 20, "copy-up read \(copyUp) bytes")
    let chmod = try growth(of: Self.bytesRead, over: "chmod 600 big; mv big other; chown 1 other")
    #expect(chmod < 1 << 20, "chmod read \(chmod) bytes")
  }

  @Test func `forks share their pages: a hundred of 32 MiB add next to nothing`() throws {
    let forks = (0..<100).map { "fork -s f\($0)" }.joined(separator: "; ")
    let grown = try growth(
      of: Self.resident, over: forks, after: "!head -c 33554432 /dev/urandom | cat > big")
    #expect(grown < 4 << 10, "100 forks took \(grown) KiB")
    let writes = (0..<20).map { "fork w\($0); write -n --at 8192 big x; switch main" }
    let written = try growth(
      of: Self.resident, over: writes.joined(separator: "; "),
      after: "!head -c 33554432 /dev/urandom | cat > big")
    #expect(written < 4 << 10, "20 forks with a page each took \(written) KiB")
  }

  @Test func `a directory of 20,000 names is renamed without a look at them`() throws {
    _ = try shell("mkdir many; cd many; seq 20000 | xargs touch")
    let list = try growth(of: Self.resident, over: "ls many > /dev-null")
    let rename = try growth(of: Self.resident, over: "mv many moved; mv moved again")
    #expect(rename < 1 << 10 && rename < list, "rename took \(rename) KiB, a listing \(list)")
    #expect(try session("mv many moved; stat moved/777 > x; ls moved | !wc -l").contains("20000"))
  }

  @Test func `hard links stay one node through copy-up`() throws {
    _ = try shell("echo one > a; ln a b")
    let lines = try session("ls -i; write -a a more; ls -i; cat b").split(separator: "\n")
    #expect(lines[0].split(separator: " ")[0] == lines[1].split(separator: " ")[0])
    #expect(lines[0] == lines[2] && lines[1] == lines[3])
    #expect(lines.suffix(2) == ["one", "more"])
    #expect(try shell("cat b") == "one\n")
  }

  @Test func `attributes survive copy-up`() throws {
    _ = try shell("echo x > f; chown 3:4 f; chmod 4750 f; touch -d '2001-02-03 04:05:06' f")
    let kept = try session("write -a f more; ls -ln f")
    #expect(kept.hasPrefix("-rwsr-x---") && kept.contains(" 3 ") && kept.contains(" 4 "))
    #expect(try session("chmod 700 f; ls -ln f").contains("2001-02-03"))
  }

  @Test func `a whiteout hides in the session and only there`() throws {
    _ = try shell("mkdir d; touch d/one d/two")
    #expect(try session("rm d/one; ls d; rm -r d; mkdir d; ls d") == "two\n")
    #expect(try shell("ls d") == "one\ntwo\n")
  }
}
