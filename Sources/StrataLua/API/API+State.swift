internal import Glibc

extension API {
  static let state: [APIFunction] = [
    .init(
      name: "strata.store",
      help:
        "A table of the plugin's own that is kept with the fork: it forks with it, and undo takes "
        + "it back. Values are what a table of strings, numbers and booleans can hold.",
      example: "strata.store.count = (strata.store.count or 0) + 1",
      body: .proxy(get: get, set: set))
  ]

  private static func get(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let key = try text(values, 1, "a key of strata.store")
    guard let bytes = plugin.set.fork.annotation(plugin: plugin.name, key: key) else {
      return [.none]
    }
    return bytes.withUnsafeBytes { bytes in
      var unpacker = LuaUnpacker(bytes, LuaReferences())
      return unpacker.all()
    }
  }

  private static func set(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let key = try text(values, 1, "a key of strata.store")
    let value = values.count > 2 ? values[2] : .none
    guard isData(value) else { throw LuaCallFailure("strata.store keeps no \(value.shown)") }
    var packer = LuaPacker()
    packer.append(value)
    plugin.set.fork.setAnnotation(
      plugin: plugin.name, key: key, value.isNil ? nil : packer.bytes)
    return []
  }

  private static func isData(_ value: LuaValue) -> Bool {
    switch value {
    case .function, .other, .verdict: false
    case .table(let table): table.pairs.allSatisfy { isData($0.key) && isData($0.value) }
    default: true
    }
  }

  static let time: [APIFunction] = [
    .init(
      name: "os.time", returns: "integer", help: "Seconds since 1970 by the session's clock.",
      example: "local now = os.time()",
      body: .function { plugin, _ throws(LuaCallFailure) in
        [.integer(plugin.set.workspace.now / 1_000_000_000)]
      }),
    .init(
      name: "os.clock", returns: "number", help: "Seconds with fractions by the session's clock.",
      example: "local start = os.clock()",
      body: .function { plugin, _ throws(LuaCallFailure) in
        [.number(Double(plugin.set.workspace.now) / 1e9)]
      }),
    .init(
      name: "os.date",
      parameters: [
        ("format", "string?", "as for strftime(3)"), ("time", "integer?", "seconds since 1970"),
      ],
      returns: "string", help: "A time in UTC as text.", example: "print(os.date(\"%Y-%m-%d\"))",
      body: .function(date)),
  ]

  private static func date(
    _ plugin: Plugin, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let given = values.count > 0 && !values[0].isNil
    var format = given ? try text(values, 0, "the format") : "%Y-%m-%d %H:%M:%S"
    if format.hasPrefix("!") { format.removeFirst() }
    var seconds = time_t(
      values.count > 1 ? values[1].integer ?? 0 : plugin.set.workspace.now / 1_000_000_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 256)
    let count = strftime(&buffer, buffer.count, format, &parts)
    return [.string(buffer.prefix(count).map { UInt8(bitPattern: $0) })]
  }
}
