import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import Synchronization
import Testing

/// A commit makes the host's tree what the fork shows, and nobody else sees a difference.
///
/// `STRATA_COMMITS` says how many random trees (40 unless set), `STRATA_SEED` where to begin.
@Suite struct CommitTests {
  @Test func `The host shows what the fork has shown, other forks what was before`() throws {
    let first = try TestSeed.first(70_000)
    var failures: [String] = []
    var seeds = Array(first..<first + UInt64(number("STRATA_COMMITS") ?? 40))
    // Changes meanwhile that meet exchanged directories, and files that have lost their last name.
    if !TestSeed.isGiven { seeds += [70_059, 90_019] }
    for seed in seeds {
      do {
        try CommitRun(seed: seed).run()
      } catch {
        failures.append("STRATA_SEED=\(seed): \(error)")
      }
    }
    guard failures.isEmpty else { throw CrashMismatch(failures.joined(separator: "\n")) }
  }

  @Test func `Who looks while names are moved sees what was before`() async throws {
    let first = try TestSeed.first(71_000)
    for seed in first..<first + 10 {
      let run = try CommitRun(seed: seed)
      try run.change(80)
      let (other, shown) = (run.other, try TreeDump(run.other))
      let isDone = Flag()
      let looking = Task.detached { try Self.look(at: other, until: isDone, is: shown) }
      let main = try TreeDump(run.workspace.main).asOnHost
      _ = try run.commit()
      isDone.isSet.store(true, ordering: .relaxed)
      do {
        #expect(try await looking.value > 0)
        #expect(try TreeDump(run.workspace.main).asOnHost == main)
      } catch {
        throw CrashMismatch("STRATA_SEED=\(seed): \(error)")
      }
    }
  }

  private final class Flag: Sendable {
    let isSet = Atomic<Bool>(false)
  }

  /// - Returns: how often it looked.
  private static func look(at fork: Fork, until isDone: Flag, is shown: TreeDump) throws -> Int {
    var count = 0
    repeat {
      fork.workspace.startEpoch()
      if let difference = try TreeDump(fork).difference(from: shown) {
        throw CrashMismatch(difference)
      }
      count += 1
    } while !isDone.isSet.load(ordering: .relaxed)
    return count
  }

  enum Setting: CaseIterable {
    case usual
    /// The workspace is on another file system than its base.
    case apart
    /// Somebody goes on in the fork, behind the plan.
    case meanwhile
  }

  /// Killed before each system call in turn, and started again.
  @Test(arguments: Setting.allCases)
  func `A commit that was broken off is finished or has done nothing`(
    _ setting: Setting
  ) throws {
    // Of the seed's changes some rename directories, exchange names, and link.
    let seed = try TestSeed.first(46)
    var call = 1
    var (finished, undone) = (0, 0)
    while true {
      let run = try CommitRun(seed: seed, isApart: setting == .apart)
      try run.change(setting == .usual ? 40 : 12)
      if call == 1, setting == .usual, !TestSeed.isGiven {
        let plan = try run.workspace.planCommit(run.workspace.main, [])
        run.show(plan)
        #expect(plan.changes.contains { $0.kind == .renamed && $0.fileKind == .directory })
        #expect(plan.changes.contains { $0.kind == .typeChanged })
        #expect(try plan.changes.contains { try run.hasLinks($0, plan) })
      }
      let (before, after) = (try run.hostDump(), try TreeDump(run.workspace.main).asOnHost)
      let other = try TreeDump(run.other)
      try run.close()
      let faults = ["AT": "\(call)", "WITH": "kill", "UNDER": run.places]
      let child =
        try setting == .meanwhile
        ? CrashChild(committing: run.directory.path, meanwhile: seed, faults)
        : CrashChild(committing: run.directory.path, faults)
      let isKilled = child.status == 128 + SIGKILL
      let what = "STRATA_SEED=\(seed), \(setting), killed before call \(call)"
      guard isKilled || child.status == 0 else {
        throw CrashMismatch("\(what): exit \(child.status): \(child.output)")
      }
      do {
        try run.open()
        _ = try TreeDump(run.other)
        _ = try TreeDump(run.workspace.main)
      } catch {
        throw CrashMismatch("\(what): \(error)\n\(child.output)")
      }
      let now = try run.hostDump()
      if now == after { finished += 1 } else { undone += 1 }
      guard now == after || now == before else {
        throw CrashMismatch(
          "\(what): \(now.difference(from: after) ?? ""), \(now.difference(from: before) ?? "")")
      }
      let main = try TreeDump(run.workspace.main).asOnHost
      if let shown = child.shown {
        guard main.digest == shown else {
          throw CrashMismatch("\(what): main: \(main.difference(from: after) ?? "as planned")")
        }
      } else if setting != .meanwhile, let difference = main.difference(from: after) {
        throw CrashMismatch("\(what): main: \(difference)")
      }
      if let difference = try TreeDump(run.other).asOnHost.difference(from: other.asOnHost) {
        throw CrashMismatch("\(what): other: \(difference)")
      }
      let problems = try run.workspace.check().problems
      guard problems.isEmpty else { throw CrashMismatch("\(what): \(problems)") }
      guard isKilled else { break }
      call += 1
    }
    #expect(call > 50)
    #expect(finished > 10 && undone > 10)
  }

  /// Killed before each system call in turn, and started again.
  @Test func `A commit that was being taken back is, and its changes are the fork's, or is not`()
    throws
  {
    let seed = try TestSeed.first(46)
    var call = 1
    var (takenBack, left) = (0, 0)
    while true {
      let run = try CommitRun(seed: seed)
      try run.change(12)
      let before = try run.hostDump()
      #expect(try run.commit())
      let (after, shown) = (try run.hostDump(), try TreeDump(run.workspace.main).asOnHost)
      try run.close()
      let child = try CrashChild(
        committing: run.directory.path, options: ["--undo"],
        ["AT": "\(call)", "WITH": "kill", "UNDER": run.places])
      let isKilled = child.status == 128 + SIGKILL
      let what = "STRATA_SEED=\(seed), killed before call \(call)"
      guard isKilled || child.status == 0 else {
        throw CrashMismatch("\(what): exit \(child.status): \(child.output)")
      }
      try run.open()
      let now = try run.hostDump()
      if now == before { takenBack += 1 } else { left += 1 }
      guard now == before || now == after else {
        throw CrashMismatch(
          "\(what): \(now.difference(from: before) ?? ""), \(now.difference(from: after) ?? "")")
      }
      let main = try TreeDump(run.workspace.main).asOnHost
      if let difference = main.difference(from: shown) {
        throw CrashMismatch("\(what): main: \(difference)")
      }
      let plan = try run.workspace.planCommit(run.workspace.main, [])
      guard plan.conflicts.isEmpty, plan.changes.isEmpty == (now == after) else {
        throw CrashMismatch("\(what): \(plan.changes.count) changes, \(plan.conflicts)")
      }
      let problems = try run.workspace.check().problems
      guard problems.isEmpty else { throw CrashMismatch("\(what): \(problems)") }
      guard isKilled else { break }
      call += 1
    }
    #expect(takenBack > 10 && left > 10)
  }
}
