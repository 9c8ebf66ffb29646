internal import StrataEngine

private let dryRun = Option("n", "dry-run", "only show what would go")
private let keep = Option(nil, "keep", argument: "DAYS", "keep operations of so many days, not 30")

extension Command {
  static let gc = Command(
    "gc", .layers, .maintains, "free what no fork and no kept operation leads to",
    usage: ["[-n] [--keep DAYS] [--json]"], options: [dryRun, keep, .json],
    details: "Operations older than 30 days are forgotten first, each fork's newest excepted. What "
      + "is open stays. What commits have kept of the host goes when no operation from before them is "
      + "kept: then commit --undo cannot take them back any more.",
    examples: ["gc --help"]
  ) { context in
    guard context.operands.isEmpty else { throw UsageError("no arguments are taken") }
    let days = try context.number(keep) ?? 30
    let limit = context.workspace.now - Timestamp(clamping: days) * 86_400 * 1_000_000_000
    func say(_ collected: Workspace.Collected, _ verb: String) throws {
      for operation in collected.operations {
        try context.print(
          "\(verb) operation \(operation.id): \(shortened(operation.command, to: 60))")
      }
      let garbage = collected.garbage
      try context.print(
        "\(verb) \(counted(garbage.records.count, "record")) of "
          + "\(SizeText.spoken(garbage.recordBytes)), \(counted(garbage.files.count, "data file")) "
          + "of \(SizeText.spoken(garbage.fileBytes)), "
          + (garbage.holes.isEmpty
            ? ""
            : "parts of \(garbage.holes.count) more of \(SizeText.spoken(garbage.holeBytes)), ")
          + "\(counted(garbage.layers.count, "layer"))")
      guard !garbage.commits.isEmpty else { return }
      try context.print(
        "\(verb) \(SizeText.spoken(garbage.commitBytes)) that "
          + "\(counted(garbage.commits.count, "commit")) kept for commit --undo")
    }
    let isDryRun = context.arguments.has(dryRun)
    if !isDryRun { try context.workspace.checkWritable() }
    let collected = try context.workspace.collectGarbage(olderThan: limit, dryRun: true)
    if context.isJSON {
      try context.print(json(collected))
    } else {
      try say(collected, isDryRun ? "would free" : "frees")
    }
    guard !isDryRun, !collected.garbage.isEmpty else { return ExitStatus.success }
    try context.flush()
    _ = try context.workspace.collectGarbage(olderThan: limit, dryRun: false)
    return ExitStatus.success
  }
}

private func json(_ collected: Workspace.Collected) -> JSON {
  let garbage = collected.garbage
  return .members([
    "operations": .array(collected.operations.map { .integer(Int64(clamping: $0.id)) }),
    "records": .int(garbage.records.count), "record_bytes": .integer(garbage.recordBytes),
    "files": .int(garbage.files.count), "file_bytes": .integer(garbage.fileBytes),
    "hole_bytes": .integer(garbage.holeBytes), "layers": .int(garbage.layers.count),
    "commits": .int(garbage.commits.count), "commit_bytes": .integer(garbage.commitBytes),
  ])
}
