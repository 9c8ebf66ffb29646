import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// A commit makes the host's tree what the fork shows, and nobody else sees a difference.
///
/// `STRATA_COMMITS` says how many random trees (40 unless set), `STRATA_SEED` where to begin.
@Suite struct CommitTests {
  @Test func `The host shows what the fork has shown, other forks what was before`() throws {
    let first = try TestSeed.first(70_000)
    var failures: [String] = []
    for seed in first..<first + UInt64(number("STRATA_COMMITS") ?? 40) {
      do {
        try CommitRun(seed: seed).run()
      } catch {
        failures.append("STRATA_SEED=\(seed): \(error)")
      }
    }
    guard failures.isEmpty else { throw CrashMismatch(failures.joined(separator: "\n")) }
  }

  /// Killed before each system call in turn, and started again.
  @Test func `A commit that was broken off is finished or has done nothing`() throws {
    // Of the seed's changes some rename directories, exchange names, and link.
    let seed = try TestSeed.first(46)
    var call = 1
    var (finished, undone) = (0, 0)
    while true {
      let run = try CommitRun(seed: seed)
      try run.change(40)
      if call == 1, !TestSeed.isGiven {
        let plan = try run.workspace.planCommit(run.workspace.main, [])
        run.show(plan)
        #expect(plan.changes.contains { $0.kind == .renamed && $0.fileKind == .directory })
        #expect(plan.changes.contains { $0.kind == .typeChanged })
        #expect(try plan.changes.contains { try run.hasLinks($0, plan) })
      }
      let (before, after) = (try run.hostDump(), try TreeDump(run.workspace.main).asOnHost)
      let other = try TreeDump(run.other)
      try run.close()
      let child = try CrashChild(
        committing: run.directory.path, ["AT": "\(call)", "WITH": "kill"])
      let isKilled = child.status == 128 + SIGKILL
      guard isKilled || child.status == 0 else {
        throw CrashMismatch(
          "STRATA_SEED=\(seed), before call \(call): exit \(child.status): \(child.output)")
      }
      do {
        try run.open()
        _ = try TreeDump(run.other)
        _ = try TreeDump(run.workspace.main)
      } catch {
        throw CrashMismatch(
          "STRATA_SEED=\(seed), killed before call \(call): \(error)\n\(child.output)")
      }
      let now = try run.hostDump()
      if now == after { finished += 1 } else { undone += 1 }
      guard now == after || now == before else {
        throw CrashMismatch(
          "STRATA_SEED=\(seed), killed before call \(call): \(now.difference(from: after) ?? ""), "
            + "\(now.difference(from: before) ?? "")")
      }
      if let difference = try TreeDump(run.workspace.main).asOnHost.difference(from: after) {
        throw CrashMismatch("STRATA_SEED=\(seed), killed before call \(call): main: \(difference)")
      }
      if let difference = try TreeDump(run.other).asOnHost.difference(from: other.asOnHost) {
        throw CrashMismatch("STRATA_SEED=\(seed), killed before call \(call): other: \(difference)")
      }
      let problems = try run.workspace.check().problems
      guard problems.isEmpty else {
        throw CrashMismatch("STRATA_SEED=\(seed), killed before call \(call): \(problems)")
      }
      guard isKilled else { break }
      call += 1
    }
    #expect(call > 50)
    #expect(finished > 10 && undone > 10)
  }
}

/// A workspace over a real directory with random changes in it.
final class CommitRun {
  let directory: TemporaryDirectory
  private(set) var workspace: Workspace
  private(set) var other: Fork
  private var generator: OperationGenerator
  private var path: [UInt8] { Array(directory.path.utf8) }

  init(seed: UInt64) throws {
    directory = try TemporaryDirectory("strata-commit")
    generator = OperationGenerator(seed: seed, paths: [])
    // The tree that is committed to is one that such operations have made.
    let scratch = try Workspace(bases: [CrashRun.base]) { 1_700_000_000_000_000_000 }
    var client = ClientUnderTest(scratch.main)
    for _ in 0..<60 {
      let operation = generator.next()
      generator.learn(operation, client.perform(operation))
    }
    client.open = [:]
    let plan = try scratch.planCommit(scratch.main, [])
    try Self.copy(scratch, plan, to: directory.path)
    (workspace, other) = try Self.open(Array(directory.path.utf8))
  }

  /// Puts a tree on the host by other means than a commit.
  private static func copy(_ workspace: Workspace, _ plan: CommitPlan, to path: String) throws {
    let host = HostTree()
    let client = Client(workspace.main, as: .superuser)
    var waiting: [[UInt8]] = [[]]
    var links: [NodeID: [UInt8]] = [:]
    while let place = waiting.popLast() {
      let target = Array(path.utf8) + place
      let shown = place.isEmpty ? [UInt8(ascii: "/")] : place
      let row = try client.attributes(shown, follow: false)
      let attributes = HostAttributes(
        mode: row.kind == .symlink ? nil : row.mode, modified: row.modified)
      if let twin = links[row.node], row.kind != .directory {
        try host.link(twin, as: target)
        continue
      }
      links[row.node] = target
      switch row.kind {
      case .directory:
        try host.makeDirectory(target, existing: .replace)
        for entry in try client.list(shown) where !entry.name.isDot && !entry.name.isDotDot {
          waiting.append(place + [UInt8(ascii: "/")] + entry.name.bytes)
        }
      case .regular:
        let output = try host.create(target, durable: false)
        try output.write(try client.open(shown, [.read]).read(Int(row.size), at: 0), at: 0)
        try output.extend(to: row.size)
        try output.setAttributes(attributes)
        try output.finish()
      case .symlink: try host.makeSymlink(target, target: try client.readLink(shown))
      default: try host.makeSpecial(target, row.kind, device: row.device)
      }
    }
  }

  private static func open(_ path: [UInt8]) throws -> (Workspace, Fork) {
    let strata = path + Array("/.strata".utf8)
    let kept = strata + Array("/kept".utf8)
    try HostTree().makeDirectory(strata, existing: .replace)
    try HostTree().makeDirectory(kept, existing: .replace)
    let store = try DurableStore(directory: strata)
    if try store.basePaths().isEmpty { try store.setBasePaths([path]) }
    let base = try HostDirectory(path: path, hiding: [WorkspaceDirectory.name])
    let workspace = try Workspace(bases: [base], store: store) { CommitRun.now }
    workspace.setKeptReader(try HostDirectory(path: kept))
    try HostCommit(base: HeldPath(path), commits: HeldPath(kept)).recover(workspace)
    let known = workspace.fork(named: "other")
    return (workspace, try known ?? workspace.fork(workspace.main, named: "other"))
  }

  private static var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(time.tv_sec) * 1_000_000_000 + Timestamp(time.tv_nsec)
  }

  func open() throws { (workspace, other) = try Self.open(path) }

  /// Lets another process have the workspace.
  func close() throws {
    try workspace.checkpoint()
    let empty = try Workspace(bases: [CrashRun.base]) { 0 }
    (workspace, other) = (empty, empty.main)
  }

  /// Random changes in `main`.
  func change(_ count: Int) throws {
    generator.refresh(
      try TreeDump(workspace.main).rows.keys.filter { $0.count < 100 && !$0.isEmpty }
        .sorted { $0.lexicographicallyPrecedes($1) })
    workspace.operation("random", on: workspace.main) {
      var client = ClientUnderTest(workspace.main)
      for _ in 0..<count {
        let operation = generator.next()
        generator.learn(operation, client.perform(operation))
      }
      client.open = [:]
    }
    try workspace.checkpoint()
  }

  /// The host's tree as somebody sees it who knows nothing of the workspace.
  func hostDump() throws -> TreeDump {
    let base = try HostDirectory(path: path, hiding: [WorkspaceDirectory.name])
    let workspace = try Workspace(bases: [base]) { 0 }
    return try withExtendedLifetime(workspace) { try TreeDump(workspace.main).asOnHost }
  }

  func run() throws {
    for round in 0..<3 {
      try change(30)
      var shown = try TreeDump(workspace.main)
      let otherShown = try TreeDump(other)
      if round == 1 {
        try commitSome(shown, otherShown)
        shown = try TreeDump(workspace.main)
      }
      guard try commit() else { continue }
      try compare(hostDump(), shown.asOnHost, "round \(round): the host")
      for isReopened in [false, true] {
        if isReopened {
          try close()
          try open()
        }
        let what = "round \(round)\(isReopened ? ", opened again" : "")"
        try compare(TreeDump(workspace.main).asOnHost, shown.asOnHost, "\(what): main")
        try compare(TreeDump(other), otherShown, "\(what): the other fork")
        try workspace.undo(workspace.main)
        try compare(TreeDump(workspace.main), shown, "\(what): after undo")
        try workspace.redo(workspace.main)
        let left = try workspace.diff(workspace.main.origin, workspace.main.value)
        guard left.isEmpty else { throw CrashMismatch("\(what): \(left) is left") }
      }
    }
    try change(30)
    try commitMeanwhile(TreeDump(other))
  }

  /// Whether a change is one of a file that has, or had, several names.
  func hasLinks(_ change: Change, _ plan: CommitPlan) throws -> Bool {
    guard change.fileKind != .directory else { return false }
    let before =
      plan.live.isKnown(change.node) ? try plan.live.attributes(of: change.node).links : 0
    return try before > 1 || plan.value.attributes(of: change.node).links > 1
  }

  /// For whoever looks for an error.
  func show(_ plan: CommitPlan) {
    guard number("STRATA_SHOW") != nil else { return }
    for change in plan.changes {
      print(
        change.kind, String(decoding: change.path, as: UTF8.self),
        String(decoding: change.oldPath ?? [], as: UTF8.self), change.node.rawValue,
        change.oldNode?.rawValue ?? 0)
    }
  }

  /// Commits a part of the changes: nobody sees a difference, and the rest can still be committed.
  private func commitSome(_ shown: TreeDump, _ otherShown: TreeDump) throws {
    let paths = try workspace.planCommit(workspace.main, []).changes.map(\.path)
      .filter { _ in generator.random.chance(30) }
    guard !paths.isEmpty else { return }
    let what = "a part, \(paths.map { String(decoding: $0, as: UTF8.self) })"
    do {
      guard try commit(paths) else { return }
    } catch {
      throw CrashMismatch("\(what): \(error)")
    }
    try compare(TreeDump(workspace.main).asOnHost, shown.asOnHost, "\(what): main")
    try compare(TreeDump(other), otherShown, "\(what): the other fork")
  }

  /// Commits while somebody goes on in the fork: what was done since the plan stays the fork's own.
  private func commitMeanwhile(_ otherShown: TreeDump) throws {
    let planned = try TreeDump(workspace.main)
    var shown = planned
    let isDone = try commit {
      try change(15)
      shown = try TreeDump(workspace.main)
    }
    guard isDone else { return }
    let what = "changes meanwhile"
    try compare(hostDump(), planned.asOnHost, "\(what): the host")
    try compare(TreeDump(workspace.main).asOnHost, shown.asOnHost, "\(what): main")
    try compare(TreeDump(other), otherShown, "\(what): the other fork")
  }

  private func commit(
    _ paths: [[UInt8]] = [], meanwhile: () throws -> Void = {}
  ) throws -> Bool {
    let plan = try workspace.planCommit(workspace.main, paths)
    show(plan)
    guard plan.conflicts.isEmpty else { throw CrashMismatch("conflicts: \(plan.conflicts)") }
    if plan.changes.isEmpty { return false }
    try meanwhile()
    let kept = path + Array("/.strata/kept".utf8)
    let result = try HostCommit(base: HeldPath(path), commits: HeldPath(kept)).run(
      plan, workspace.main, "commit")
    guard result.refused.isEmpty else { throw CrashMismatch("refused: \(result.refused)") }
    return true
  }

  private func compare(
    _ a: @autoclosure () throws -> TreeDump, _ b: TreeDump, _ what: String
  ) throws {
    do {
      guard let difference = try a().difference(from: b) else { return }
      throw CrashMismatch(difference)
    } catch {
      throw CrashMismatch("\(what): \(error)")
    }
  }
}
