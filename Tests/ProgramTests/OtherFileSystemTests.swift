import Glibc
import StrataStorage
import StrataTestSupport
import Testing

/// A workspace on another file system than its base.
@Suite(.enabled(if: isOnOtherFileSystem, "/dev/shm is on the file system of temporary files"))
struct OtherFileSystemTests {
  private let home: StrataTestSupport.TemporaryDirectory
  private let base: StrataTestSupport.TemporaryDirectory

  init() throws {
    home = try StrataTestSupport.TemporaryDirectory("strata-home")
    base = try StrataTestSupport.TemporaryDirectory("strata-base", in: "/dev/shm")
    try base.write("a.txt", "one\n")
    try base.write("b.txt", "two\n")
    try base.makeDirectory("d")
    let made = try Finished.strata(["init", base.path], in: home.path)
    #expect(made.status == 0, "\(made)")
  }

  @discardableResult
  private func strata(_ line: String, status: Int32 = 0) throws -> Finished {
    // In a process of its own each time, so that the next one opens the workspace again.
    let result = try Finished.strata(["--alone", "-c", line], in: home.path)
    #expect(result.status == status, "\(line): \(result)")
    return result
  }

  /// What the base has at its top on the host.
  private var names: [String] {
    get throws {
      let list = try Finished.run("/bin/ls", ["-A", base.path], in: home.path).output
      return list.split(separator: "\n").map(String.init)
    }
  }

  @Test func `a commit stages and keeps in the base, where nobody sees it`() throws {
    let before = try strata("stat -c '%h %y' .").output
    #expect(try names == ["a.txt", "b.txt", "d"])
    try strata("fork other; switch main; write a.txt more; mv b.txt d/c.txt")
    try strata("commit -y")
    #expect(try base.read("a.txt") == Array("more\n".utf8))
    #expect(try base.read("d/c.txt") == Array("two\n".utf8))
    let hidden = try names.filter { $0.hasPrefix(".strata-commits-") }
    #expect(hidden.count == 1)
    #expect(try strata("ls -A").output == "a.txt\nd\n")
    #expect(
      try strata("switch other; ls -A; cat a.txt b.txt").output == "a.txt\nb.txt\nd\none\ntwo\n")
    #expect(try strata("stat -c %h .").output == "3\n")
    #expect(before.hasPrefix("3 "))
    // Another workspace, and a session without one, do not see it either.
    let session = try Finished.strata(["--base", base.path, "-c", "ls -A; status"], in: "/")
    #expect(session.output.hasPrefix("a.txt\nd\n") && session.output.contains("no changes"))
    try strata("undo")
    #expect(try strata("cat a.txt d/c.txt").output == "more\ntwo\n")
    try strata("redo; commit --undo -y")
    #expect(try base.read("a.txt") == Array("one\n".utf8))
    #expect(try base.read("b.txt") == Array("two\n".utf8))
    #expect(try strata("status").output.contains("M /a.txt"))
    try strata("check")
  }

  @Test func `what a commit that was broken off has left in the base is cleared away`() throws {
    try strata("write a.txt more")
    let link = try ChildProcess(["readlink", "\(home.path)/.strata/kept"]).text
    let place = link.split(separator: "\n").joined()
    // Killed while it was staging, before there was a journal.
    let left = try ChildProcess(["sh", "-ec", "mkdir -p '\(place)/1'; echo x > '\(place)/1/new-1'"])
    #expect(left.status == 0, "\(left.text)")
    #expect(try strata("ls -A").output == "a.txt\nb.txt\nd\n")
    #expect(try names == ["a.txt", "b.txt", "d"])
    try strata("commit -y")
    #expect(try base.read("a.txt") == Array("more\n".utf8))
  }
}

/// Whether what programs share in memory is on another device than temporary files.
private let isOnOtherFileSystem: Bool = {
  func device(_ path: String) -> dev_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_dev : nil
  }
  let other = device("/dev/shm")
  return other != nil && other != device(StrataTestSupport.TemporaryDirectory.usualPlace)
}()
