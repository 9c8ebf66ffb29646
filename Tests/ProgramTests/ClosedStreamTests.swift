import Glibc
import Testing

/// Standard streams that the program is started without, as by cron.
@Suite struct ClosedStreamTests {
  let tree: TemporaryDirectory

  init() throws {
    tree = try TemporaryDirectory()
    try tree.write("file.txt", "content\n")
  }

  private func shell(_ line: String) throws -> Finished {
    try Finished.run(
      "/bin/sh", ["-c", "timeout 60 \(StrataProgram.path) \(line)"], in: tree.path)
  }

  @Test(arguments: [false, true])
  func `a command does without them`(_ hasWorkspace: Bool) throws {
    if hasWorkspace { _ = try Finished.strata(["init"], in: tree.path) }
    let mute = try shell("ls >&-")
    #expect(mute.status == 1 && mute.errors == "ls: standard output: Bad file descriptor\n")
    let speechless = try shell("ls 2>&-")
    #expect(speechless.status == 0 && speechless.output == "file.txt\n", "\(speechless)")
    #expect(try shell("cat missing 2>&-").status == 1)
    let deaf = try shell("cat <&-")
    #expect(deaf.status == 1 && deaf.errors.contains("Bad file descriptor"), "\(deaf)")
    #expect(try shell("ls <&- >&- 2>&-").status == 1)
    #expect(try shell("true <&- >&- 2>&-").status == 0)
  }

  @Test(
    .enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0),
    arguments: ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
  func `a run does without them`(_ closed: String) throws {
    _ = try Finished.strata(["init"], in: tree.path)
    #expect(try shell("run -q -- true \(closed)").status == 0)
  }
}
