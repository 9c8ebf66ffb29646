import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// A process that works on a workspace dies, at whatever point: what it had said was durable is
/// there, and nothing is there by half.
///
/// `STRATA_KILLS` says how often (300 unless set), `STRATA_SEED` where to begin.
@Suite struct CrashTests {
  @Test func `A killed process loses nothing that was acknowledged`() throws {
    let first = try TestSeed.first(1)
    var random = SeededGenerator(seed: first)
    let kills = number("STRATA_KILLS") ?? 300
    var done = 0
    while done < kills {
      let seed = random.next() >> 16
      let directory = try TemporaryDirectory("strata-crash")
      let model = try CrashModel(seed: seed)
      var acknowledged: UInt64 = 0
      for _ in 0..<min(15, kills - done) {
        let at = 1 + random.below(random.chance(20) ? 40 : 300)
        let child = try CrashChild(
          directory.path, seed: seed, steps: 30, ["AT": "\(at)", "WITH": "kill"])
        acknowledged = max(acknowledged, child.acknowledged ?? 0)
        do {
          try model.compare(directory.path, acknowledged: acknowledged)
        } catch {
          throw CrashMismatch(
            "STRATA_SEED=\(first), seed \(seed), killed before call \(at): \(error)\n"
              + child.output)
        }
        done += 1
      }
    }
  }

  /// Each call of a short life fails once with each error: the process says so and goes on, and what
  /// it says is durable is.
  @Test(arguments: ["ENOSPC", "EIO", "EROFS", "EMFILE", "short"])
  func `A failing call loses nothing`(_ fault: String) throws {
    let code = ["ENOSPC": ENOSPC, "EIO": EIO, "EROFS": EROFS, "EMFILE": EMFILE][fault]
    let seed: UInt64 = 77
    let counted = try TemporaryDirectory("strata-count")
    let counter = try TemporaryDirectory("strata-counter")
    _ = try CrashChild(
      counted.path, seed: seed, steps: 6, ["COUNT": counter.appending("calls")])
    let calls = try #require(
      Int(
        String(
          decoding: try ChildProcess(["cat", counter.appending("calls")]).output, as: UTF8.self
        )
        .prefix { $0.isNumber }))
    #expect(calls > 50)
    for at in 1...calls {
      let directory = try TemporaryDirectory("strata-fault")
      let child = try CrashChild(
        directory.path, seed: seed, steps: 6,
        ["AT": "\(at)", "WITH": code.map { "\($0)" } ?? fault])
      // The next life needs no fault to go on.
      let after = try CrashChild(directory.path, seed: seed, steps: 1)
      do {
        guard after.status == 0, after.output.contains("\nend ") else {
          throw CrashMismatch("the workspace does not open again")
        }
        try CrashModel(seed: seed).compare(
          directory.path, acknowledged: max(child.acknowledged ?? 0, after.acknowledged ?? 0))
      } catch {
        throw CrashMismatch(
          "\(fault) at call \(at) of \(calls): \(error)\n\(child.output)\(after.output)")
      }
    }
  }
}
