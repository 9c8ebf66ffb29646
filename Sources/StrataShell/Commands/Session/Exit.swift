extension Command {
  static let exit = Command(
    "exit", .session, .manages, "leave the shell",
    usage: ["[STATUS]"],
    operands: [Operand("STATUS", .none)],
    details: "Leaves with STATUS, 0 to 255, or with that of the last command.",
    examples: []
  ) { context in
    guard context.operands.count <= 1 else { throw UsageError("one status at the most") }
    var status = context.session.lastStatus
    if let word = context.operands.first {
      guard let number = Int32(word.text), (0...255).contains(number) else {
        throw UsageError("a status is a number from 0 to 255, not \(word.shown)")
      }
      status = number
    }
    context.session.exitStatus = status
    return status
  }
}
