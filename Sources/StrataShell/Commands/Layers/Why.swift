internal import StrataEngine

extension Command {
  static let why = Command(
    "why", .layers, .reads, "tell which layer, rule and event made a file what it is",
    usage: ["PATH\u{2026}"], options: [.json],
    operands: [Operand("PATH", .path, repeated: true)],
    examples: ["write /new text", "why /new", "rm /new"]
  ) { context in
    let paths = try context.requiredOperands("the PATH to explain")
    var rows: [JSON] = []
    try context.forEach(paths) { path in
      let account = try Account(path, context)
      if context.isJSON { rows.append(account.json) } else { try context.print(account.text) }
    }
    if context.isJSON { try context.print(rows) }
    return context.status
  }
}

/// Where a file comes from.
private struct Account {
  let context: Context
  let path: [UInt8]
  var attributes: Attributes?
  var owner: Layer?
  var side: SideLayer?
  var base: String?
  var events: [Event] = []
  var commands: [LayerID: String]

  init(_ path: [UInt8], _ context: Context) throws(FileError) {
    self.context = context
    let fork = context.fork
    commands = context.workspace.commandsByLayer()
    let node: NodeID
    do {
      node = try context.client.resolve(path, follow: false)
    } catch {
      // What is not there may be hidden by a whiteout, which is an answer too.
      guard let (directory, name) = try? context.client.resolveParent(path),
        let layer = fork.whiteout(of: name, in: directory)
      else { throw error }
      self.path = (fork.path(of: directory) ?? []).appending(component: name.bytes)
      owner = layer
      return
    }
    self.path = (try? context.client.absolutePath(of: path, follow: false)) ?? path
    attributes = try fork.attributes(of: node)
    owner = fork.owner(of: node)
    side = fork.sideLayer(of: node)
    events = try fork.provenance(of: node)
    if let index = context.workspace.base(of: node), index < context.workspace.bases.count {
      base = context.workspace.bases[index].title
    }
  }

  var text: String {
    let style = Style(context.output)
    guard let attributes else {
      return "\(style.bold(path.shown)): hidden by a whiteout\n  in \(layerText(owner))"
    }
    let kind = ModeText.name(attributes.kind)
    var lines = [
      "\(style.bold(path.shown)): \(kind), node \(attributes.node.rawValue)"
    ]
    if let owner {
      lines.append("  changed last in \(layerText(owner))")
    }
    if let side { lines.append("  routed to the side layer \(side.name)") }
    for event in events.reversed() {
      var line = "  \(event.kind.rawValue) \(event.fromLayer?.name ?? "base")->"
      line += event.toLayer.map { "\($0.name) #\($0.id.rawValue)" } ?? "base"
      if let bytes = event.bytes { line += ", \(SizeText.spoken(bytes))" }
      if let rule = event.rule { line += ", by \(rule)" }
      lines.append(line)
    }
    if let base {
      let how = owner == nil ? "as it is in" : "first seen in"
      lines.append("  \(how) the base \(ShownName(base))")
    } else {
      lines.append("  in no base: it was made here")
    }
    return lines.joined(separator: "\n")
  }

  private func layerText(_ layer: Layer?) -> String {
    guard let layer else { return "the top" }
    let command = commands[layer.id].map { ": \(shortened($0, to: 60))" } ?? ""
    return "layer #\(layer.id.rawValue) of \(layer.name)\(command)"
  }

  var json: JSON {
    let list = events.map { event in
      JSON.members([
        "event": .string(event.kind.rawValue),
        "from": .string(event.fromLayer?.name ?? "base"),
        "to": event.toLayer.map { .string($0.name) } ?? .null,
        "bytes": event.bytes.map { .int($0) } ?? .null,
        "rule": event.rule.map(JSON.string) ?? .null,
      ])
    }
    return .members([
      "path": .bytes(path), "hidden": .bool(attributes == nil),
      "node": attributes.map { .int($0.node.rawValue) } ?? .null,
      "layer": owner.map { .int($0.id.rawValue) } ?? .null,
      "fork": owner.map { .string($0.name) } ?? .null,
      "command": owner.flatMap { commands[$0.id] }.map(JSON.string) ?? .null,
      "side_layer": side.map { .string($0.name) } ?? .null,
      "base": base.map(JSON.string) ?? .null, "events": .array(list),
    ])
  }
}
