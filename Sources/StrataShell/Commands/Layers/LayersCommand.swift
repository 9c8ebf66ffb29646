internal import StrataEngine

private let data = Option(
  nil, "data", argument: "DIR", of: .hostPath, "the host directory whose free space counts")
private let every = Option("a", "all", "every layer, however many")

extension Command {
  static let layers = Command(
    "layers", .layers, .arranges, "draw the stack of layers of this fork, or add a side layer",
    usage: ["[-a]", "add NAME [--data DIR]"],
    options: [data, every, .json],
    operands: [Operand("add", .words(["add"])), Operand("NAME", .layer)],
    details: "Upper layers hide lower ones; at the bottom are the bases, which nothing changes. A "
      + "side layer is where a policy can route files to, and commit and diff leave it out.",
    examples: ["layers"]
  ) { context in
    if context.operands.first == [UInt8]("add") {
      guard context.operands.count == 2 else { throw UsageError("the NAME of one layer is needed") }
      let name = context.operands[1]
      do {
        try context.workspace.addSideLayer(
          name.text, dataDirectory: context.arguments.value(data))
      } catch let error as FileError {
        throw PathFailure(name, error)
      }
      return ExitStatus.success
    }
    if let word = context.operands.first {
      throw UsageError("add is all that can be done to layers, not \(word.shown)")
    }
    let stack = Stack(context)
    if context.isJSON {
      try context.print(stack.json)
    } else {
      try context.write(stack.text(every: context.arguments.has(every)).utf8)
    }
    return ExitStatus.success
  }
}

private struct Stack {
  /// Sealed layers drawn at the upper and lower end when there are too many.
  static let shown = 8
  let context: Context
  let layers: [Layer]
  let commands: [LayerID: String]
  let style: Style

  init(_ context: Context) {
    self.context = context
    layers = context.fork.layers
    commands = context.workspace.commandsByLayer()
    style = Style(context.output)
  }

  func text(every: Bool) -> String {
    let fork = context.fork
    let width = context.output.isTerminal ? context.output.width : 80
    var picture = Picture()
    picture.boxes.append(
      .init(lines: ["\(style.bold("top")) of \(fork.name): the next write goes here"]))
    let hidden = every ? 0 : layers.count - 2 * Stack.shown
    for (index, layer) in layers.enumerated() {
      if hidden > 0, (Stack.shown..<Stack.shown + hidden).contains(index) {
        if index == Stack.shown {
          picture.boxes.append(.init(lines: ["\u{22EE} \(counted(hidden, "more layer"))"]))
        }
        continue
      }
      picture.boxes.append(.init(lines: lines(of: layer, width - 4)))
    }
    picture.boxes[picture.boxes.count - 1].isLastOfItsKind = true
    for (index, base) in context.workspace.bases.enumerated() {
      let name = context.workspace.bases.count > 1 ? "base \(index)" : "base"
      picture.boxes.append(
        .init(lines: ["\(style.blue(name))  \(ShownName(base.title))  (read-only)"]))
    }
    let bases = counted(context.workspace.bases.count, "base")
    var text =
      "\(fork.name)\(fork.isDirty ? "*" : ""): "
      + "\(counted(layers.count, "sealed layer")) on \(bases)\n"
    text += picture.text()
    for side in context.workspace.sideLayers {
      let used = context.workspace.usedBytes(of: side, in: fork)
      let place = side.dataDirectory.map { " in \($0.shown)" } ?? " in memory"
      text += "beside it: \(style.magenta(side.name))\(place), \(SizeText.spoken(used))\n"
    }
    return text
  }

  private func lines(of layer: Layer, _ width: Int) -> [String] {
    let title = "\(style.green("#\(layer.id.rawValue)")) \(layer.name)"
    let command = commands[layer.id].map { "  \(shortened($0, to: max(20, width - 20)))" } ?? ""
    return [title + command, style.dim("   " + layer.stats.text)]
  }

  var json: JSON {
    let sealed = layers.map { layer in
      JSON.object(
        [
          JSON.Member("id", .int(layer.id.rawValue)), JSON.Member("fork", .string(layer.name)),
          JSON.Member("depth", .int(layer.depth)),
          JSON.Member("command", commands[layer.id].map(JSON.string) ?? .null),
        ] + layer.stats.json)
    }
    let sides = context.workspace.sideLayers.map { side in
      JSON.members([
        "name": .string(side.name), "data": side.dataDirectory.map(JSON.bytes) ?? .null,
        "bytes": .int(context.workspace.usedBytes(of: side, in: context.fork)),
      ])
    }
    return .members([
      "fork": .string(context.fork.name), "layers": .array(sealed),
      "bases": .array(context.workspace.bases.map { .string($0.title) }),
      "side_layers": .array(sides),
    ])
  }
}
