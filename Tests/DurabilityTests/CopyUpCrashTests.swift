import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// The process dies while the kernel copies a large file of a base into the store, or shares its blocks
/// with it: the fork has the file as it was, or the copy with what was written to it.
///
/// `STRATA_KILLS` says how often for each file system (40 unless set), `STRATA_SEED` where to begin.
@Suite struct CopyUpCrashTests {
  private static let size = 4_000_001
  private static let change = "write --at 5000 big changed; write small new"

  private func shell(_ script: String, _ place: TestDisk) throws {
    let child = try ChildProcess(["sh", "-ec", "cd '\(place.path)'; \(script)"])
    guard child.status == 0 else { throw CrashMismatch("\(script): \(child.text)") }
  }

  private func open(_ place: TestDisk) throws -> Workspace {
    try Workspace(
      bases: [HostDirectory(path: Array("\(place.path)/base".utf8), hiding: .workspaces)],
      store: DurableStore(directory: Array("\(place.path)/base/.strata".utf8)),
      keepsInodes: true
    ) { 1 }
  }

  private func bytes(_ path: String, _ workspace: Workspace) throws -> [UInt8] {
    let file = try Client(workspace.main, as: .superuser).open(Array(path.utf8), [.read])
    return try file.read(Self.size + 10, at: 0)
  }

  @Test(arguments: TestDisk.Kind.allCases)
  func `Killed before any call of a copy-up`(_ disk: TestDisk.Kind) throws {
    guard let place = try TestDisk(disk) else { return }
    let seed = try TestSeed.first(1)
    var random = SeededGenerator(seed: seed)
    let before = (0..<Self.size).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
    try shell("mkdir base", place)
    try place.directory.write(Array("\(place.path)/base/big".utf8), before, at: 0)
    try place.directory.write(
      "whole.lua",
      """
      #!strata-plugin name=whole api=1
      strata.policy("whole", {write="copy_up"})
      """)
    let options = ["--plugin", place.directory.appending("whole.lua")]
    func run(_ line: String, _ faults: [String: String]) throws -> CrashChild {
      let faults = faults.merging(["PIECE": "100000"]) { first, _ in first }
      return try CrashChild(running: line, in: "\(place.path)/base", options, faults)
    }
    #expect(try run("init", [:]).status == 0)
    try shell("cp -a base/.strata whole", place)
    let counter = place.directory.appending("calls")
    let whole = try run(Self.change, ["COUNT": counter])
    #expect(whole.status == 0, "\(whole.output)")
    var after = before
    after.replaceSubrange(5000..<5008, with: Array("changed\n".utf8))
    let calls = try #require(
      Int(try place.directory.text("calls").prefix { $0.isNumber }))
    // In so many pieces the kernel has copied it; with shared blocks it is one call.
    #expect(calls > (disk == .here ? 40 : 10))
    var states: Set<Int> = []
    let kills = number("STRATA_KILLS") ?? 40
    for at in 1...calls where calls <= kills || random.below(calls) < kills {
      try shell("rm -rf base/.strata; cp -a whole base/.strata", place)
      let child = try run(Self.change, ["AT": "\(at)", "WITH": "kill"])
      guard child.status == 128 + SIGKILL else {
        throw CrashMismatch("\(disk), call \(at): \(child.status), \(child.output)")
      }
      do {
        let workspace = try open(place)
        let problems = try workspace.check().problems
        guard problems.isEmpty else { throw CrashMismatch("\(problems)") }
        let done = workspace.main.operationCount
        states.insert(done)
        guard try bytes("/big", workspace) == (done == 0 ? before : after) else {
          throw CrashMismatch("the file is not what it should be after \(done) operations")
        }
        if done > 0 {
          while workspace.main.operationCount > 0 { try workspace.undo(workspace.main) }
          guard try bytes("/big", workspace) == before else { throw CrashMismatch("undone") }
        }
        // What the copy had come to is not in the way of the next one.
        try workspace.operation("again", on: workspace.main) { () throws(FileError) in
          let file = try Client(workspace.main, as: .superuser).open(Array("/big".utf8), [.write])
          _ = try file.write(Array("changed\n".utf8), at: 5000)
        }
        try workspace.checkpoint()
        guard try bytes("/big", workspace) == after, try workspace.check().problems.isEmpty else {
          throw CrashMismatch("the next copy")
        }
      } catch {
        throw CrashMismatch("\(disk), STRATA_SEED=\(seed), killed before call \(at): \(error)")
      }
    }
    #expect(states.isSuperset(of: [0, 2]), "\(states)")
    #expect(try ChildProcess(["cat", "\(place.path)/base/big"]).output == before)
  }
}
