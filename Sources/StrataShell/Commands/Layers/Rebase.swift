internal import StrataEngine

private let ours = Option(nil, "ours", "keep this fork's changes where the host has changed, too")
private let theirs = Option(nil, "theirs", "drop them there")
private let oursAt = Option(nil, "ours-at", argument: "PATH", of: .path, "keep this one")
private let theirsAt = Option(nil, "theirs-at", argument: "PATH", of: .path, "drop this one")

extension Command {
  static let rebase = Command(
    "rebase", .layers, .manages, "take the base as it is now, and keep this fork's changes",
    usage: ["[--ours|--theirs] [--ours-at PATH]… [--theirs-at PATH]…"],
    options: [ours, theirs, oursAt, theirsAt],
    details:
      "For when the host, or a commit of another fork, has changed the base. Where both have "
      + "changed the same, that is a conflict; with one that is not settled nothing is done. Blocks "
      + "that the fork has written are then over the file as the host has it. It is one operation.",
    examples: ["rebase"]
  ) { context in
    guard context.operands.isEmpty else { throw UsageError("no arguments are taken") }
    guard !(context.arguments.has(ours) && context.arguments.has(theirs)) else {
      throw UsageError("--ours or --theirs, not both")
    }
    let oursPaths = Set(context.arguments.all(oursAt).map(context.session.absolutePath))
    let theirsPaths = Set(context.arguments.all(theirsAt).map(context.session.absolutePath))
    let conflicts = try context.workspace.rebase(context.fork, "rebase") { conflict in
      if oursPaths.contains(conflict.path) { return true }
      if theirsPaths.contains(conflict.path) { return false }
      if context.arguments.has(ours) { return true }
      return context.arguments.has(theirs) ? false : nil
    }
    for conflict in conflicts {
      try context.complain("\(ShownName(conflict.path)): \(conflict.kind.rawValue)")
    }
    guard conflicts.isEmpty else {
      try context.complain("\(counted(conflicts.count, "conflict")), nothing was done")
      return ExitStatus.failure
    }
    try context.print("on the base as it is now")
    return ExitStatus.success
  }
}
