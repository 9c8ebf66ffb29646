import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import SystemPackage
import Testing

/// The same random operations on the kernel's overlayfs and on the engine, over one lower tree.
///
/// `STRATA_OVERLAY_OPS` says how many (20,000 unless set), `STRATA_SEED` where to
/// begin. Needs root, to mount; what is mounted is seen by the test's own thread only.
@Suite struct OverlayOracle {
  static let operations = Int(environment("STRATA_OVERLAY_OPS") ?? 20_000)
  static let perRun = 2000
  /// Operations that are shown when something is wrong.
  static let traced = Int(environment("STRATA_TRACE") ?? 30)
  /// Why overlayfs cannot be mounted here; nil if it can.
  static let obstacle: String? = {
    do {
      let directory = try StrataTestSupport.TemporaryDirectory("strata-overlay")
      try onOwnThread {
        _ = try OverlayMount(
          on: directory.path, movesDirectories: true, fill: { _ in }, dress: { _ in })
      }
      return nil
    } catch {
      return "overlayfs cannot be mounted here (it takes root): \(error)"
    }
  }()

  @Test(.enabled(if: obstacle == nil, Comment(rawValue: obstacle ?? "")))
  func `Random operations agree with the kernel's overlayfs`() throws {
    let first = try TestSeed.first(1)
    var rest = Self.operations
    var seed = first
    var met: [String: Int] = [:]
    while rest > 0 {
      print("random operations against overlayfs: STRATA_SEED=\(seed)")
      let (runSeed, count) = (seed, min(rest, Self.perRun))
      let directory = try StrataTestSupport.TemporaryDirectory("strata-overlay")
      let found = try onOwnThread {
        let run = try OverlayRun(seed: runSeed, on: directory.path)
        try run.run(count)
        return run.deviations
      }
      met.merge(found, uniquingKeysWith: +)
      rest -= count
      seed += 1
    }
    print("known deviations of overlayfs, and how often they were met:")
    for deviation in OverlayDeviation.refusals + OverlayDeviation.errors {
      print("  \(met[deviation.name, default: 0]) × \(deviation.name): \(deviation.reason)")
    }
    for (name, reason) in OverlayDeviation.uncompared { print("  \(name): \(reason)") }
  }

  static func environment(_ name: String) -> UInt64? {
    getenv(name).flatMap { UInt64(String(cString: $0)) }
  }
}

/// What is wrong, and with which operation.
struct Disagreement: Error, CustomStringConvertible {
  let description: String
}

/// One lower tree with both on top.
final class OverlayRun {
  private let seed: UInt64
  private var generator: OperationGenerator
  private var kernel = KernelUnderTest()
  private var engine: ClientUnderTest
  private let workspace: Workspace
  private let mount: OverlayMount
  private var trace: [String] = []
  private var count = 0
  /// How often each known deviation was met.
  private(set) var deviations: [String: Int] = [:]

  init(seed: UInt64, on directory: String) throws {
    self.seed = seed
    var random = SeededGenerator(seed: seed)
    var paths: Set<[UInt8]> = []
    let table = TableBase("lower")
    table.fill(&random, isBottom: true, paths: &paths)
    mount = try OverlayMount(
      on: directory, movesDirectories: seed % 4 != 3, fill: table.materialize(in:),
      dress: table.dressRoot(_:))
    let base = try HostDirectory(path: Array(mount.lower.utf8))
    workspace = try Workspace(bases: [base]) { Self.now }
    engine = ClientUnderTest(workspace.main)
    generator = OperationGenerator(
      seed: random.next(), paths: paths.sorted { $0.lexicographicallyPrecedes($1) })
  }

  private static var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(time.tv_sec) * 1_000_000_000 + Timestamp(time.tv_nsec)
  }

  func run(_ operations: Int) throws {
    do {
      try compareTrees()
      while count < operations {
        try step()
        if count % 200 == 0 { try compareTrees() }
      }
      try compareTrees()
    } catch {
      throw Disagreement(
        description: "STRATA_SEED=\(seed), operation \(count): \(error)\n"
          + "the last operations, newest first:\n  "
          + trace.suffix(OverlayOracle.traced).reversed().joined(separator: "\n  "))
    }
  }

  private func step() throws {
    count += 1
    let operation = generator.next()
    let real = try mount.inside { kernel.perform(operation) }
    trace.append("\(operation): \(real)")
    if trace.count > 400 { trace.removeFirst(200) }
    if meet(OverlayDeviation.refusals, operation, real) { return }
    let ours = engine.perform(operation)
    generator.learn(operation, real)
    if case .failed = real, case .failed = ours, ours != real,
      meet(OverlayDeviation.errors, operation, real)
    {
      return
    }
    guard Self.agree(ours, real) else {
      throw Disagreement(description: "\(operation): is \(ours), the kernel's is \(real)")
    }
  }

  /// Whether the kernel's outcome shows one of the deviations, which is counted.
  private func meet(
    _ known: [OverlayDeviation], _ operation: FileOperation, _ real: FileOutcome
  ) -> Bool {
    guard let found = known.first(where: { $0.applies(operation, real) }) else { return false }
    deviations[found.name, default: 0] += 1
    return true
  }

  /// Compares status, listing, content, link targets and extended attributes of everything.
  private func compareTrees() throws {
    var rest: [[UInt8]] = [[]]
    var paths: [[UInt8]] = []
    while let path = rest.popLast() {
      let place = path.isEmpty ? [0x2F] : path
      guard case .status(let status) = try compare(.status(place, follow: false)) else {
        throw Disagreement(description: "\(String(decoding: place, as: UTF8.self)) has no status")
      }
      _ = try compare(.attributesList(place, follow: false))
      switch status.kind {
      case .directory:
        guard case .names(let names) = try compare(.list(place)) else { continue }
        for name in names.keys { rest.append(path + [0x2F] + name.bytes) }
      case .regular: _ = try compare(.read(place, count: Int(status.size ?? 0) + 10, at: 0))
      case .symlink: _ = try compare(.readLink(place))
      default: break
      }
      if !path.isEmpty, path.count < 200 { paths.append(path) }
    }
    generator.refresh(paths.sorted { $0.lexicographicallyPrecedes($1) })
  }

  private func compare(_ operation: FileOperation) throws -> FileOutcome {
    let real = try mount.inside { kernel.perform(operation) }
    let ours = engine.perform(operation)
    guard Self.agree(ours, real) else {
      throw Disagreement(description: "\(operation): is \(ours), the kernel's is \(real)")
    }
    return real
  }

  private static func agree(_ ours: FileOutcome, _ real: FileOutcome) -> Bool {
    guard case .status(var left) = ours, case .status(var right) = real else { return ours == real }
    if left.kind == .directory, right.kind == .directory {
      // Overlayfs counts no subdirectories: st_nlink of a merged directory is 1.
      (left.links, right.links) = (nil, nil)
    }
    guard agree(left.times, right.times) else { return false }
    (left.times, right.times) = (nil, nil)
    return left == right
  }

  /// Times that were set are the same; others are each one's own now.
  private static func agree(_ ours: [Timestamp]?, _ real: [Timestamp]?) -> Bool {
    let began: Timestamp = 1_500_000_000_000_000_000
    guard let ours, let real else { return ours == real }
    return zip(ours, real).prefix(2).allSatisfy { left, right in
      left == right || (left > began && right > began)
    }
  }
}
