internal import StrataEngine
internal import StrataShell
internal import StrataStorage

private let dryRun = Option("n", "dry-run", "only show what would be done")
private let yes = Option("y", "yes", "do not ask; without a terminal, nothing is done else")
private let interactive = Option("i", "interactive", "ask about each change")
private let script = Option(nil, "script", "print a shell script that does the same")
private let undo = Option(nil, "undo", "take the last commit back from the host")
private let ours = Option(nil, "ours", "where the host has changed, too, take what the fork has")
private let theirs = Option(nil, "theirs", "where the host has changed, too, leave that alone")
private let oursAt = Option(
  nil, "ours-at", argument: "PATH", of: .path, "take the fork's for this one")
private let theirsAt = Option(
  nil, "theirs-at", argument: "PATH", of: .path, "leave the host's for this one")

extension Command {
  /// The command that brings a fork's changes to the host.
  static func commit(_ place: CommitPlace) -> Command {
    Command(
      "commit", .layers, .maintains, "apply the changes of this fork to its base on the host",
      usage: ["[-n] [-y] [-i] [--ours|--theirs] [PATH…]", "--script [PATH…]", "--undo [-n] [-y]"],
      options: [
        dryRun, yes, interactive, script, undo, ours, theirs, oursAt, theirsAt, .json,
      ],
      operands: [Operand("PATH", .path, repeated: true)],
      details: """
        Compares the base as the fork has seen it with the base as it is. What both sides have changed \
        to the same is no conflict: the fork is rebased first. A conflict stops everything before the \
        first change, unless it is settled by one of the options. All new files are \
        written beside the tree first; then names are moved, so that no file is ever there by half. \
        What is replaced is kept: other forks, undo and fork --at go on seeing it. \
        With a PATH comes what cannot be made apart from it: further names of the same file, what \
        changes places with it, the directories on the way. \
        --undo brings the host's tree back as it was before the last commit, unless somebody else \
        has changed it there; the fork then has its changes again, and conflicts that were settled \
        are there again.
        """,
      examples: ["commit -n"]
    ) { context in try CommitCall(context, place).run() }
  }
}

/// Where commits go.
struct CommitPlace {
  /// The host directory of the topmost base.
  var base: HeldPath
  /// What commits stage and keep.
  var commits: HeldPath
  /// Whether several bases are stacked.
  var isUnion: Bool
  /// Whether files get the owners that the fork shows.
  var keepsOwners = true
  /// Whether a mount of this workspace lies over a path of the base.
  var isCovered: @Sendable ([UInt8]) -> Bool = { _ in false }
  /// Whether something is mounted below a path of the base.
  var holdsMounts: @Sendable ([UInt8]) -> Bool = { _ in false }
  /// Of a session in memory: lives as long as it does.
  var memory: MemoryCommits?

  var commit: HostCommit { HostCommit(base: base, commits: commits, keepsOwners: keepsOwners) }
}

private struct CommitCall {
  let context: Context
  let place: CommitPlace

  init(_ context: Context, _ place: CommitPlace) { (self.context, self.place) = (context, place) }

  func run() throws -> Int32 {
    guard !place.isUnion else {
      throw FileError(
        .notSupported, saying: "there are several bases; a commit goes to a single one")
    }
    if !isOnlyShown { try context.workspace.checkWritable() }
    if context.arguments.has(undo) { return try takeBack() }
    let paths = context.operands.map(context.session.absolutePath)
    // The programs of a run go on in the tree that they began in.
    let isIdle = (try? context.fork.checkIdle()) != nil
    var plan = try context.workspace.planCommit(context.fork, paths, mayRebase: isIdle)
    let unexplained = paths.filter { path in
      !plan.conflicts.contains { $0.path.isBelow([path]) }
    }
    try context.checkPaths(unexplained, in: plan.value, plan.seen)
    if plan.needsRebase {
      return try plan.conflicts.isEmpty
        ? refuse(
          plan, "the host has moved what the fork has changed; nothing was done; rebase first",
          isCounted: false)
        : refuse(plan, "nothing was done; rebase settles it")
    }
    guard !plan.changes.isEmpty else {
      if plan.isRebased, !isOnlyShown { try rebase() }
      try tell(plan)
      return ExitStatus.success
    }
    let whole = plan
    try settle(&plan)
    guard plan.conflicts.isEmpty else {
      return try refuse(plan, "nothing was done; \(Self.waysOut(of: plan.conflicts))")
    }
    if context.arguments.has(script) {
      var script = try HostScript(plan, base: place.base, keepsOwners: place.keepsOwners) {
        try context.write($0)
      }
      try script.write()
      return ExitStatus.success
    }
    try checkUncovered(plan.changes)
    try tell(plan)
    if context.arguments.has(dryRun) { return ExitStatus.success }
    if context.arguments.has(interactive) { try choose(&plan) }
    try complete(&plan, from: whole)
    guard try context.arguments.has(yes) || context.arguments.has(interactive) || isWanted(plan)
    else {
      try say("nothing was done")
      return ExitStatus.failure
    }
    // What is dropped at the end is to be dropped, or all fails now.
    if !plan.left.isEmpty { try context.fork.checkIdle() }
    if !plan.changes.isEmpty {
      try context.session.ask(.commit)
      if plan.isRebased { plan = try rebased(plan, paths) }
      let result = try place.commit.run(
        plan, context.fork, Operation.commit)
      context.session.tell(.commit)
      for (path, error) in result.refused { try context.complain(path, error) }
      try say("committed \(counted(result.changes, "change"))")
    } else if !plan.left.isEmpty {
      try context.workspace.discard(context.fork, plan.left, "commit --theirs")
    }
    return context.status
  }

  private var isOnlyShown: Bool { context.arguments.has(script) || context.arguments.has(dryRun) }

  /// What both sides have changed to the same becomes the base's.
  private func rebase() throws {
    try context.workspace.rebase(context.fork, "rebase") { _ in nil }
  }

  /// Bases the fork on the bases as they are, as a plan takes it to be, and plans the same again.
  private func rebased(_ plan: CommitPlan, _ paths: [[UInt8]]) throws -> CommitPlan {
    try rebase()
    var new = try context.workspace.planCommit(context.fork, paths, mayRebase: false)
    try settle(&new)
    let wanted = Set(plan.changes.map(\.path))
    new.changes = new.changes.filter { wanted.contains($0.path) }
    guard !new.needsRebase, new.conflicts.isEmpty,
      new.changes.map(\.path) == plan.changes.map(\.path),
      new.changes.map(\.kind) == plan.changes.map(\.kind)
    else {
      throw FileError(
        .staleNFSFileHandle, saying: "the host has changed meanwhile; nothing was committed")
    }
    return new
  }

  /// `commit --undo`
  private func takeBack() throws -> Int32 {
    guard context.operands.isEmpty else { throw UsageError("--undo takes no paths") }
    let commit = place.commit
    guard let undoing = try commit.planUndo(context.workspace) else {
      throw FileError(.noSuchFileOrDirectory, saying: "there is no commit to take back")
    }
    guard undoing.plan.conflicts.isEmpty else {
      return try refuse(
        undoing.plan,
        "somebody else has changed what commit \(undoing.number) has written; nothing was done",
        isCounted: false)
    }
    try checkUncovered(undoing.plan.changes)
    try tell(undoing.plan)
    if context.arguments.has(dryRun) { return ExitStatus.success }
    guard try context.arguments.has(yes) || isWanted(undoing.plan) else {
      try say("nothing was done")
      return ExitStatus.failure
    }
    try context.session.ask(.commit)
    let (result, hasChanges) = try commit.undo(undoing, context.workspace)
    context.session.tell(.commit)
    for (path, error) in result.refused { try context.complain(path, error) }
    try say("took commit \(undoing.number) back")
    if !hasChanges {
      try say(
        "the fork could not have its changes again beside what it has done since: it shows them, and "
          + "loses them with the next commit or rebase; log tells of its former trees")
    }
    return context.status
  }

  /// What lies under a mount inside the base cannot be reached for writing.
  private func checkUncovered(_ changes: [Change]) throws {
    for change in changes {
      for path in [change.path, change.oldPath].compactMap({ $0 }) {
        if place.isCovered(path) {
          throw FileError(
            .resourceBusy, saying: "\(ShownName(path)): a fork is mounted there; umount it first")
        }
        if change.oldPath != nil, place.holdsMounts(path) {
          throw FileError(
            .resourceBusy, saying: "\(ShownName(path)): a fork is mounted in it; umount that first")
        }
      }
    }
  }

  // MARK: Telling

  /// The plan, as a person or a program is told of it.
  private func tell(_ plan: CommitPlan) throws {
    if context.isJSON { return try context.print(json(plan)) }
    for change in plan.shown { try context.print(change.statusLine(Style(context.output))) }
    if plan.shown.isEmpty, plan.left.isEmpty { try context.print("no changes") }
  }

  private func json(_ plan: CommitPlan) -> JSON {
    .members([
      "changes": .array(plan.shown.map(\.json)),
      "left": .array(plan.left.map { .bytes($0) }),
      "conflicts": .array(
        plan.conflicts.map {
          .members(["path": .bytes($0.path), "kind": .string($0.kind.rawValue)])
        }),
    ])
  }

  /// What a program has read from the plan and the status.
  private func say(_ line: String) throws {
    if !context.isJSON { try context.print(line) }
  }

  private func refuse(
    _ plan: CommitPlan, _ reason: String, isCounted: Bool = true
  ) throws -> Int32 {
    if context.isJSON {
      try context.print(json(plan))
    } else {
      try context.complain(plan.conflicts)
      let count = isCounted ? "\(counted(plan.conflicts.count, "conflict")), " : ""
      try context.complain(count + reason)
    }
    return ExitStatus.failure
  }

  private static func waysOut(of conflicts: [CommitConflict]) -> String {
    if conflicts.allSatisfy(\.canBeOverridden) { return "--ours or --theirs settles it" }
    return conflicts.allSatisfy(\.canBeKept)
      ? "--theirs, or rebase --ours, settles it" : "only --theirs settles all"
  }

  // MARK: Choosing

  /// Takes out of the plan what is left to the host, and the conflicts that are settled.
  private func settle(_ plan: inout CommitPlan) throws {
    let oursPaths = Set(context.arguments.all(oursAt).map(context.session.absolutePath))
    let theirsPaths = Set(context.arguments.all(theirsAt).map(context.session.absolutePath))
    guard !(context.arguments.has(ours) && context.arguments.has(theirs)) else {
      throw UsageError("--ours or --theirs, not both")
    }
    var (left, overridden): ([[UInt8]], [[UInt8]]) = ([], [])
    plan.conflicts.removeAll { conflict in
      if theirsPaths.contains(conflict.path)
        || (context.arguments.has(theirs) && !oursPaths.contains(conflict.path))
      {
        left.append(conflict.path)
        return true
      }
      guard conflict.canBeOverridden,
        oursPaths.contains(conflict.path) || context.arguments.has(ours)
      else { return false }
      overridden.append(conflict.path)
      return true
    }
    plan.override(overridden)
    plan.leave(left)
  }

  private func isWanted(_ plan: CommitPlan) throws -> Bool {
    guard context.output.isTerminal else {
      try context.complain("there is no terminal to ask at; -y does it")
      return false
    }
    return try answer(
      "apply \(counted(plan.shown.count, "change")) to \(ShownName(place.base.shown))?")
  }

  private func choose(_ plan: inout CommitPlan) throws {
    var wanted: [Change] = []
    for change in plan.shown {
      if try answer(change.statusLine(Style(context.output)) + "?") { wanted.append(change) }
    }
    plan.changes = wanted
  }

  /// What cannot be made without others that were not chosen is refused, but for those that nobody
  /// was asked about.
  private func complete(_ plan: inout CommitPlan, from whole: CommitPlan) throws {
    guard plan.changes.count < whole.changes.count else { return }
    let paths = Set(plan.changes.map(\.path))
    plan.changes = try whole.together { paths.contains($0.path) }
    if let other = plan.shown.first(where: { !paths.contains($0.path) }) {
      throw FileError(
        .invalidArgument,
        saying:
          "what was chosen cannot be committed without \(ShownName(other.path)); nothing was done")
    }
    // A directory that has come along unasked may be left to the host.
    plan.leave([])
  }

  private func answer(_ question: String) throws -> Bool {
    let line: [UInt8]
    do {
      line = try context.answer(to: "\(question) [y/N]")
    } catch is Interrupted {
      throw CommandFailure("interrupted; nothing was done", status: ExitStatus.interrupted)
    }
    return line.first == UInt8(ascii: "y") || line.first == UInt8(ascii: "Y")
  }
}
