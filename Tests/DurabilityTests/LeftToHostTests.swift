import Glibc
import StrataTestSupport
import Testing

/// A commit that leaves a conflict to the host is killed at any point: it has done nothing, or all of it,
/// as one operation.
@Suite struct LeftToHostTests {
  @Test func `Killed before any call, it is one operation or none`() throws {
    let directory = try TemporaryDirectory("strata-left")
    let tree = directory.appending("tree")
    func shell(_ script: String) throws {
      let child = try ChildProcess(["sh", "-ec", script])
      guard child.status == 0 else { throw CrashMismatch("\(script): \(child.text)") }
    }
    func run(_ line: String, _ faults: [String: String] = [:]) throws -> CrashChild {
      try CrashChild(
        running: line, in: tree, [], faults.merging(["UNDER": tree]) { first, _ in first })
    }
    var (undone, finished) = (0, 0)
    for at in 1...1000 {
      try shell("rm -rf \(tree); mkdir \(tree); cd \(tree); echo one > a; echo two > b")
      _ = try run("init; exit")
      _ = try run("write -a a mine; write -a b mine")
      try directory.write("tree/a", "of somebody else\n")
      let child = try run("commit -y --theirs", ["AT": "\(at)", "WITH": "kill"])
      let log = try run("log").output.split(separator: "\n").count - 1
      let files = try run("cat a b").output
      let host = try directory.text("tree/b")
      #expect(try directory.text("tree/a") == "of somebody else\n")
      if log == 2 {
        undone += 1
        #expect(files == "one\nmine\ntwo\nmine\n" && host == "two\n", "call \(at)")
      } else {
        finished += 1
        #expect(log == 3, "call \(at)")
        #expect(files == "of somebody else\ntwo\nmine\n" && host == "two\nmine\n", "call \(at)")
      }
      #expect(try run("check").status == 0, "call \(at)")
      guard child.status == 128 + SIGKILL else {
        #expect(child.status == 0 && log == 3, "\(child.output)")
        break
      }
    }
    #expect(undone > 3 && finished > 3)
  }
}
