internal import StrataEngine

private let dryRun = Option("n", "dry-run", "only list what would be given up, as without -y")
private let yes = Option("y", "yes", "give up the points of undo without asking for -y")

extension Command {
  static let squash = Command(
    "squash", .layers, .maintains, "fold the layers of this fork into one",
    usage: ["[-n|-y]"], options: [dryRun, yes],
    details:
      "What the fork shows stays the same. Its operations can be undone no more, and nothing "
      + "can begin after them: without -y they are only listed.",
    examples: [
      "fork try", "write /a text", "write /b text", "squash -y", "layers", "switch main",
      "drop -f try",
    ]
  ) { context in
    guard context.operands.isEmpty else { throw UsageError("no arguments are taken") }
    guard !(context.arguments.has(yes) && context.arguments.has(dryRun)) else {
      throw UsageError("-n or -y, not both")
    }
    if context.arguments.has(yes) { try context.workspace.checkWritable() }
    let points = Set(context.fork.history.map(\.id))
    for operation in context.fork.allOperations {
      // What was undone can be done again, or begun after, and is given up as well.
      let number = points.contains(operation.id) ? "\(operation.id)" : "\(operation.id), undone"
      try context.print("gives up \(number): \(shortened(operation.command, to: 60))")
    }
    guard context.arguments.has(yes) else {
      try context.print("nothing was done; squash -y does it")
      return ExitStatus.success
    }
    let squashed = try context.workspace.squash(context.fork)
    try context.print("folded \(counted(squashed.layers, "layer")) into one")
    return ExitStatus.success
  }
}
