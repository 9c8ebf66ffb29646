extension Command {
  static let discard = Command(
    "discard", .layers, .manages, "put this fork back to what it was made of",
    usage: [""],
    details: "It is one operation: undo brings the changes back.",
    examples: ["fork try", "write /new text", "discard", "undo", "switch main", "drop -f try"]
  ) { context in
    guard context.operands.isEmpty else { throw UsageError("no arguments are taken") }
    let fork = context.fork
    guard fork.isDirty else {
      try context.print("no changes")
      return ExitStatus.success
    }
    let count = try context.workspace.diff(fork.origin, fork.value).count
    try context.session.ask(.discard)
    context.workspace.discard(fork)
    context.session.tell(.discard)
    try context.print("discarded \(counted(count, "change")); undo brings them back")
    return ExitStatus.success
  }
}
