extension Command {
  static let undo = Command(
    "undo", .layers, .manages, "take back the newest operations of this fork",
    usage: ["[N]"], operands: [Operand("N", .none)],
    examples: ["write /new text", "undo", "redo", "undo"]
  ) { context in
    context.workspace.logOutside(context.fork)
    for _ in 0..<(try context.repetitions(of: context.fork.operationCount, "undo")) {
      let operation = try context.workspace.undo(context.fork)
      try context.print("undid \(operation.id): \(shortened(operation.command, to: 60))")
      if operation.isCommit {
        try context.print(
          "the host keeps what was committed; commit --undo takes it back from there")
      }
    }
    return ExitStatus.success
  }
}

extension Context {
  /// How often `undo` and `redo` are to be done: once, or the operand, but not oftener than can be.
  func repetitions(of possible: Int, _ name: String) throws -> Int {
    guard operands.count <= 1 else { throw UsageError("one number at the most") }
    guard let word = operands.first else { return 1 }
    guard let count = Int(word.text), count > 0 else {
      throw UsageError("how often is a number from 1, not \(word.shown)")
    }
    guard possible == 0 || count <= possible else {
      throw CommandFailure("only \(possible) to \(name), not \(count)")
    }
    return count
  }
}
