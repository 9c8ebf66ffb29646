extension Command {
  static let redo = Command(
    "redo", .layers, .manages, "do again what was undone last",
    usage: ["[N]"], operands: [Operand("N", .none)],
    examples: ["write /new text", "undo", "redo", "undo"]
  ) { context in
    for _ in 0..<(try context.repetitions(of: context.fork.undoneCount, "redo")) {
      let operation = try context.workspace.redo(context.fork)
      try context.print("did again \(operation.id): \(shortened(operation.command, to: 60))")
    }
    return ExitStatus.success
  }
}
