package import StrataEngine

private let nameStatus = Option(
  nil, "name-status", "a letter and a path for each change (the default)")
private let statistics = Option(nil, "stat", "how many bytes differ in each file")
private let patch = Option("p", "patch", "the changed lines of text files")

extension Command {
  static let diff = Command(
    "diff", .layers, .reads, "show what differs between two trees",
    usage: ["[A [B]] [--name-status | --stat | -p]"],
    options: [nameStatus, statistics, patch, .json],
    operands: [Operand("A", .fork), Operand("B", .fork)],
    details: "From A to B. Without arguments: from what this fork was made of to what it is now; "
      + "with A alone: from A to this fork. A tree is a FORK, FORK@OP or @OP for the state after an "
      + "operation of the log, or base.\n\n"
      + "Letters: A added, M content modified, m metadata only, D deleted, R renamed, T type "
      + "changed.",
    examples: [
      "fork look", "write /new text", "diff", "diff -p main look", "switch main", "drop -f look",
    ]
  ) { context in
    guard context.operands.count <= 2 else { throw UsageError("two trees at the most") }
    var old = (label: "start", value: context.fork.origin)
    var new = (label: context.fork.name, value: context.fork.value)
    if let name = context.operands.first {
      let tree = try TreeName(name, context)
      old = (tree.label, tree.value)
    }
    if context.operands.count == 2 {
      let tree = try TreeName(context.operands[1], context)
      new = (tree.label, tree.value)
    }
    let changes =
      try context.operands.isEmpty
      ? context.workspace.diff(context.fork) : context.workspace.diff(old.value, new.value)
    if context.isJSON {
      try context.print(changes.map(\.json))
    } else if context.arguments.has(patch) {
      try context.writePatch(of: changes, from: old, to: new)
    } else if context.arguments.has(statistics) {
      try writeStatistics(changes, context)
    } else {
      let style = Style(context.output)
      for change in changes { try context.print(change.statusLine(style)) }
    }
    return context.status
  }
}

extension Context {
  /// Changes with the lines that they concern.
  package func writePatch(
    of changes: [Change], from old: (label: String, value: Namespace),
    to new: (label: String, value: Namespace)
  ) throws {
    let patch = Patch(context: self, old: old, new: new)
    for change in changes { try patch.write(change) }
  }
}

private func writeStatistics(_ changes: [Change], _ context: Context) throws {
  let style = Style(context.output)
  var table = Table(["", "old", "new", "differing"], [.left, .right, .right, .right], style)
  for change in changes {
    table.add([
      change.statusLine(style), change.oldSize.map { "\($0)" } ?? "-",
      change.newSize.map { "\($0)" } ?? "-", "\(change.bytes)",
    ])
  }
  if !changes.isEmpty { try context.write(table.text.utf8) }
  let sum = changes.reduce(0) { $0 + $1.bytes }
  let summary = changes.isEmpty ? "no changes" : changeSummary(changes)
  try context.print("\(summary); \(SizeText.spoken(sum)) differ")
}

private struct Patch {
  /// Files above this are compared as a whole only.
  static let limit = 16 << 20
  let context: Context
  let old: (label: String, value: Namespace)
  let new: (label: String, value: Namespace)

  func write(_ change: Change) throws {
    try context.checkCancelled()
    let style = Style(context.output)
    try context.attempt(change.path) {
      try context.print(style.bold(change.statusLine(Style(context.output))))
      try writeAttributes(change)
      guard change.kind != .metadata else { return }
      let before = try text(old.value, change, isOld: true)
      let after = try text(new.value, change, isOld: false)
      if before == nil && after == nil { return }
      let (a, b) = (before ?? [], after ?? [])
      if a == b { return }
      if UnifiedDiff.isBinary(a) || UnifiedDiff.isBinary(b) || a.count >= Patch.limit
        || b.count >= Patch.limit
      {
        return try context.print("Binary files differ")
      }
      let oldName =
        before == nil ? "/dev/null" : "\(old.label):\((change.oldPath ?? change.path).shown)"
      let newName = after == nil ? "/dev/null" : "\(new.label):\(change.path.shown)"
      try context.write(
        UnifiedDiff(old: a, new: b).bytes(oldName: oldName, newName: newName, style))
    }
  }

  /// A file's content, a link's target; nil if it is not on that side, or has none.
  private func text(_ value: Namespace, _ change: Change, isOld: Bool) throws -> [UInt8]? {
    if change.kind == .added && isOld || change.kind == .removed && !isOld { return nil }
    let node = isOld ? change.oldNode ?? change.node : change.node
    switch isOld ? change.oldFileKind ?? change.fileKind : change.fileKind {
    case .regular: return try value.content(of: node, limit: Patch.limit)
    case .symlink: return try value.linkTarget(of: node) + [UInt8(ascii: "\n")]
    default: return nil
    }
  }

  private func writeAttributes(_ change: Change) throws {
    guard change.kind == .modified || change.kind == .metadata || change.kind == .renamed else {
      return
    }
    let a = try old.value.attributes(of: change.oldNode ?? change.node)
    let b = try new.value.attributes(of: change.node)
    if a.mode != b.mode {
      try context.print("mode \(ModeText.octal(a.mode)) -> \(ModeText.octal(b.mode))")
    }
    if (a.uid, a.gid) != (b.uid, b.gid) {
      try context.print("owner \(a.uid):\(a.gid) -> \(b.uid):\(b.gid)")
    }
    if change.kind == .metadata, a.modified != b.modified {
      let host = context.host
      try context.print("modified \(host.fullTime(a.modified)) -> \(host.fullTime(b.modified))")
    }
  }
}
