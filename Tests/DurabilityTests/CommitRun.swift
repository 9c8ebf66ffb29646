import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport

/// A workspace over a real directory with random changes in it.
final class CommitRun {
  /// Where the workspace is.
  let directory: TemporaryDirectory
  /// Where its base is, if that is on another file system.
  private let otherDirectory: TemporaryDirectory?
  private(set) var workspace: Workspace
  private(set) var other: Fork
  private var generator: OperationGenerator
  private var base: [UInt8] { Array((otherDirectory ?? directory).path.utf8) }
  private var commit: HostCommit {
    get throws {
      HostCommit(
        base: HeldPath(base),
        commits: HeldPath(try Self.kept(Array(directory.path.utf8), base)))
    }
  }

  /// - Parameter isApart: whether the workspace is on another file system than its base.
  init(seed: UInt64, isApart: Bool = false) throws {
    directory = try TemporaryDirectory("strata-commit")
    otherDirectory = isApart ? try TemporaryDirectory("strata-commit", in: "/dev/shm") : nil
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
    let base = (otherDirectory ?? directory).path
    try Self.copy(scratch, plan, to: base)
    (workspace, other) = try Self.open(Array(directory.path.utf8), Array(base.utf8))
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

  private static func kept(_ path: [UInt8], _ base: [UInt8]) throws -> [UInt8] {
    try KeptPlace.find(
      workspace: HeldPath(path + Array("/.strata".utf8)), base: HeldPath(base)
    ).path
  }

  private static func open(_ path: [UInt8], _ base: [UInt8]) throws -> (Workspace, Fork) {
    let strata = path + Array("/.strata".utf8)
    try HostTree().makeDirectory(strata, existing: .replace)
    let kept = try kept(path, base)
    let store = try DurableStore(directory: strata)
    if try store.basePaths().isEmpty { try store.setBasePaths([base]) }
    let reader = try HostDirectory(path: base, hiding: .workspaces)
    let workspace = try Workspace(bases: [reader], store: store) { CommitRun.now }
    if try HostTree().status(kept) != nil {
      workspace.setKeptReader(try HostDirectory(path: kept))
    }
    try HostCommit(base: HeldPath(base), commits: HeldPath(kept)).recover(workspace)
    let known = workspace.fork(named: "other")
    return (workspace, try known ?? workspace.fork(workspace.main, named: "other"))
  }

  private static var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(time.tv_sec) * 1_000_000_000 + Timestamp(time.tv_nsec)
  }

  func open() throws { (workspace, other) = try Self.open(Array(directory.path.utf8), base) }

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
    let base = try HostDirectory(path: base, hiding: .workspaces)
    let workspace = try Workspace(bases: [base]) { 0 }
    return try withExtendedLifetime(workspace) { try TreeDump(workspace.main).asOnHost }
  }

  /// The directories that the run is in, for the shim.
  var places: String {
    [directory.path, otherDirectory?.path].compactMap { $0 }.joined(separator: ":")
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
    try commitMeanwhile()
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

  /// Commits while somebody goes on in the fork: what was done since the plan stays the fork's own,
  /// and can be committed next. Any of it can be taken back.
  private func commitMeanwhile() throws {
    let (before, otherShown) = (try hostDump(), try TreeDump(other))
    let planned = try TreeDump(workspace.main)
    var shown = planned
    let isDone = try commit {
      try change(15)
      shown = try TreeDump(workspace.main)
    }
    guard isDone else { return }
    func compare(_ what: String, host: TreeDump) throws {
      try self.compare(hostDump(), host.asOnHost, "\(what): the host")
      try self.compare(TreeDump(workspace.main).asOnHost, shown.asOnHost, "\(what): main")
      try self.compare(TreeDump(other), otherShown, "\(what): the other fork")
    }
    try compare("changes meanwhile", host: planned)
    if generator.random.chance(30) {
      try takeBack()
      return try compare("changes meanwhile, taken back", host: before)
    }
    let what = "what was done meanwhile"
    do {
      guard try commit() else { return }
      try compare(what, host: shown)
      try takeBack()
      try compare("\(what), taken back", host: planned)
    } catch {
      throw CrashMismatch("\(what): \(error)")
    }
  }

  /// Takes the last commit back.
  private func takeBack() throws {
    let commit = try commit
    guard let undoing = try commit.planUndo(workspace), undoing.plan.conflicts.isEmpty else {
      throw CrashMismatch("cannot be taken back")
    }
    guard try commit.undo(undoing, workspace).hasChanges else {
      throw CrashMismatch("taken back, but the changes are not the fork's again")
    }
  }

  /// - Returns: whether there was anything to commit.
  func commit(
    _ paths: [[UInt8]] = [], meanwhile: () throws -> Void = {}
  ) throws -> Bool {
    let plan = try workspace.planCommit(workspace.main, paths)
    show(plan)
    guard plan.conflicts.isEmpty else {
      let shown = plan.conflicts.map { "\(String(decoding: $0.path, as: UTF8.self)) \($0.kind)" }
      throw CrashMismatch("conflicts: \(shown)")
    }
    if plan.changes.isEmpty { return false }
    try meanwhile()
    let result = try commit.run(plan, workspace.main, "commit")
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
