extension Command {
  static let `switch` = Command(
    "switch", .layers, .arranges, "go to another fork",
    usage: ["FORK | -"],
    operands: [Operand("FORK", .fork)],
    details: "With - it goes to the fork before. Each fork keeps its own current directory.",
    examples: ["fork other", "switch main", "switch -", "switch main", "drop other"]
  ) { context in
    guard context.operands.count == 1, let name = context.operands.first else {
      throw UsageError("the FORK to go to is needed")
    }
    if name == [UInt8]("-") {
      guard let last = context.session.lastFork else {
        throw CommandFailure("there is no fork before")
      }
      try context.session.enter(last)
    } else {
      try context.session.enter(try context.fork(named: name))
    }
    return ExitStatus.success
  }
}
