internal import StrataEngine

private let oneLineEach = Option("s", "summarize", "one line for each PATH")
private let human = Option("h", "human-readable", "sizes as 1.5K, 12M")
private let files = Option("a", "all", "files too, not only directories")
private let total = Option("c", "total", "the sum of all at the end")
private let depth = Option("d", "max-depth", argument: "N", "no deeper than N directories")
private let apparent = Option("b", "bytes", "sizes in bytes as the files have them, not as stored")

extension Command {
  static let du = Command(
    "du", .files, .reads, "add up what files take",
    usage: ["[-shacb] [-d N] [PATH\u{2026}]"],
    options: [oneLineEach, human, files, total, depth, apparent, .json],
    operands: [Operand("PATH", .path, repeated: true)],
    details: "In units of 1024 bytes, what is shared with a base included; a node with several "
      + "names counts once.",
    examples: ["du -sh /"]
  ) { context in
    var usage = Usage(
      context: context,
      limit: context.arguments.has(oneLineEach) ? 0 : try context.number(depth) ?? .max)
    let paths = context.operands.isEmpty ? [[UInt8(ascii: ".")]] : context.operands
    var sum: Int64 = 0
    try context.forEach(paths) { path in sum += try usage.measure(context.place(path)) }
    if context.arguments.has(total) { try usage.show(sum, [UInt8]("total")) }
    if context.isJSON { try context.print(usage.rows) }
    return context.status
  }
}

private struct Usage {
  let context: Context
  let limit: Int
  var seen: Set<NodeID> = []
  var rows: [JSON] = []

  init(context: Context, limit: Int) {
    self.context = context
    self.limit = limit
  }

  /// - Returns: bytes of the place and all below it.
  mutating func measure(_ place: Place) throws -> Int64 {
    try context.checkCancelled()
    let attributes = try place.attributes()
    if attributes.links > 1, attributes.kind != .directory,
      !seen.insert(attributes.node).inserted
    {
      return 0
    }
    let isApparent = context.arguments.has(apparent)
    var bytes = isApparent ? attributes.size : attributes.blocks * 512
    if attributes.kind == .directory {
      try context.attempt(place.path) {
        for child in try place.children() {
          try context.attempt(child.path) { bytes += try measure(child) }
        }
      }
    }
    let isShown =
      place.depth == 0
      || place.depth <= limit && (attributes.kind == .directory || context.arguments.has(files))
    if isShown { try show(bytes, place.path) }
    return bytes
  }

  mutating func show(_ bytes: Int64, _ path: [UInt8]) throws {
    if context.isJSON {
      rows.append(.members(["path": .bytes(path), "bytes": .integer(bytes)]))
      return
    }
    let size =
      context.arguments.has(human)
      ? SizeText.human(bytes)
      : context.arguments.has(apparent) ? String(bytes) : String((bytes + 1023) / 1024)
    try context.write([UInt8](size + "\t") + context.shown(path) + [UInt8(ascii: "\n")])
  }
}
