internal import StrataEngine

private let depth = Option("L", "level", argument: "N", "no deeper than N directories")
private let hidden = Option("a", "all", "names that begin with a dot too")
private let directoriesOnly = Option("d", "directories", "directories only")
private let changed = Option(
  "c", "changed", "only what a layer above the bases has changed, and the way to it")

extension Command {
  static let tree = Command(
    "tree", .files, .reads, "draw directories as a tree",
    usage: ["[-L N] [-a] [-d] [-c] [DIRECTORY\u{2026}]"],
    options: [depth, hidden, directoriesOnly, changed, .json],
    operands: [Operand("DIRECTORY", .directory, repeated: true)],
    examples: ["tree -L 1 /"]
  ) { context in
    var drawing = TreeDrawing(context, limit: try context.number(depth) ?? .max)
    try drawing.run()
    return context.status
  }
}

private struct TreeDrawing {
  let context: Context
  let limit: Int
  var directories = 0
  var files = 0

  init(_ context: Context, limit: Int) {
    self.context = context
    self.limit = limit
  }

  mutating func run() throws {
    let operands = context.operands.isEmpty ? [[UInt8(ascii: ".")]] : context.operands
    var rows: [JSON] = []
    for path in operands {
      try context.attempt(path) {
        let place = context.place(path)
        if context.isJSON {
          rows.append(try json(place, depth: 0))
          return
        }
        guard try place.attributes(follow: true).kind == .directory else {
          throw FileError.notDirectory
        }
        try context.write(context.shown(path) + [UInt8(ascii: "\n")])
        try draw(place, indent: "", depth: 1)
      }
    }
    if context.isJSON { return try context.print(rows) }
    let place = directories == 1 ? "1 directory" : "\(directories) directories"
    let rest = files == 1 ? "1 file" : "\(files) files"
    try context.print(
      context.arguments.has(directoriesOnly) ? "\n\(place)" : "\n\(place), \(rest)")
  }

  private mutating func draw(_ place: Place, indent: String, depth: Int) throws {
    guard depth <= limit else { return }
    try context.attempt(place.path) {
      let children = try shownChildren(place)
      for (index, (child, attributes)) in children.enumerated() {
        try context.checkCancelled()
        let isLast = index == children.count - 1
        let branch = isLast ? "\u{2514}\u{2500}\u{2500} " : "\u{251C}\u{2500}\u{2500} "
        var line = [UInt8](indent + branch) + context.shown(child.name)
        if attributes.kind == .symlink {
          line += [UInt8](" -> ") + context.shown(try child.client.readLink(child.name))
        }
        try context.write(line + [UInt8(ascii: "\n")])
        if attributes.kind == .directory {
          directories += 1
          try draw(child, indent: indent + (isLast ? "    " : "\u{2502}   "), depth: depth + 1)
        } else {
          files += 1
        }
      }
    }
  }

  private func shownChildren(_ place: Place) throws -> [(Place, Attributes)] {
    var shown: [(Place, Attributes)] = []
    for child in try place.children() where context.arguments.has(hidden) || !child.isHidden {
      try context.attempt(child.path) {
        let attributes = try child.attributes()
        if attributes.kind != .directory, context.arguments.has(directoriesOnly) { return }
        if context.arguments.has(changed), try !holdsChange(child, attributes) { return }
        shown.append((child, attributes))
      }
    }
    return shown
  }

  private func holdsChange(_ place: Place, _ attributes: Attributes) throws -> Bool {
    if context.fork.owner(of: attributes.node) != nil { return true }
    guard attributes.kind == .directory else { return false }
    try context.checkCancelled()
    var isFound = false
    try context.attempt(place.path) {
      for child in try place.children() where !isFound {
        isFound = try holdsChange(child, try child.attributes())
      }
    }
    return isFound
  }

  private func json(_ place: Place, depth: Int) throws -> JSON {
    let attributes = try place.attributes(follow: depth == 0)
    var members = [
      JSON.Member("name", .bytes(place.name)),
      JSON.Member("kind", .string(attributes.kind.word)),
    ]
    if attributes.kind == .directory, depth < limit {
      var children: [JSON] = []
      try context.attempt(place.path) {
        for (child, _) in try shownChildren(place) {
          children.append(try json(child, depth: depth + 1))
        }
      }
      members.append(JSON.Member("children", .array(children)))
    }
    return .object(members)
  }
}
