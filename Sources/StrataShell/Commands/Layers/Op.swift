internal import StrataEngine

extension Command {
  static let op = Command(
    "op", .layers, .manages, "show an operation of the log, or go back to it",
    usage: ["show ID", "restore ID"], options: [.json],
    operands: [Operand("show", .words(["show", "restore"])), Operand("ID", .none)],
    details: "show lists what the operation changed. restore makes the fork show again what it "
      + "showed after it; that is an operation itself, which undo takes back. Operations that were "
      + "undone are kept, too, until gc removes them.",
    examples: ["op --help"]
  ) { context in
    guard context.operands.count == 2, let id = UInt64(context.operands[1].text) else {
      throw UsageError("show or restore, and the number of an operation, are needed")
    }
    switch context.operands[0].text {
    case "show": try show(id, context)
    case "restore":
      try context.workspace.restore(context.fork, to: id, "op restore \(id)")
      try context.print("as after operation \(id); undo goes back")
    case let word: throw UsageError("show or restore, not \(ShownName([UInt8](word)))")
    }
    return ExitStatus.success
  }

  private static func show(_ id: UInt64, _ context: Context) throws {
    guard let operation = context.workspace.operation(id) else {
      throw FileError(.noSuchFileOrDirectory, saying: "no operation \(id)")
    }
    let changes = try context.workspace.diff(operation.before, operation.after)
    if context.isJSON {
      try context.print(
        JSON.object(
          [
            JSON.Member("id", .int(operation.id)), JSON.Member("fork", .string(operation.fork)),
            JSON.Member("time", .int(operation.time)),
            JSON.Member("command", .string(operation.command)),
          ] + operation.stats.json))
      return
    }
    try context.print("operation \(operation.id) in \(operation.fork): \(operation.command)")
    let time = context.host.civilTime(operation.time).minutes
    try context.print(
      "\(time), \(operation.stats.bytesWritten) bytes written, "
        + "\(operation.stats.bytesCopied) copied")
    for change in changes {
      try context.print("  \(change.letter) \(ShownName(change.path))")
    }
  }
}
