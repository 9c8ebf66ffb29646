import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// Random changes committed, and made by the script in a copy of the tree: both come out the same.
/// `STRATA_SCRIPTS` says how many trees (30 unless set), `STRATA_SEED` where to begin.
@Suite struct RandomScriptTests {
  @Test func `a commit as a script does the same as the commit`() throws {
    let first = try TestSeed.first(90_000)
    var (links, renames) = (0, 0)
    let count = getenv("STRATA_SCRIPTS").flatMap { UInt64(String(cString: $0)) } ?? 30
    for seed in first..<first + count {
      do {
        let bench = try CommitBench("true")
        let random = RandomChanges(bench, seed: seed)
        random.make(60)
        try bench.commitAll()
        for _ in 0..<2 {
          random.make(30)
          let plan = try bench.workspace.planCommit(bench.main, [])
          // No script makes a socket.
          guard !plan.changes.isEmpty, !plan.changes.contains(where: { $0.fileKind == .socket })
          else {
            try bench.commitAll()
            continue
          }
          renames += plan.changes.count { $0.kind == .renamed }
          let copy = try TemporaryDirectory("strata-script")
          try shell("cp -a '\(bench.tree.path)/.' '\(copy.path)'")
          let script = try self.script(plan, in: copy)
          try bench.commitAll()
          try shell("sh '\(script.path)/script'")
          let (wanted, found) = (try look(bench.tree), try look(copy))
          let lines = Set(wanted).symmetricDifference(found)
          guard lines.isEmpty else {
            throw CommitBench.Problem(description: "\(plan.changes.count): \(lines.sorted())")
          }
          links += wanted.count { $0.hasSuffix(" linked") }
        }
      } catch {
        throw CommitBench.Problem(description: "STRATA_SEED=\(seed): \(error)")
      }
    }
    // Else nothing was tested.
    #expect(TestSeed.isGiven || links > 5 && renames > 5)
  }

  /// The script is made for the copy.
  private func script(
    _ plan: CommitPlan, in copy: TemporaryDirectory
  ) throws -> TemporaryDirectory {
    let place = try TemporaryDirectory("strata-script")
    var bytes: [UInt8] = []
    var script = try HostScript(plan, base: HeldPath(Array(copy.path.utf8))) { bytes += $0 }
    try script.write()
    try place.write(Array(place.appending("script").utf8), bytes, at: 0)
    return place
  }

  @discardableResult
  private func shell(_ command: String) throws -> String {
    let child = try ChildProcess(["sh", "-ec", "export LC_ALL=C; \(command)"])
    guard child.status == 0 else { throw CommitBench.Problem(description: child.text) }
    return child.text
  }

  /// All that a commit sets, by path, and of files with several names the first one.
  private func look(_ tree: TemporaryDirectory) throws -> [String] {
    try shell(
      """
      cd '\(tree.path)'
      find . -printf '%P %y %m %U %G %n %T@ %l\\n'
      find . -type f -exec sha256sum {} +
      find . -printf '%P %i\\n' | sort | awk '
        { node = $NF; sub(/ [0-9]+$/, "") }
        node in first { print $0, first[node], "linked"; next } { first[node] = $0 }'
      getfattr -Rhd -m - .
      """
    ).split(separator: "\n").map(String.init)
  }
}
