internal import StrataEngine

private let dryRun = Option("n", "dry-run", "only show the conflicts")
private let ours = Option(nil, "ours", "where the host has changed, too, keep what the fork has")
private let theirs = Option(nil, "theirs", "where the host has changed, too, take what it has")
private let oursAt = Option(
  nil, "ours-at", argument: "PATH", of: .path, "keep the fork's for this one")
private let theirsAt = Option(
  nil, "theirs-at", argument: "PATH", of: .path, "take the host's for this one")

extension Command {
  static let rebase = Command(
    "rebase", .layers, .manages, "take the base as it is now, and keep the changes of this fork",
    usage: ["[-n] [--ours|--theirs] [--ours-at PATH]… [--theirs-at PATH]…"],
    options: [dryRun, ours, theirs, oursAt, theirsAt],
    details: """
      When others have changed the host, or another fork was committed. What only the fork has \
      changed stays as it is, what only the host has changed is taken over. Where both have, nothing \
      is done until the options say whose it is to be. It is one operation: undo goes back.
      """,
    examples: ["rebase"]
  ) { context in
    guard context.operands.isEmpty else { throw UsageError("no arguments are taken") }
    guard !(context.arguments.has(ours) && context.arguments.has(theirs)) else {
      throw UsageError("--ours or --theirs, not both")
    }
    let oursPaths = Set(context.arguments.all(oursAt).map(context.session.absolutePath))
    let theirsPaths = Set(context.arguments.all(theirsAt).map(context.session.absolutePath))
    let all: Settlement? =
      context.arguments.has(ours) ? .ours : context.arguments.has(theirs) ? .theirs : nil
    let isDry = context.arguments.has(dryRun)
    let result = try context.workspace.rebase(context.fork, "rebase", isDry: isDry) { conflict in
      if oursPaths.contains(conflict.path) { return .ours }
      return theirsPaths.contains(conflict.path) ? .theirs : all
    }
    try context.complain(result.conflicts)
    guard result.conflicts.isEmpty else {
      let ways =
        result.conflicts.contains(where: \.canBeKept) ? "--ours or --theirs" : "only --theirs"
      try context.complain(
        "\(counted(result.conflicts.count, "conflict")), nothing was done; \(ways) settles it")
      return ExitStatus.failure
    }
    let settled = result.settled > 0 ? ", \(counted(result.settled, "conflict")) settled" : ""
    let done = isDry ? "can be rebased" : "rebased"
    try context.print(result.isChanged ? done + settled : "the fork is based on what there is")
    return ExitStatus.success
  }
}
