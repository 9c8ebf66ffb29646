internal import StrataEngine

private let dryRun = Option("n", "dry-run", "only show what would be done")
private let markers = Option(
  "m", "markers", "write lines in conflict into the file, between markers")
private let ours = Option(nil, "ours", "settle every conflict for this fork")
private let theirs = Option(nil, "theirs", "settle every conflict for the other fork")
private let oursAt = Option(
  nil, "ours-at", argument: "PATH", of: .path, "settle what is at and below PATH for this fork")
private let theirsAt = Option(
  nil, "theirs-at", argument: "PATH", of: .path,
  "settle what is at and below PATH for the other fork")

extension Command {
  static let merge = Command(
    "merge", .layers, .manages, "bring what another fork has changed into this one",
    usage: ["[-n] [-m] [--ours|--theirs] [--ours-at PATH]… [--theirs-at PATH]… FORK"],
    options: [dryRun, markers, ours, theirs, oursAt, theirsAt, .json],
    operands: [Operand("FORK", .fork)],
    details: "Compares both with the newest state that they have in common: by name, by attribute, "
      + "and inside files by lines or, where they are no text, by blocks. What both have changed, "
      + "each in another way, is a conflict. One that neither an option nor a plugin settles is "
      + "listed, and then nothing is changed. The merge is one operation: undo takes it back. A "
      + "further merge of the same fork begins where this one has ended.",
    examples: ["fork try", "write /new text", "switch main", "merge -n try", "merge try"]
  ) { context in try MergeCall(context).run() }
}

private struct MergeCall {
  let context: Context
  let fork: Fork

  init(_ context: Context) throws {
    guard context.operands.count == 1 else { throw UsageError("the name of one FORK is needed") }
    guard !(context.arguments.has(ours) && context.arguments.has(theirs)) else {
      throw UsageError("--ours or --theirs, not both")
    }
    self.context = context
    fork = try context.fork(named: context.operands[0])
    guard fork !== context.fork else { throw CommandFailure("\(fork.name) is this fork") }
  }

  func run() throws -> Int32 {
    let plan = try context.workspace.planMerge(
      fork, into: context.fork, settling, by: context.session.caller)
    if context.isJSON {
      try context.print(try json(plan))
    } else {
      try write(plan)
    }
    guard plan.conflicts.isEmpty else { return try refuse(plan) }
    if context.arguments.has(dryRun) { return ExitStatus.success }
    try context.workspace.merge(
      plan, into: context.fork, line, by: context.session.caller)
    return ExitStatus.success
  }

  private var settling: MergeSettling {
    var settling = MergeSettling()
    if context.arguments.has(ours) { settling.all = .ours }
    if context.arguments.has(theirs) { settling.all = .theirs }
    settling.ours = context.arguments.all(oursAt).map(context.session.absolutePath)
    settling.theirs = context.arguments.all(theirsAt).map(context.session.absolutePath)
    settling.writesMarkers = context.arguments.has(markers)
    return settling
  }

  /// What the log says.
  private var line: String {
    var words = ["merge"]
    for option in [markers, ours, theirs] where context.arguments.has(option) {
      words.append("--\(option.long ?? "")")
    }
    for option in [oursAt, theirsAt] {
      for path in context.arguments.all(option) { words += ["--\(option.long ?? "")", path.shown] }
    }
    return (words + [fork.name]).joined(separator: " ")
  }

  private func write(_ plan: MergePlan) throws {
    let style = Style(context.output)
    let changes = try context.workspace.diff(plan.ours, plan.result)
    let ways = Dictionary(
      plan.merged.map { ($0.node, $0.way) }, uniquingKeysWith: { _, new in new })
    if plan.conflicts.isEmpty || context.arguments.has(dryRun) {
      for change in changes {
        let way = ways[change.node].map { style.dim("  \($0.spoken)") } ?? ""
        try context.print(change.statusLine(style) + way)
      }
      for (conflict, choice) in plan.settled {
        try context.print("settled: \(conflict.text): \(choice.word)")
      }
    }
    guard plan.conflicts.isEmpty else { return }
    let verb = context.arguments.has(dryRun) ? "would merge" : "merged"
    try context.print(
      changes.isEmpty
        ? "nothing to take from \(fork.name)"
        : "\(verb) \(counted(changes.count, "change")) of \(fork.name)")
  }

  private func refuse(_ plan: MergePlan) throws -> Int32 {
    if !context.isJSON {
      for conflict in plan.conflicts { try context.complain(conflict.text) }
      try context.complain(
        "\(counted(plan.conflicts.count, "conflict")), nothing was changed; --ours, --theirs or a "
          + "plugin can settle what differs")
    }
    return ExitStatus.failure
  }

  private func json(_ plan: MergePlan) throws -> JSON {
    .members([
      "fork": .string(plan.fork),
      "changes": .array(try context.workspace.diff(plan.ours, plan.result).map(\.json)),
      "merged": .array(
        plan.merged.map { .members(["path": .bytes($0.path), "by": .string($0.way.rawValue)]) }),
      "settled": .array(
        plan.settled.map {
          .object($0.conflict.members + [.init("choice", .string($0.choice.word))])
        }
      ),
      "conflicts": .array(plan.conflicts.map { .object($0.members) }),
    ])
  }
}

extension MergeConflict {
  /// `/etc/hosts: both changed (content, mode)`.
  fileprivate var text: String {
    let place = "\(ShownName(path))" + (theirPath.map { " (\(ShownName($0)) there)" } ?? "")
    let list = fields.isEmpty ? "" : " (\(fields.joined(separator: ", ")))"
    return "\(place): \(kind.rawValue)\(list)"
  }

  fileprivate var members: [JSON.Member] {
    var members = [JSON.Member("path", .bytes(path)), JSON.Member("kind", .string(kind.rawValue))]
    if let theirPath { members.append(JSON.Member("their_path", .bytes(theirPath))) }
    if !fields.isEmpty { members.append(JSON.Member("fields", .array(fields.map(JSON.string)))) }
    return members
  }
}

extension MergedFile.Way {
  fileprivate var spoken: String {
    switch self {
    case .blocks: "merged by blocks"
    case .lines: "merged by lines"
    case .markers: "with conflict markers"
    case .given: "merged by a plugin"
    }
  }
}
