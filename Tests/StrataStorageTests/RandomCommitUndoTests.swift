import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// Random changes, committed and taken back: the host's tree is what it was, and so are the fork's
/// changes. `STRATA_UNDOS` says how many trees (30 unless set), `STRATA_SEED` where to begin.
@Suite struct RandomCommitUndoTests {
  @Test func `a commit of anything can be taken back`() throws {
    func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
    let first = try TestSeed.first(80_000)
    let count = UInt64(number("STRATA_UNDOS") ?? 30)
    var undone: UInt64 = 0
    var failures: [String] = []
    for seed in first..<first + count {
      do {
        undone += try run(seed)
      } catch {
        failures.append("STRATA_SEED=\(seed): \(error)")
      }
    }
    guard failures.isEmpty else {
      throw CommitBench.Problem(description: failures.joined(separator: "\n"))
    }
    // Else nothing was tested.
    #expect(undone >= count)
  }

  private func step<R>(_ what: String, _ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch {
      throw CommitBench.Problem(description: "\(what): \(error)")
    }
  }

  /// - Returns: how many commits were taken back.
  private func run(_ seed: UInt64) throws -> UInt64 {
    let bench = try CommitBench("true")
    let random = RandomChanges(bench, seed: seed)
    random.make(60)
    try bench.commitAll()
    var undone: UInt64 = 0
    for round in 0..<3 {
      random.make(25)
      let changes = try step("\(round): changes") { try bench.changes() }
      guard !changes.isEmpty else { continue }
      let before = try bench.look()
      _ = try step("\(round): commit of \(changes)") { try bench.commitAll() }
      let planned = try step("\(round): plan of \(changes)") {
        try bench.commit.planUndo(bench.workspace)
      }
      guard let undoing = planned, undoing.plan.conflicts.isEmpty else {
        let conflicts = CommitBench.shown(planned?.plan.conflicts ?? [])
        throw CommitBench.Problem(description: "\(round): cannot take back: \(conflicts)")
      }
      let done = try step("\(round): undo of \(changes)") {
        try bench.commit.undo(undoing, bench.workspace)
      }
      let after = try bench.look()
      guard after == before, done.hasChanges else {
        let lines = Set(before.split(separator: "\n"))
          .symmetricDifference(after.split(separator: "\n"))
        throw CommitBench.Problem(description: "\(round): \(lines.sorted()) for \(changes)")
      }
      let now = try step("\(round): changes again") { try bench.changes() }
      guard now == changes else {
        throw CommitBench.Problem(description: "\(round): \(now) for \(changes)")
      }
      undone += 1
    }
    return undone
  }

  /// The fork goes on between the commit and taking it back: what it shows stays, and all of it is its
  /// own again.
  @Test func `what came behind a commit that is taken back stays`() throws {
    let first = try TestSeed.first(85_000)
    var (kept, failures): (Int, [String]) = (0, [])
    for seed in first..<first + 30 {
      do {
        if try goOn(seed) { kept += 1 }
      } catch {
        failures.append("STRATA_SEED=\(seed): \(error)")
      }
    }
    guard failures.isEmpty else {
      throw CommitBench.Problem(description: failures.joined(separator: "\n"))
    }
    #expect(kept > 20)
  }

  private func goOn(_ seed: UInt64) throws -> Bool {
    let bench = try CommitBench("true")
    let random = RandomChanges(bench, seed: seed)
    random.make(60)
    try bench.commitAll()
    random.make(25)
    guard try !bench.changes().isEmpty else { return false }
    let before = try bench.look()
    try bench.commitAll()
    random.make(12)
    let shown = try TreeDump(bench.main).asOnHost
    guard let undoing = try bench.commit.planUndo(bench.workspace) else { return false }
    let done = try bench.commit.undo(undoing, bench.workspace)
    guard try bench.look() == before else {
      throw CommitBench.Problem(description: "the host is not as it was")
    }
    if let difference = try TreeDump(bench.main).asOnHost.difference(from: shown) {
      throw CommitBench.Problem(description: "the fork (\(done.hasChanges)): \(difference)")
    }
    guard done.hasChanges else { return false }
    guard try bench.plannedConflicts().isEmpty else {
      throw CommitBench.Problem(description: "conflicts: \(try bench.plannedConflicts())")
    }
    try bench.commitAll()
    if let difference = try TreeDump(bench.main).asOnHost.difference(from: shown) {
      throw CommitBench.Problem(description: "committed again: \(difference)")
    }
    guard try bench.changes().isEmpty else {
      throw CommitBench.Problem(description: "left: \(try bench.changes())")
    }
    return true
  }
}
