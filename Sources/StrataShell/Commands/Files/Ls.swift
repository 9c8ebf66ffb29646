internal import StrataEngine

private let hidden = Option("a", "all", "names that begin with a dot too")
private let almostAll = Option("A", "almost-all", "as -a, without . and ..")
private let long = Option("l", nil, "a line for each: mode, links, owner, group, size, time")
private let human = Option("h", "human-readable", "sizes as 1.5K, 12M")
private let inode = Option("i", "inode", "the number of each node")
private let oneColumn = Option("1", nil, "one name a line")
private let itself = Option("d", "directory", "directories themselves, not what is in them")
private let classify = Option("F", "classify", "a mark behind names: / @ | = *")
private let recursive = Option("R", "recursive", "what is in directories, and in theirs")
private let byTime = Option("t", nil, "newest first")
private let bySize = Option("S", nil, "largest first")
private let reverse = Option("r", "reverse", "in reverse order")
private let numeric = Option("n", "numeric-uid-gid", "as -l, owners and groups as numbers")

extension Command {
  static let ls = Command(
    "ls", .files, .reads, "list directories",
    usage: ["[-aAlhi1dFRtSrn] [PATH\u{2026}]"],
    options: [
      hidden, almostAll, long, human, inode, oneColumn, itself, classify, recursive, byTime, bySize,
      reverse, numeric, .json,
    ],
    operands: [Operand("PATH", .path, repeated: true)],
    details: "Names are in the order of their bytes. On a terminal they come in columns, and what "
      + "could not be shown is escaped as the grammar reads it: $'a\\nb'.",
    examples: ["ls /", "ls -laF /"]
  ) { context in
    var listing = Listing(context)
    try listing.run()
    return context.status
  }
}

private struct Row {
  var name: [UInt8]
  var place: Place
  var attributes: Attributes
}

private struct Listing {
  let context: Context
  let isLong: Bool
  var sections = 0
  var json: [JSON] = []
  let hasSeveral: Bool
  let table: FileTable

  init(_ context: Context) {
    self.context = context
    let has = context.arguments.has
    isLong = has(long) || has(numeric)
    hasSeveral = context.operands.count > 1 || has(recursive)
    table = FileTable(
      context: context, isLong: isLong, isHuman: has(human), showsInode: has(inode),
      isOneColumn: has(oneColumn), classifies: has(classify), isNumeric: has(numeric))
  }

  private func has(_ option: Option) -> Bool { context.arguments.has(option) }

  mutating func run() throws {
    let operands = context.operands.isEmpty ? [[UInt8(ascii: ".")]] : context.operands
    var files: [Row] = []
    var directories: [Place] = []
    for path in operands {
      try context.attempt(path) {
        let place = context.place(path)
        // A link to a directory is followed, unless the link itself is asked for.
        var attributes = try place.attributes()
        if attributes.kind == .symlink, !isLong, !has(itself), !has(classify),
          let target = try? place.attributes(follow: true)
        {
          attributes = target
        }
        if attributes.kind == .directory, !has(itself) {
          directories.append(place)
        } else {
          files.append(Row(name: path, place: place, attributes: attributes))
        }
      }
    }
    if !files.isEmpty { try show(sorted(files), title: nil, total: false) }
    for directory in directories { try list(directory) }
    if context.isJSON { try context.print(json) }
  }

  /// - Parameter isFound: whether it was listed before.
  private mutating func list(_ directory: Place, isFound: Bool = false) throws {
    var rows: [Row] = []
    try context.attempt(directory.path) {
      let children: [Place]
      do throws(FileError) {
        children = try directory.children()
      } catch {
        guard isFound, error.errno == .noSuchFileOrDirectory else { throw error }
        return
      }
      for child in children where has(hidden) || has(almostAll) || !child.isHidden {
        try context.attempt(child.path) {
          do throws(FileError) {
            rows.append(Row(name: child.name, place: child, attributes: try child.attributes()))
          } catch {
            // Somebody has removed it since it was listed.
            guard error.errno == .noSuchFileOrDirectory else { throw error }
          }
        }
      }
      rows = sorted(rows)
      if has(hidden) {
        let dots = try [[UInt8]("."), [UInt8]("..")].map { name in
          let place = try directory.child(name)
          return Row(name: name, place: place, attributes: try place.attributes())
        }
        rows = dots + rows
      }
      try show(rows, title: hasSeveral ? directory.path : nil, total: isLong)
    }
    guard has(recursive) else { return }
    for row in rows where row.attributes.kind == .directory && !row.name.isDots {
      try context.attempt(row.place.path) { try list(row.place, isFound: true) }
    }
  }

  private func sorted(_ rows: [Row]) -> [Row] {
    let rows = rows.sorted { a, b in
      if has(byTime), a.attributes.modified != b.attributes.modified {
        return a.attributes.modified > b.attributes.modified
      }
      if has(bySize), a.attributes.size != b.attributes.size {
        return a.attributes.size > b.attributes.size
      }
      return inNameOrder(a.name, b.name)
    }
    return has(reverse) ? rows.reversed() : rows
  }

  private mutating func show(_ rows: [Row], title: [UInt8]?, total: Bool) throws {
    let entries = rows.map { row in
      FileTable.Entry(
        name: row.name, attributes: row.attributes,
        target: row.attributes.kind == .symlink
          ? try? row.place.client.readLink(row.place.name) : nil)
    }
    if context.isJSON {
      json += entries.map { table.json($0, in: title) }
      return
    }
    if sections > 0 { try context.print("") }
    sections += 1
    if let title { try context.write(context.shown(title) + [UInt8](":\n")) }
    if total {
      let blocks = rows.reduce(0) { $0 + $1.attributes.blocks }
      let size = has(human) ? SizeText.human(blocks * 512) : String((blocks + 1) / 2)
      try context.print("total \(size)")
    }
    try table.write(entries)
  }
}

extension Place {
  var isHidden: Bool { name.first == UInt8(ascii: ".") }
}

extension [UInt8] {
  fileprivate var isDots: Bool { self == [UInt8](".") || self == [UInt8]("..") }
}
