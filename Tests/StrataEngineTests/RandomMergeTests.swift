import Glibc
import NaiveModel
import StrataTestSupport
import Testing

@testable import StrataEngine

/// Random changes on both sides of a fork, merged. `STRATA_SEED` repeats a run alone, `STRATA_MERGES`
/// says how many there are.
@Suite struct RandomMergeTests {
  private static let merges = RandomOperations.environment("STRATA_MERGES") ?? 300

  private static func seeds() throws -> [UInt64] {
    let first = try TestSeed.first(1)
    return (0..<UInt64(TestSeed.isNumber ? 1 : merges)).map { first + $0 }
  }

  @Test func `merges without renames agree with a model that knows paths and contents only`() throws
  {
    for seed in try Self.seeds() {
      let run = try MergeRun(seed: seed, withNames: false)
      do { try run.compareWithPaths() } catch { throw Mismatch("\(run.story)\n\(error)") }
    }
  }

  @Test func `merges of anything leave a sound tree, whatever is chosen, and undo takes them back`()
    throws
  {
    for seed in try Self.seeds() {
      let run = try MergeRun(seed: seed, withNames: true)
      do { try run.checkChoices() } catch { throw Mismatch("\(run.story)\n\(error)") }
    }
  }

  @Test func `a merge without conflicts comes out the same from either side`() throws {
    for seed in try Self.seeds() {
      let run = try MergeRun(seed: seed, withNames: true)
      do { try run.checkSymmetry() } catch { throw Mismatch("\(run.story)\n\(error)") }
    }
  }

  @Test func `a side without changes takes the other as it is`() throws {
    for seed in try Self.seeds().prefix(60) {
      let run = try MergeRun(seed: seed, withNames: true, changesOurs: false)
      do { try run.checkWholeTaken() } catch { throw Mismatch("\(run.story)\n\(error)") }
    }
  }
}
