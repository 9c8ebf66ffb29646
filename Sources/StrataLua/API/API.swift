/// One function of the `strata` table: what registers it, and what the reference says of it.
struct APIFunction: Sendable {
  enum Body: Sendable {
    case function(@Sendable (Plugin, [LuaValue]) throws(LuaCallFailure) -> [LuaValue])
    /// A table whose fields are got and set.
    case proxy(
      get: @Sendable (Plugin, [LuaValue]) throws(LuaCallFailure) -> [LuaValue],
      set: @Sendable (Plugin, [LuaValue]) throws(LuaCallFailure) -> [LuaValue])
  }

  /// Dotted: `strata.fs.read`.
  var name: String
  /// Name, type and meaning of each parameter, in LuaLS notation; an optional one ends in `?`.
  var parameters: [(name: String, type: String, help: String)] = []
  /// The type of what it returns; nil for nothing.
  var returns: String?
  var help: String
  var example: String
  var body: Body

  func register(_ plugin: Plugin) throws(LuaFailure) {
    unowned let plugin = plugin
    switch body {
    case .function(let body):
      try plugin.state.register(name) { _, values throws(LuaCallFailure) in
        try body(plugin, values)
      }
    case .proxy(let get, let set):
      try plugin.state.registerProxy(
        name, get: { _, values throws(LuaCallFailure) in try get(plugin, values) },
        set: { _, values throws(LuaCallFailure) in try set(plugin, values) })
    }
  }
}

/// All that a plugin may call. Registration, `strata.d.lua` and the reference come from this list.
enum API {
  static let functions: [APIFunction] =
    registering + verdicts + files + layers + messages + state + time

  /// An argument that must be a string.
  static func string(
    _ values: [LuaValue], _ index: Int, _ name: String
  ) throws(LuaCallFailure) -> [UInt8] {
    guard index < values.count, let bytes = values[index].bytes else {
      throw wrong(values, index, name, "a string")
    }
    return bytes
  }

  static func text(
    _ values: [LuaValue], _ index: Int, _ name: String
  ) throws(LuaCallFailure) -> String {
    String(decoding: try string(values, index, name), as: UTF8.self)
  }

  static func wrong(
    _ values: [LuaValue], _ index: Int, _ name: String, _ wanted: String
  ) -> LuaCallFailure {
    let given = index < values.count ? values[index].shown : "nothing"
    return LuaCallFailure("\(name) must be \(wanted), not \(given)")
  }

  /// The name that is meant by one that is not known: at most two letters off.
  static func nearest(to name: String, among names: [String]) -> String {
    let near = names.map { ($0, distance(name, $0)) }.filter { $0.1 <= 2 }.min { $0.1 < $1.1 }
    return near.map { "; did you mean '\($0.0)'?" } ?? ""
  }

  /// The edit distance of Levenshtein.
  private static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    var row = Array(0...b.count)
    for (i, left) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, right) in b.enumerated() {
        (diagonal, row[j + 1]) = (
          row[j + 1], min(min(row[j], row[j + 1]) + 1, diagonal + (left == right ? 0 : 1))
        )
      }
    }
    return row[b.count]
  }
}
