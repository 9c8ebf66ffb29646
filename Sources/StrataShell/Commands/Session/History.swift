private let clear = Option("c", "clear", "forget them all")

extension Command {
  static let history = Command(
    "history", .session, .manages, "list the lines that were typed",
    usage: ["[N]", "-c"], options: [clear, .json],
    operands: [Operand("N", .none)],
    details: "N shows the newest N only.",
    examples: ["history 5"]
  ) { context in
    if context.arguments.has(clear) {
      context.session.forgetHistory()
      return ExitStatus.success
    }
    guard context.operands.count <= 1 else { throw UsageError("one number at the most") }
    var count = Int.max
    if let word = context.operands.first {
      guard let number = Int(word.text), number >= 0 else {
        throw UsageError("how many is a number, not \(word.shown)")
      }
      count = number
    }
    let lines = Array(context.session.history.enumerated().suffix(count))
    if context.isJSON {
      try context.print(
        lines.map { .members(["number": .int($0.offset + 1), "line": .bytes($0.element)]) })
      return ExitStatus.success
    }
    for (index, line) in lines {
      try context.write([UInt8](padded(String(index + 1), 5, .right) + "  "))
      try context.write(context.shown(line) + [UInt8(ascii: "\n")])
    }
    return ExitStatus.success
  }
}
