internal import StrataEngine

private let count = Option("n", "max-count", argument: "N", "the newest N only")
private let everyFork = Option("a", "all", "of all forks")

extension Command {
  static let log = Command(
    "log", .layers, .reads, "list the operations of this fork, newest first",
    usage: ["[-n N] [-a]"], options: [count, everyFork, .json],
    details: "An operation is one command that changed something, and one sealed layer. undo goes "
      + "back before the newest; fork --at OP begins after any of them; diff @OP compares with one.",
    examples: ["write /new text", "log", "undo"]
  ) { context in
    guard context.operands.isEmpty else { throw UsageError("no arguments are taken") }
    let forks = context.arguments.has(everyFork) ? context.workspace.forks : [context.fork]
    let limit = try context.number(count) ?? .max
    let operations = forks.flatMap { $0.history(newest: limit) }.sorted { $0.id > $1.id }.prefix(
      limit)
    if context.isJSON {
      try context.print(
        operations.map { operation in
          .object(
            [
              JSON.Member("id", .int(operation.id)), JSON.Member("fork", .string(operation.fork)),
              JSON.Member("time", .int(operation.time)),
              JSON.Member("command", .string(operation.command)),
            ] + operation.stats.json)
        })
      return ExitStatus.success
    }
    guard !operations.isEmpty else { return ExitStatus.success }
    let style = Style(context.output)
    let header =
      ["op", "time", "written", "copied"] + (forks.count > 1 ? ["fork"] : []) + ["command"]
    var table = Table(header, [.right, .left, .right, .right], style)
    for operation in operations {
      let stats = operation.stats
      table.add(
        [
          style.yellow("\(operation.id)"), context.host.civilTime(operation.time).minutes,
          "\(stats.bytesWritten)", "\(stats.bytesCopied)",
        ] + (forks.count > 1 ? [operation.fork] : []) + [shortened(operation.command, to: 60)])
    }
    try context.write(table.text.utf8)
    return ExitStatus.success
  }
}
