internal import StrataEngine

private let repair = Option(nil, "repair", "mend what can be mended")

extension Command {
  static let check = Command(
    "check", .layers, .maintains, "verify everything that the workspace's store holds",
    usage: ["[--repair] [--json]"], options: [repair, .json],
    details: "The database's own check, the checksum of each record and data file, that what they "
      + "refer to is there, and that link counts agree. --repair puts what is readable of damaged "
      + "trees together again, and into /lost+found of each fork what has lost its name or some of "
      + "its content: what can be read of that is kept. The status is 1 if something is wrong that "
      + "was not mended.",
    examples: ["check --help"]
  ) { context in
    guard context.operands.isEmpty else { throw UsageError("no arguments are taken") }
    var report = try context.workspace.check()
    if context.isJSON, !context.arguments.has(repair) {
      try context.print(
        report.problems.map { problem in
          .members([
            "place": .string(problem.place), "what": .string(problem.what),
            "why": .string(problem.why),
          ])
        })
      return report.problems.isEmpty ? ExitStatus.success : ExitStatus.failure
    }
    for problem in report.problems {
      try context.print("\(problem.place): \(problem.what): \(problem.why)")
    }
    if context.arguments.has(repair), !report.problems.isEmpty {
      for line in try context.workspace.repair() { try context.print("repair: \(line)") }
      report = try context.workspace.check()
      for problem in report.problems {
        try context.print("still: \(problem.place): \(problem.what): \(problem.why)")
      }
    }
    try context.print(
      "\(counted(report.trees, "tree")), \(counted(report.records, "record")), "
        + "\(counted(report.files, "data file")), \(counted(report.nodes, "changed node")): "
        + (report.problems.isEmpty ? "all is well" : counted(report.problems.count, "problem")))
    return report.problems.isEmpty ? ExitStatus.success : ExitStatus.failure
  }
}
