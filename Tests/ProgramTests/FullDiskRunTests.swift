import Glibc
import StrataTestSupport
import Testing

/// Programs that write more than the disk takes which the workspace is on. Needs root and FUSE.
@Suite(.enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0))
final class FullDiskRunTests {
  private let tree: StrataTestSupport.TemporaryDirectory

  init() throws {
    tree = try StrataTestSupport.TemporaryDirectory("strata-small")
    let made = try ChildProcess(["mount", "-t", "tmpfs", "-o", "size=40m", "none", tree.path])
    try #require(made.status == 0, "\(made.text)")
    try tree.makeDirectory("base")
  }

  deinit {
    // The owner of the workspace stays for a moment.
    for _ in 0..<50 where (try? ChildProcess(["umount", tree.path]).status) != 0 { usleep(100_000) }
  }

  private func strata(_ words: String..., status: Int32 = 0) throws -> Finished {
    let result = try Finished.strata(words, in: tree.appending("base"))
    #expect(result.status == status, "\(words): \(result)")
    return result
  }

  @Test(arguments: [
    "dd if=/dev/zero of=junk bs=1M count=60 2>&1", "dd if=/dev/zero bs=4096 count=15000 >junk",
    "for i in $(seq 20000); do head -c 3000 /dev/zero > $i || exit 1; done",
  ])
  func `a program is told that there is no room, and what is done then is kept`(
    script: String
  ) throws {
    _ = try strata("init")
    let run = try strata("-c", "write first 1; run -q -- sh -c '\(script)'", status: 1)
    #expect((run.output + run.errors).contains("No space left on device"))
    #expect(!run.errors.contains("not saved"), "\(run)")
    #expect(try strata("-c", "undo; redo; undo; gc --keep 0").errors == "")
    #expect(try strata("write", "later", "1").errors == "")
    #expect(try strata("check").output.contains("all is well"))
    // Another process has it, too.
    for _ in 0..<50 where access(tree.appending("base/.strata/socket"), F_OK) == 0 {
      usleep(100_000)
    }
    #expect(try strata("ls").output == "first\nlater\n")
  }
}
