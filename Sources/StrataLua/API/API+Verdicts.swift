internal import StrataEngine

extension API {
  static let verdicts: [APIFunction] = [
    .init(
      name: "strata.allow", returns: "strata.Verdict",
      help: "Ends the chain: no further handler is asked.", example: "return strata.allow()",
      body: .function { _, _ throws(LuaCallFailure) in
        [.verdict(LuaTable(["verdict": .text("allow")]))]
      }),
    .init(
      name: "strata.deny",
      parameters: [
        ("errno", "string?", "the name of the error, `EACCES` if none"),
        ("reason", "string?", "what a person reads behind the error"),
      ],
      returns: "strata.Verdict", help: "Refuses: the operation fails and nothing has changed.",
      example: "return strata.deny(\"EFBIG\", \"too large to copy up\")", body: .function(deny)),
    .init(
      name: "strata.copy_up", returns: "strata.Verdict",
      help: "Takes the whole content up. Answers a first write.",
      example: "return strata.copy_up()",
      body: .function { _, _ throws(LuaCallFailure) in
        [.verdict(LuaTable(["verdict": .text("copy_up")]))]
      }),
    .init(
      name: "strata.redirect",
      parameters: [
        (
          "options", "table?",
          "`block`: bytes in which blocks are taken, 4096 or a power of two above"
        )
      ],
      returns: "strata.Verdict", help: "Takes only the blocks written. Answers a first write.",
      example: "return strata.redirect{block=65536}", body: .function(redirect)),
    .init(
      name: "strata.route", parameters: [("layer", "string", "a side layer's name")],
      returns: "strata.Verdict",
      help: "Has the node live in a side layer. Answers a first write or a create.",
      example: "return strata.route(\"scratch\")", body: .function(route)),
    .init(
      name: "strata.ours", returns: "strata.Verdict",
      help: "Keeps what the fork has that is merged into. Answers a conflict of a merge.",
      example: "return strata.ours()",
      body: .function { _, _ throws(LuaCallFailure) in
        [.verdict(LuaTable(["verdict": .text("ours")]))]
      }),
    .init(
      name: "strata.theirs", returns: "strata.Verdict",
      help: "Takes what the other fork has. Answers a conflict of a merge.",
      example: "return strata.theirs()",
      body: .function { _, _ throws(LuaCallFailure) in
        [.verdict(LuaTable(["verdict": .text("theirs")]))]
      }),
    .init(
      name: "strata.merged", parameters: [("content", "string", "all of the file")],
      returns: "strata.Verdict",
      help: "Gives a file content made of both. Answers a conflict of a merge about content.",
      example: "return strata.merged(ev.ours .. ev.theirs)", body: .function(merged)),
  ]

  private static func merged(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    guard let content = values.first, content.bytes != nil else {
      throw LuaCallFailure("the content must be a string")
    }
    return [.verdict(LuaTable(["verdict": .text("merged"), "content": content]))]
  }

  private static func deny(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let values = values + [.none, .none]
    let error = try denial(values[0], values[1])
    return [
      .verdict(
        LuaTable([
          "verdict": .text("deny"), "errno": .text(ErrnoNames.name(error.errno)),
          "reason": values[1],
        ]))
    ]
  }

  private static func redirect(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let block = values.first?.table?["block"] ?? .none
    let size = block.isNil ? Int64(Block.size) : block.integer ?? 0
    guard size >= Block.size, size <= 1 << 30, size & (size - 1) == 0 else {
      throw LuaCallFailure("block must be a power of two from 4096 on, not \(block.shown)")
    }
    return [.verdict(LuaTable(["verdict": .text("redirect"), "block": .integer(size)]))]
  }

  private static func route(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let name = try text(values, 0, "the side layer")
    return [.verdict(LuaTable(["verdict": .text("route"), "layer": .text(name)]))]
  }
}
