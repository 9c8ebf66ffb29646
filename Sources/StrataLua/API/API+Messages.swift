extension API {
  static let messages: [APIFunction] =
    ["debug", "info", "warn", "error"].map { level in
      APIFunction(
        name: "strata.log.\(level)", parameters: [("text", "string", "one line")],
        help: "Reports a line at the level \(level).", example: "strata.log.\(level)(\"text\")",
        body: .function { plugin, values throws(LuaCallFailure) in
          let text = try text(values, 0, "the text")
          if level != "debug" { plugin.set.report("\(plugin.name): \(level): \(text)") }
          return []
        })
    } + [
      APIFunction(
        name: "strata.notify", parameters: [("text", "string", "one line")],
        help: "Tells the person something, whatever command is running.",
        example: "strata.notify(\"kept a fork\")",
        body: .function { plugin, values throws(LuaCallFailure) in
          plugin.set.report("\(plugin.name): \(try text(values, 0, "the text"))")
          return []
        }),
      APIFunction(
        name: "print", parameters: [("...", "any", "values")],
        help: "Writes the values to the session, with tabs between them.",
        example: "print(ev.path, ev.size)",
        body: .function { plugin, values throws(LuaCallFailure) in
          let fields = values.map { value -> [UInt8] in
            switch value {
            case .string(let bytes): bytes
            case .number(let number): Array("\(number)".utf8)
            case .table: Array("table".utf8)
            case .function: Array("function".utf8)
            default: Array(value.shown.utf8)
            }
          }
          plugin.set.host.print(Array(fields.joined(separator: [9])) + [10])
          return []
        }),
    ]
}
