internal import StrataEngine

private let dryRun = Option("n", "dry-run", "only show what would be done")
private let markers = Option("m", "markers", "merge texts that differ with conflict markers")
private let ours = Option(nil, "ours", "settle every conflict for this fork")
private let theirs = Option(nil, "theirs", "settle every conflict for the other fork")
private let oursAt = Option(nil, "ours-at", argument: "PATH", of: .path, "settle this one so")
private let theirsAt = Option(nil, "theirs-at", argument: "PATH", of: .path, "settle this one so")

extension Command {
  static let merge = Command(
    "merge", .layers, .manages, "bring what another fork has changed into this one",
    usage: ["[-n] [-m] [--ours|--theirs] [--ours-at PATH]… [--theirs-at PATH]… FORK"],
    options: [dryRun, markers, ours, theirs, oursAt, theirsAt, .json],
    operands: [Operand("FORK", .fork)],
    details: "Compares both with what they have in common: by name, by attribute, and in files by "
      + "lines or, where they are no text, by blocks. A conflict that no option and no plugin "
      + "settles is listed, and then nothing is changed. It is one operation.",
    examples: ["fork try -s", "merge try", "drop -f try"]
  ) { context in
    guard context.operands.count == 1 else { throw UsageError("the name of one FORK is needed") }
    guard !(context.arguments.has(ours) && context.arguments.has(theirs)) else {
      throw UsageError("--ours or --theirs, not both")
    }
    let name = context.operands[0].text
    guard let other = context.workspace.fork(named: name) else {
      throw CommandFailure(
        "no fork \(ShownName(context.operands[0]))"
          + didYouMean(name, among: context.workspace.forks.map(\.name)))
    }
    guard other !== context.fork else { throw CommandFailure("\(name) is this fork") }
    let oursPaths = Set(context.arguments.all(oursAt).map(context.session.absolutePath))
    let theirsPaths = Set(context.arguments.all(theirsAt).map(context.session.absolutePath))
    try context.session.ask(.merge)
    let result = try context.workspace.merge(
      other, into: context.fork, "merge \(name)", dryRun: context.arguments.has(dryRun),
      markers: context.arguments.has(markers)
    ) { conflict, sides throws(FileError) in
      if oursPaths.contains(conflict.path) { return .ours }
      if theirsPaths.contains(conflict.path) { return .theirs }
      if context.arguments.has(ours) { return .ours }
      if context.arguments.has(theirs) { return .theirs }
      return try context.session.ask(about: conflict, sides)
    }
    if context.isJSON {
      try context.print(
        JSON.members([
          "taken": .array(result.taken.map(JSON.bytes)),
          "conflicts": .array(
            result.conflicts.map {
              .members(["path": .bytes($0.path), "kind": .string($0.kind.rawValue)])
            }),
        ]))
      return result.conflicts.isEmpty ? ExitStatus.success : ExitStatus.failure
    }
    for conflict in result.conflicts {
      try context.complain("\(ShownName(conflict.path)): \(conflict.kind.rawValue)")
    }
    guard result.conflicts.isEmpty else {
      try context.complain(
        "\(counted(result.conflicts.count, "conflict")), nothing was changed")
      return ExitStatus.failure
    }
    for path in result.taken { try context.print("\(ShownName(path))") }
    context.session.tell(.merge)
    let verb = context.arguments.has(dryRun) ? "would merge" : "merged"
    try context.print("\(verb) \(counted(result.taken.count, "change")) of \(name)")
    return ExitStatus.success
  }
}
