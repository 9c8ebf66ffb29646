internal import StrataEngine

extension API {
  static let layers: [APIFunction] = [
    .init(
      name: "strata.layers", returns: "table[]",
      help:
        "The stack of the fork, upper to lower, then the bases, then the side layers: each with "
        + "`name`, `kind` (`layer`, `base`, `side`), `id` and `depth`; side layers with `free` and "
        + "`used` in bytes, and `data`.",
      example: "for _, l in ipairs(strata.layers()) do print(l.kind, l.name) end",
      body: .function(list)),
    .init(
      name: "strata.layer_add",
      parameters: [
        ("name", "string", "the side layer's name"),
        ("options", "table?", "`data`: a host directory whose file system it counts on"),
      ],
      returns: "boolean", help: "Makes a side layer; false if there is one of the name already.",
      example: "strata.layer_add(\"scratch\")", body: .function(add)),
    .init(
      name: "strata.fork",
      parameters: [("name", "string?", "of the new fork; one is made up if none")],
      returns: "string?", help: "Forks the fork at work and returns the child's name.",
      example: "strata.fork(\"before-\" .. ev.op_id)", body: .function(fork)),
  ]

  private static func list(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let set = plugin.set
    var rows: [LuaValue] = set.fork.layers.map { layer in
      .table([
        "kind": .text("layer"), "id": .int(layer.id.rawValue), "name": .text(layer.name),
        "depth": .int(layer.depth),
      ])
    }
    for base in set.workspace.bases {
      rows.append(.table(["kind": .text("base"), "name": .text(base.title), "id": .int(0)]))
    }
    for side in set.workspace.sideLayers {
      let data: LuaValue = side.dataDirectory.map { .string($0) } ?? .none
      rows.append(
        .table([
          "kind": .text("side"), "id": .int(side.id.rawValue), "name": .text(side.name),
          "free": .int(set.host.freeBytes(side.dataDirectory)),
          "used": .int(set.workspace.usedBytes(of: side, in: set.fork)), "data": data,
        ]))
    }
    return [.list(rows)]
  }

  private static func add(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let name = try text(values, 0, "the side layer's name")
    let data = values.count > 1 ? values[1].table?["data"].bytes : nil
    do throws(FileError) {
      try plugin.set.workspace.addSideLayer(name, dataDirectory: data)
      return [.boolean(true)]
    } catch {
      if error.errno == .fileExists { return [.boolean(false)] }
      throw LuaCallFailure("\(name): \(error.errno)")
    }
  }

  private static func fork(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let set = plugin.set
    let parent = set.fork
    var name = values.first?.text ?? ""
    if name.isEmpty {
      let number = (1...).first { set.workspace.fork(named: "\(parent.name)-\($0)") == nil } ?? 1
      name = "\(parent.name)-\(number)"
    }
    do throws(FileError) {
      try set.workspace.fork(parent, named: name)
      return [.text(name)]
    } catch {
      return [.none, .text("\(name): \(error.reason ?? "\(error.errno)")")]
    }
  }
}
