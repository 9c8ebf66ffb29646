internal import StrataEngine

extension Command {
  static let discard = Command(
    "discard", .layers, .manages, "put this fork, or some paths in it, back to what it was made of",
    usage: ["[PATH…]"], operands: [Operand("PATH", .path, repeated: true)],
    details: "With PATHs, what was changed at and below them. It is one operation: undo brings the "
      + "changes back.",
    examples: ["fork try", "write /new text", "discard", "undo", "switch main", "drop -f try"]
  ) { context in
    let fork = context.fork
    if !context.operands.isEmpty {
      let paths = context.operands.map { context.session.absolutePath($0) }
      try context.checkPaths(paths, in: fork.value, fork.origin)
      try context.session.ask(.discard)
      let line = "discard " + context.operands.map(\.shown).joined(separator: " ")
      let changes = try context.workspace.discard(fork, paths, line)
      context.session.tell(.discard)
      try context.print(
        changes.isEmpty
          ? "no changes" : "discarded \(counted(changes.count, "change")); undo brings them back")
      return ExitStatus.success
    }
    guard fork.isDirty else {
      try context.print("no changes")
      return ExitStatus.success
    }
    let count = try countedChanges(context)
    try context.session.ask(.discard)
    try context.workspace.discard(fork)
    context.session.tell(.discard)
    try context.print("discarded \(count); undo brings them back")
    return ExitStatus.success
  }
}

/// To throw all away does not need what the host has no more.
private func countedChanges(_ context: Context) throws -> String {
  do throws(FileError) {
    return counted(try context.workspace.diff(context.fork).count, "change")
  } catch {
    guard error.errno == .staleNFSFileHandle else { throw error }
    return "all changes"
  }
}
