internal import StrataEngine

extension Command {
  static let pages = Command(
    "pages", .layers, .reads, "show which layer owns which blocks of a file",
    usage: ["FILE\u{2026}"], options: [.json],
    operands: [Operand("FILE", .path, repeated: true)],
    details:
      "Blocks of 4096 bytes: . from a base, # of this fork alone, = shared with another fork, "
      + "+ of a layer below, and a space for a hole.",
    examples: ["write /new text", "pages /new", "rm /new"]
  ) { context in
    let paths = try context.requiredOperands("the FILE to look at")
    var rows: [JSON] = []
    try context.forEach(paths) { path in
      let node = try context.client.resolve(path)
      let map = PageMap(
        path: path, size: try context.fork.attributes(of: node).size,
        runs: try context.fork.blockMap(of: node), context: context)
      if context.isJSON { rows.append(map.json) } else { try context.write(map.text.utf8) }
    }
    if context.isJSON { try context.print(rows) }
    return context.status
  }
}

private struct PageMap {
  let path: [UInt8]
  let size: Int64
  let runs: [BlockRun]
  let context: Context

  var text: String {
    let style = Style(context.output)
    let blocks = runs.last?.blocks.upperBound ?? 0
    var text = "\(style.bold(path.shown)): \(SizeText.spoken(size)), "
    text += "\(counted(blocks, "block")), \(counted(runs.count, "run"))\n"
    guard !runs.isEmpty else { return text }
    text += "[\(bar(blocks))]\n"
    var table = Table(
      ["blocks", "bytes", "owner", "shared with"], [.right, .right, .left, .left], style)
    for run in runs {
      let last = run.blocks.upperBound - 1
      let range =
        run.blocks.count == 1 ? "\(last)" : "\(run.blocks.lowerBound)-\(last)"
      table.add([
        range, SizeText.spoken(bytes(run)), owner(run.owner),
        run.sharedWith.joined(separator: ", "),
      ])
    }
    return text + table.text
  }

  /// What the run covers of the file, whose last block may be cut short.
  private func bytes(_ run: BlockRun) -> Int64 {
    let block = UInt64(Block.size)
    let end = min(UInt64(max(0, size)), run.blocks.upperBound * block)
    return Int64(clamping: end - min(end, run.blocks.lowerBound * block))
  }

  private func owner(_ owner: BlockRun.Owner) -> String {
    switch owner {
    case .hole: return "hole"
    case .layer(let id, let name): return "\(name) #\(id.rawValue)"
    case .base(let index):
      let bases = context.workspace.bases
      return index < bases.count ? "base \(ShownName(bases[index].title))" : "base"
    }
  }

  /// One character for each of up to 64 equal parts, by what begins there.
  private func bar(_ blocks: UInt64) -> String {
    let parts = min(64, blocks)
    let own = Set(context.fork.layers.filter { $0.fork == context.fork.id }.map(\.id))
    return String(
      (0..<parts).map { part -> Character in
        let range =
          part * blocks / parts..<max(part * blocks / parts + 1, (part + 1) * blocks / parts)
        // The rarest kind of block must not vanish in a long file: what was written shows first.
        let marks = runs.filter { $0.blocks.overlaps(range) }.map { mark($0, own) }
        return "#=+. ".first { marks.contains($0) } ?? " "
      })
  }

  private func mark(_ run: BlockRun, _ own: Set<LayerID>) -> Character {
    switch run.owner {
    case .hole: " "
    case .base: "."
    case .layer where !run.sharedWith.isEmpty: "="
    case .layer(let id, _): own.contains(id) ? "#" : "+"
    }
  }

  var json: JSON {
    let list = runs.map { run -> JSON in
      var members = [
        JSON.Member("first", .int(run.blocks.lowerBound)),
        JSON.Member("count", .int(run.blocks.count)),
      ]
      switch run.owner {
      case .hole: members.append(JSON.Member("owner", .string("hole")))
      case .base(let index):
        members += [JSON.Member("owner", .string("base")), JSON.Member("base", .int(index))]
      case .layer(let id, let name):
        members += [
          JSON.Member("owner", .string("layer")), JSON.Member("layer", .int(id.rawValue)),
          JSON.Member("fork", .string(name)),
        ]
      }
      members.append(JSON.Member("shared_with", .array(run.sharedWith.map(JSON.string))))
      return .object(members)
    }
    return .members([
      "path": .bytes(path), "size": .int(size), "block_size": .int(Block.size),
      "runs": .array(list),
    ])
  }
}
