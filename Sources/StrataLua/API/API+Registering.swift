internal import StrataEngine

extension API {
  static let registering: [APIFunction] = [
    .init(
      name: "strata.on",
      parameters: [
        ("event", "string", "`before_X`, `after_X`, or one of the `session_` and `plugin_` events"),
        (
          "options", "table?",
          "`pattern`, `priority` (higher is asked earlier), `on_error=\"ignore\"`, "
            + "`when_full=\"drop\"` (for `after_` handlers: rather miss events than keep programs)"
        ),
        ("handler", "fun(ev: strata.Event): strata.Verdict?", "what is called"),
      ],
      help: "Registers a handler. Only `before_` handlers may return a verdict.",
      example:
        "strata.on(\"after_copy_up\", {pattern=\"/etc/**\"}, function(ev) print(ev.path) end)",
      body: .function(on)),
    .init(
      name: "strata.policy",
      parameters: [
        ("name", "string", "for messages"),
        ("policy", "table", "`write`, `rules` (first match wins) and `choose`"),
      ],
      help: "Says how first writes are done: by rules, then by a function, then by `write`.",
      example:
        "strata.policy(\"p\", {write=\"redirect\", rules={{match=\"/usr/**\", write=\"deny\"}}})",
      body: .function(policy)),
    .init(
      name: "strata.command",
      parameters: [
        ("name", "string", "the command's name"),
        (
          "command", "table",
          "`summary`, `usage` and `run=function(ctx)`; ctx has `args` and `fork`"
        ),
      ],
      help: "Adds a command to the shell. What `run` returns is its exit status.",
      example: "strata.command(\"hi\", {summary=\"say hi\", run=function(ctx) print(\"hi\") end})",
      body: .function(command)),
    .init(
      name: "strata.setting",
      parameters: [
        ("name", "string", "the setting's name"), ("default", "any?", "its value until it is set"),
        ("help", "string?", "one line"),
      ],
      returns: "any",
      help: "The value of a setting. Called with a default while the plugin loads, it makes it.",
      example: "local limit = strata.setting(\"limit\", 64, \"in KiB\")", body: .function(setting)),
    .init(
      name: "strata.health",
      parameters: [("check", "fun(): string?, string?", "returns a level and a text")],
      help:
        "Adds a check that `checkhealth` runs: `\"ok\"`, `\"warning\"` or `\"error\"`, and why.",
      example: "strata.health(function() return \"ok\", \"all is well\" end)",
      body: .function(health)),
  ]

  private static func on(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let name = try text(values, 0, "the event")
    let (kind, isBefore) = try event(name)
    let hasOptions = values.count > 1 && values[1].table != nil
    let options = hasOptions ? values[1].table ?? LuaTable() : LuaTable()
    guard let function = values.dropFirst(hasOptions ? 2 : 1).first?.function else {
      throw wrong(values, hasOptions ? 2 : 1, "the handler", "a function")
    }
    try check(options, ["pattern", "priority", "on_error", "when_full"], "strata.on")
    let pattern = options["pattern"]
    guard pattern.isNil || pattern.bytes != nil else {
      throw LuaCallFailure("pattern must be a string, not \(pattern.shown)")
    }
    let priority = options["priority"]
    guard priority.isNil || priority.integer != nil else {
      throw LuaCallFailure("priority must be a whole number, not \(priority.shown)")
    }
    let onError = options["on_error"]
    guard onError.isNil || onError.text == "ignore" else {
      throw LuaCallFailure("on_error must be \"ignore\", not \(onError.shown)")
    }
    let whenFull = options["when_full"]
    guard whenFull.isNil || (whenFull.text == "drop" && !isBefore) else {
      throw LuaCallFailure(
        isBefore
          ? "when_full is for handlers that observe, \(name) decides"
          : "when_full must be \"drop\", not \(whenFull.shown)")
    }
    plugin.handlers.append(
      Handler(
        name: name, kind: kind, isBefore: isBefore, pattern: pattern.text.map { PathPattern($0) },
        priority: priority.integer ?? 0, ignoresErrors: !onError.isNil,
        dropsWhenFull: !whenFull.isNil, function: function, line: plugin.state.callerLine))
    plugin.set.refreshInterest()
    return []
  }

  private static let plainEvents: [EventKind] = [
    .sessionStart, .sessionEnd, .pluginLoad, .pluginUnload, .error,
  ]

  private static func event(_ name: String) throws(LuaCallFailure) -> (EventKind, Bool) {
    if let kind = plainEvents.first(where: { $0.rawValue == name }) { return (kind, false) }
    let others = EventKind.allCases.filter { !plainEvents.contains($0) }
    for kind in others {
      if name == "before_" + kind.rawValue { return (kind, true) }
      if name == "after_" + kind.rawValue { return (kind, false) }
    }
    let names =
      plainEvents.map(\.rawValue)
      + others.flatMap { ["before_" + $0.rawValue, "after_" + $0.rawValue] }
    throw LuaCallFailure("no event '\(name)'" + nearest(to: name, among: names))
  }

  private static func check(
    _ table: LuaTable, _ known: [String], _ where: String
  ) throws(LuaCallFailure) {
    for name in table.names where !known.contains(name) {
      throw LuaCallFailure("\(`where`) has no '\(name)'" + nearest(to: name, among: known))
    }
  }

  private static func policy(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let name = try text(values, 0, "the policy's name")
    guard values.count > 1, let table = values[1].table else {
      throw wrong(values, 1, "the policy", "a table")
    }
    try check(table, ["write", "rules", "choose", "errno", "reason"], "a policy")
    let choose = table["choose"]
    guard choose.isNil || choose.function != nil else {
      throw LuaCallFailure("choose must be a function, not \(choose.shown)")
    }
    var rules: [LuaPolicy.Rule] = []
    for (index, row) in (table["rules"].table?.list ?? []).enumerated() {
      guard let row = row.table else {
        throw LuaCallFailure("rule \(index + 1) must be a table, not \(row.shown)")
      }
      rules.append(try rule(row, index + 1))
    }
    plugin.policies.append(
      LuaPolicy(
        name: name, write: try effect(table, "policy \(name)"), rules: rules,
        choose: choose.function, line: plugin.state.callerLine))
    plugin.set.refreshInterest()
    return []
  }

  private static func rule(
    _ row: LuaTable, _ number: Int
  ) throws(LuaCallFailure) -> LuaPolicy.Rule {
    try check(
      row, ["match", "write", "to", "errno", "reason", "min_size", "max_size"], "rule \(number)")
    let match = row["match"]
    let patterns = match.table?.list ?? (match.isNil ? [] : [match])
    var compiled: [PathPattern] = []
    for pattern in patterns {
      guard let text = pattern.text else {
        throw LuaCallFailure("rule \(number): match must be a string, not \(pattern.shown)")
      }
      compiled.append(PathPattern(text))
    }
    let to = row["to"]
    guard to.isNil || to.bytes != nil else {
      throw LuaCallFailure("rule \(number): to must be a side layer's name, not \(to.shown)")
    }
    return LuaPolicy.Rule(
      patterns: compiled, minimumSize: row["min_size"].integer,
      maximumSize: row["max_size"].integer,
      effect: try effect(row, "rule \(number)"), route: to.text)
  }

  private static func effect(
    _ table: LuaTable, _ what: String
  ) throws(LuaCallFailure) -> RuleEffect? {
    switch table["write"].text {
    case "copy_up": return .firstWrite(.copyUp)
    case "redirect": return .firstWrite(.redirect)
    case "deny": return .deny(try denial(table["errno"], table["reason"]))
    case nil where table["write"].isNil: return nil
    default:
      throw LuaCallFailure(
        "\(what): write must be \"copy_up\", \"redirect\" or \"deny\", not \(table["write"].shown)")
    }
  }

  /// The error that a deny stands for; EACCES unless one is named.
  static func denial(_ errno: LuaValue, _ reason: LuaValue) throws(LuaCallFailure) -> FileError {
    let name = errno.isNil ? "EACCES" : errno.text ?? errno.shown
    guard let number = ErrnoNames.errno(name) else {
      throw LuaCallFailure(
        "no error '\(name)'" + nearest(to: name, among: ErrnoNames.all.map(\.name)))
    }
    guard reason.isNil || reason.bytes != nil else {
      throw LuaCallFailure("the reason must be a string, not \(reason.shown)")
    }
    return FileError(number, reason.text)
  }

  private static func command(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let name = try text(values, 0, "the command's name")
    guard values.count > 1, let table = values[1].table else {
      throw wrong(values, 1, "the command", "a table")
    }
    try check(table, ["summary", "usage", "run"], "a command")
    guard let run = table["run"].function else {
      throw LuaCallFailure("run must be a function, not \(table["run"].shown)")
    }
    plugin.commands.append(
      LuaCommand(
        name: name, summary: table["summary"].text ?? "", usage: table["usage"].text ?? name,
        run: run, line: plugin.state.callerLine))
    return []
  }

  private static func setting(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let name = try text(values, 0, "the setting's name")
    if let known = plugin.settings.first(where: { $0.name == name }) { return [known.value] }
    guard values.count > 1, !values[1].isNil else {
      throw LuaCallFailure("no setting '\(name)', and no default to make it with")
    }
    plugin.settings.append(
      Setting(name: name, value: values[1], help: values.count > 2 ? values[2].text ?? "" : ""))
    return [values[1]]
  }

  private static func health(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    guard let check = values.first?.function else {
      throw wrong(values, 0, "the check", "a function")
    }
    plugin.healthChecks.append(check)
    return []
  }
}
