import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// A machine loses power: what was written and not synced may be gone, all of it or some.
///
/// The calls of one life are recorded; for many points in it, the files are made as a disk may have
/// them then, and the workspace is opened.
@Suite struct PowerLossTests {
  @Test func `What was not synced may be lost, what was acknowledged not`() throws {
    let seed = try TestSeed.first(1)
    var random = SeededGenerator(seed: seed)
    let directory = try TemporaryDirectory("strata-power")
    let logs = try TemporaryDirectory("strata-log")
    // A first life makes the store; then names of files that are there need no care.
    _ = try CrashChild(directory.path, seed: seed, steps: 3)
    let start = try DiskImage(of: directory.path)
    let child = try CrashChild(
      directory.path, seed: seed, steps: 40, ["LOG": logs.appending("calls")])
    #expect(child.output.contains("end 43"))
    let calls = try RecordedCall.all(in: logs.appending("calls"), under: directory.path)
    #expect(calls.count > 100)
    var acknowledged: [UInt64] = []
    for point in 0..<(number("STRATA_POINTS") ?? 120) {
      let end = random.below(calls.count + 1)
      var image = start
      for call in calls[..<end] { image.apply(call) }
      image.losePower(keeping: point % 3 == 0 ? 0 : 50, &random)
      let lost = try TemporaryDirectory("strata-lost")
      try image.write(to: lost.path)
      let model = try CrashModel(seed: seed)
      do {
        try model.compare(lost.path, acknowledged: 3)
        acknowledged.append(model.steps)
      } catch {
        throw CrashMismatch("STRATA_SEED=\(seed), after \(end) of \(calls.count) calls: \(error)")
      }
    }
    // The points must lie in different steps, or nothing was tested.
    #expect(Set(acknowledged).count > 10)
  }

  @Test func `All that was acknowledged was synced`() throws {
    let seed: UInt64 = 4242
    let directory = try TemporaryDirectory("strata-power")
    let logs = try TemporaryDirectory("strata-log")
    _ = try CrashChild(directory.path, seed: seed, steps: 2)
    for life in 0..<10 {
      var image = try DiskImage(of: directory.path)
      let log = logs.appending("calls-\(life)")
      // Killed after its last step was acknowledged and before anything is closed.
      let child = try CrashChild(directory.path, seed: seed, steps: 4, ["LOG": log])
      for call in try RecordedCall.all(in: log, under: directory.path) { image.apply(call) }
      var random = SeededGenerator(seed: UInt64(life))
      image.losePower(keeping: 0, &random)
      let lost = try TemporaryDirectory("strata-lost")
      try image.write(to: lost.path)
      try CrashModel(seed: seed).compare(
        lost.path, acknowledged: try #require(child.acknowledged))
    }
  }
}
