internal import StrataEngine

extension Command {
  static let forks = Command(
    "forks", .layers, .reads, "list the forks",
    usage: [""], options: [.json],
    details: "The current one has a >; a star marks those that differ from what they were made of.",
    examples: ["forks"]
  ) { context in
    guard context.operands.isEmpty else { throw UsageError("no arguments are taken") }
    let forks = context.workspace.forks
    func parent(_ fork: Fork) -> String? {
      fork.parent.map { id in forks.first { $0.id == id }?.name ?? "(dropped)" }
    }
    if context.isJSON {
      try context.print(
        forks.map { fork in
          let members: [JSON.Member] = [
            JSON.Member("name", .string(fork.name)),
            JSON.Member("parent", parent(fork).map(JSON.string) ?? .null),
            JSON.Member("current", .bool(fork.id == context.fork.id)),
            JSON.Member("dirty", .bool(fork.isDirty)),
            JSON.Member("layers", .int(fork.layers.count)),
            JSON.Member("operations", .int(fork.operationCount)),
          ]
          return .object(members + fork.layerStats.json)
        })
      return ExitStatus.success
    }
    let style = Style(context.output)
    var table = Table(
      ["  fork", "from", "layers", "operations", "written", "copied"],
      [.left, .left, .right, .right, .right, .right], style)
    for fork in forks {
      let isCurrent = fork.id == context.fork.id
      let name = "\(isCurrent ? ">" : " ") \(fork.name)\(fork.isDirty ? "*" : "")"
      let stats = fork.layerStats
      table.add([
        isCurrent ? style.bold(name) : name, parent(fork) ?? "base", String(fork.layers.count),
        String(fork.operationCount), SizeText.spoken(stats.bytesWritten),
        SizeText.spoken(stats.bytesCopied),
      ])
    }
    try context.write(table.text.utf8)
    return ExitStatus.success
  }
}
