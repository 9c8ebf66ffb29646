internal import StrataEngine

extension Command {
  static let status = Command(
    "status", .layers, .reads, "show where you are, and what this fork has changed",
    usage: [""], options: [.json], examples: ["status"]
  ) { context in
    guard context.operands.isEmpty else { throw UsageError("no arguments are taken") }
    let fork = context.fork
    let changes = try context.workspace.diff(fork)
    let parent = fork.parent.map { id in
      context.workspace.forks.first { $0.id == id }?.name ?? "a dropped fork"
    }
    if context.isJSON {
      try context.print(
        .members([
          "fork": .string(fork.name), "parent": parent.map(JSON.string) ?? .null,
          "path": .bytes(context.session.path), "dirty": .bool(fork.isDirty),
          "operations": .int(fork.operationCount), "undone": .int(fork.undoneCount),
          "changes": .array(changes.map(\.json)),
        ]))
      return ExitStatus.success
    }
    let style = Style(context.output)
    let from = parent.map { ", made from \($0)" } ?? ""
    try context.print("fork \(style.bold(fork.name))\(from), in \(context.session.path.shown)")
    for base in context.workspace.bases { try context.print("base \(ShownName(base.title))") }
    let undone = fork.undoneCount == 0 ? "" : ", \(fork.undoneCount) undone"
    try context.print("\(counted(fork.operationCount, "operation"))\(undone)")
    if changes.isEmpty {
      try context.print("no changes")
    } else {
      try context.print("\(counted(changes.count, "change")): \(changeSummary(changes))")
      for change in changes { try context.print("  \(change.statusLine(style))") }
    }
    return ExitStatus.success
  }
}
