internal import StrataEngine

extension Command {
  static let plugin = Command(
    "plugin", .plugins, .manages, "load, list and unload plugins, and set them up",
    usage: [
      "[list]", "load FILE\u{2026}", "reload NAME\u{2026}", "unload NAME\u{2026}",
      "enable NAME\u{2026}", "disable NAME\u{2026}", "set NAME [SETTING=VALUE\u{2026}]",
    ],
    options: [.json],
    operands: [
      Operand(
        "ACTION", .words(["list", "load", "reload", "unload", "enable", "disable", "set"])),
      Operand("NAME", .plugin, repeated: true),
    ],
    details: "FILE is looked for in the namespace first, and then on the host. A plugin that fails "
      + "to load leaves everything as it was; reload keeps the old one then.",
    examples: ["plugin list"]
  ) { context in
    let names = Array(context.operands.dropFirst())
    switch context.operands.first?.text ?? "list" {
    case "list": try list(context)
    case "load":
      try forEach(names, "FILE", context) { path in
        _ = try context.session.plugins.load(try context.readScript(path), from: path)
      }
    case "reload":
      try forEach(names, "NAME", context) { name in
        let plugins = context.session.plugins
        guard let old = plugins.plugins.first(where: { $0.name == name.text }) else {
          throw context.unknownPlugin(name)
        }
        _ = try plugins.load(try context.readScript(old.path), from: old.path)
      }
    case "unload":
      try forEach(names, "NAME", context) { try context.session.plugins.unload($0.text) }
    case "enable":
      try forEach(names, "NAME", context) {
        try context.session.plugins.setEnabled($0.text, true)
      }
    case "disable":
      try forEach(names, "NAME", context) {
        try context.session.plugins.setEnabled($0.text, false)
      }
    case "set": try configure(names, context)
    case let word:
      let known = ["list", "load", "reload", "unload", "enable", "disable", "set"]
      throw UsageError("unknown action \(ShownName(word))\(didYouMean(word, among: known))")
    }
    return context.status
  }
}

extension Context {
  func unknownPlugin(_ name: [UInt8]) -> CommandFailure {
    let known = session.plugins.plugins.map(\.name)
    return CommandFailure("no plugin \(name.shown)\(didYouMean(name.text, among: known))")
  }
}

private func forEach(
  _ names: [[UInt8]], _ what: String, _ context: Context, _ body: ([UInt8]) throws -> Void
) throws {
  guard !names.isEmpty else { throw UsageError("the \(what) is missing") }
  try context.forEach(names) { name in
    do { try body(name) } catch let failure as PluginFailure {
      throw CommandFailure(failure.message)
    }
  }
}

private func list(_ context: Context) throws {
  let plugins = context.session.plugins.plugins
  if context.isJSON {
    return try context.print(
      plugins.map { plugin in
        .members([
          "name": .string(plugin.name), "path": .bytes(plugin.path),
          "enabled": .bool(plugin.state == .enabled),
          "events": .array(plugin.events.map(JSON.string)),
          "commands": .array(plugin.commands.map(JSON.string)),
          "calls": .int(plugin.calls), "failures": .int(plugin.failures),
          "dropped": .int(plugin.dropped),
        ])
      })
  }
  if plugins.isEmpty { return try context.print("no plugins are loaded") }
  let style = Style(context.output)
  var table = Table(
    ["name", "state", "calls", "failed", "from", "events and commands"],
    [.left, .left, .right, .right], style)
  for plugin in plugins {
    var state = style.green("enabled")
    if case .disabled(let reason) = plugin.state { state = style.red("disabled: \(reason)") }
    table.add([
      plugin.name, state, "\(plugin.calls)", "\(plugin.failures)", plugin.path.shown,
      (plugin.events + plugin.commands.map { "\($0)()" }).joined(separator: " "),
    ])
  }
  try context.write(table.text.utf8)
}

private func configure(_ words: [[UInt8]], _ context: Context) throws {
  guard let name = words.first?.text else { throw UsageError("the NAME is missing") }
  let plugins = context.session.plugins
  for word in words.dropFirst() {
    guard let sign = word.firstIndex(of: UInt8(ascii: "=")) else {
      throw UsageError("SETTING=VALUE was expected, not \(word.shown)")
    }
    try plugins.set(Array(word[..<sign]).text, of: name, to: Array(word[(sign + 1)...]).text)
  }
  guard words.count == 1 else { return }
  let settings = try plugins.settings(of: name)
  if context.isJSON {
    return try context.print(
      settings.map { .members(["name": .string($0.name), "value": .string($0.value)]) })
  }
  for (name, value) in settings { try context.print("\(name) = \(value)") }
}
