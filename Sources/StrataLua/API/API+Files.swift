internal import StrataEngine

/// The namespace as plugins use it, in the name of whoever they run for. What fails returns nil, a
/// message and the error's name, as Lua's own libraries do.
extension API {
  static let files: [APIFunction] = [
    file(
      "read", [("path", "string", "of a file")], "string?", "A file's whole content.",
      "local text = strata.fs.read(\"/etc/hosts\")"
    ) { client, values throws(FileError) in [.string(try client.read(path(values)))] },
    file(
      "write", [("path", "string", "of a file"), ("text", "string", "its new content")], "true?",
      "Replaces a file's content, making the file if it is not there.",
      "strata.fs.write(\"/note\", \"seen\\n\")", changes: true
    ) { client, values throws(FileError) in
      try client.write(path(values), content(values))
      return [.boolean(true)]
    },
    file(
      "append", [("path", "string", "of a file"), ("text", "string", "what comes to its end")],
      "true?", "Adds to a file's end, making the file if it is not there.",
      "strata.fs.append(\"/log\", \"more\\n\")", changes: true
    ) { client, values throws(FileError) in
      try client.write(path(values), content(values), append: true)
      return [.boolean(true)]
    },
    file(
      "stat", [("path", "string", "of anything")], "table?",
      "`kind node size mode uid gid links mtime` of what a path leads to.",
      "print(strata.fs.stat(\"/etc\").kind)"
    ) { client, values throws(FileError) in
      let row = try client.attributes(path(values))
      return [
        .table([
          "kind": .text(EventFields.kindName(row.kind)), "node": .int(row.node.rawValue),
          "size": .int(row.size), "mode": .int(row.mode), "uid": .int(row.uid),
          "gid": .int(row.gid), "links": .int(row.links),
          "mtime": .number(Double(row.modified) / 1e9),
        ])
      ]
    },
    file(
      "list", [("path", "string", "of a directory")], "string[]?",
      "The names in a directory, sorted.",
      "for _, name in ipairs(strata.fs.list(\"/\")) do print(name) end"
    ) { client, values throws(FileError) in
      let names = try client.list(path(values)).map(\.name.bytes)
      return [.list(names.sorted { $0.lexicographicallyPrecedes($1) }.map { .string($0) })]
    },
    file(
      "mkdir", [("path", "string", "of the new directory")], "true?", "Makes a directory.",
      "strata.fs.mkdir(\"/var/audit\")", changes: true
    ) { client, values throws(FileError) in
      try client.makeDirectory(path(values))
      return [.boolean(true)]
    },
    file(
      "remove", [("path", "string", "of anything but a directory that is not empty")], "true?",
      "Removes a name.", "strata.fs.remove(\"/note\")", changes: true
    ) { client, values throws(FileError) in
      let path = path(values)
      if try client.attributes(path, follow: false).kind == .directory {
        try client.removeDirectory(path)
      } else {
        try client.unlink(path)
      }
      return [.boolean(true)]
    },
  ]

  private static func path(_ values: [LuaValue]) -> [UInt8] { values.first?.bytes ?? [] }
  private static func content(_ values: [LuaValue]) -> [UInt8] {
    values.count > 1 ? values[1].bytes ?? [] : []
  }

  private static func file(
    _ name: String, _ parameters: [(name: String, type: String, help: String)], _ returns: String,
    _ help: String, _ example: String, changes: Bool = false,
    _ body: @escaping @Sendable (Client, [LuaValue]) throws(FileError) -> [LuaValue]
  ) -> APIFunction {
    let count = parameters.count
    return APIFunction(
      name: "strata.fs.\(name)", parameters: parameters, returns: returns, help: help,
      example: example,
      body: .function { plugin, values throws(LuaCallFailure) in
        for index in 0..<count { _ = try string(values, index, "argument \(index + 1)") }
        do throws(FileError) {
          guard changes else { return try body(plugin.set.client, values) }
          return try plugin.set.change { client throws(FileError) in try body(client, values) }
        } catch {
          let path = String(decoding: path(values), as: UTF8.self)
          let reason = error.reason.map { ": \($0)" } ?? ""
          return [
            .none, .text("\(path): \(error.errno)\(reason)"),
            .text(ErrnoNames.name(error.errno)),
          ]
        }
      })
  }
}
