internal import StrataEngine

extension Command {
  static let policy = Command(
    "policy", .plugins, .reads, "show what decides how first writes are done",
    usage: [""], options: [.json],
    details: "From the top down the first rule that fits decides; then choose, then the handlers "
      + "by priority, the highest first. A deny ends it.",
    examples: ["policy"]
  ) { context in
    guard context.operands.isEmpty else { throw UsageError("no arguments are taken") }
    let rules = context.session.plugins.rules
    let threshold = SizeText.spoken(DefaultPolicy.threshold)
    if context.isJSON {
      let rows = rules.map { rule in
        JSON.members([
          "plugin": .string(rule.plugin), "place": .string(rule.place),
          "pattern": .string(rule.pattern), "effect": .string(rule.effect),
          "priority": rule.priority.map { .int($0) } ?? .null,
        ])
      }
      let standard = JSON.members([
        "plugin": .null, "place": .string("default"), "pattern": .string(""),
        "effect": .string("redirect from \(DefaultPolicy.threshold) bytes on, else copy_up"),
        "priority": .null,
      ])
      try context.print(rows + [standard])
      return ExitStatus.success
    }
    let style = Style(context.output)
    var table = Table(["order", "paths", "effect", "from"], [.right], style)
    for (index, rule) in rules.enumerated() {
      let priority = rule.priority.map { " (priority \($0))" } ?? ""
      table.add([
        "\(index + 1)", rule.pattern.isEmpty ? "all" : rule.pattern, rule.effect + priority,
        rule.place,
      ])
    }
    table.add([
      "\(rules.count + 1)", "all", "redirect from \(threshold) on, else copy_up", "default",
    ])
    try context.write(table.text.utf8)
    return ExitStatus.success
  }
}
