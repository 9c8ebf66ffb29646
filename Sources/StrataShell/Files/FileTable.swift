internal import StrataEngine

/// Shows files as `ls` does: in lines, in columns, or one name a line.
struct FileTable {
  let context: Context
  let isLong: Bool
  let isHuman: Bool
  let showsInode: Bool
  let isOneColumn: Bool
  let classifies: Bool
  let isNumeric: Bool

  struct Entry {
    var name: [UInt8]
    var attributes: Attributes
    var target: [UInt8]?
  }

  func write(_ entries: [Entry]) throws {
    if isLong {
      try writeLines(entries)
    } else if isOneColumn || !context.output.isTerminal {
      let width = entries.map { String($0.attributes.node.rawValue).count }.max() ?? 0
      for entry in entries {
        if showsInode {
          try context.write(
            "\(padded(String(entry.attributes.node.rawValue), width, .right)) ".utf8)
        }
        try context.write(name(entry) + [UInt8(ascii: "\n")])
      }
    } else {
      try writeColumns(entries)
    }
  }

  private func writeLines(_ entries: [Entry]) throws {
    let rows = entries.map { entry -> [String] in
      let attributes = entry.attributes
      let host = context.host
      let user = isNumeric ? nil : host.userName(attributes.uid)
      let group = isNumeric ? nil : host.groupName(attributes.gid)
      let isDevice = attributes.kind == .characterDevice || attributes.kind == .blockDevice
      let size =
        isDevice
        ? DeviceNumber(attributes.device).description
        : isHuman ? SizeText.human(attributes.size) : String(attributes.size)
      return [
        showsInode ? String(attributes.node.rawValue) : "",
        ModeText.string(attributes.kind, attributes.mode), String(attributes.links),
        user ?? String(attributes.uid), group ?? String(attributes.gid), size,
        host.civilTime(attributes.modified).minutes,
      ]
    }
    let widths = (0..<7).map { column in rows.map { displayWidth($0[column]) }.max() ?? 0 }
    for (entry, row) in zip(entries, rows) {
      var line = showsInode ? padded(row[0], widths[0], .right) + " " : ""
      line += row[1] + " " + padded(row[2], widths[2], .right) + " "
      line += padded(row[3], widths[3]) + " " + padded(row[4], widths[4]) + " "
      line += padded(row[5], widths[5], .right) + " " + row[6] + " "
      var bytes = Array(line.utf8) + name(entry)
      if let target = entry.target { bytes += [UInt8](" -> ") + context.shown(target) }
      try context.write(bytes + [UInt8(ascii: "\n")])
    }
  }

  private func writeColumns(_ entries: [Entry]) throws {
    let cells = entries.map { entry -> String in
      let number = showsInode ? "\(entry.attributes.node.rawValue) " : ""
      return number + String(decoding: name(entry), as: UTF8.self)
    }
    for line in Columns.lines(cells, width: context.output.width) { try context.print(line) }
  }

  /// The name as it is shown, coloured, with its mark.
  private func name(_ entry: Entry) -> [UInt8] {
    let style = Style(context.output)
    var shown = context.shown(entry.name)
    if context.output.isColored {
      let text = String(decoding: shown, as: UTF8.self)
      switch entry.attributes.kind {
      case .directory: shown = Array(style.blue(text).utf8)
      case .symlink: shown = Array(style.cyan(text).utf8)
      case .regular where entry.attributes.mode & 0o111 != 0: shown = Array(style.green(text).utf8)
      case .regular: break
      default: shown = Array(style.yellow(text).utf8)
      }
    }
    guard classifies else { return shown }
    switch entry.attributes.kind {
    case .directory: return shown + [slash]
    case .symlink: return isLong ? shown : shown + [UInt8(ascii: "@")]
    case .fifo: return shown + [UInt8(ascii: "|")]
    case .socket: return shown + [UInt8(ascii: "=")]
    case .regular where entry.attributes.mode & 0o111 != 0: return shown + [UInt8(ascii: "*")]
    default: return shown
    }
  }

  func json(_ entry: Entry, in directory: [UInt8]?) -> JSON {
    var members = attributesJSON(entry.attributes)
    members.insert(JSON.Member("name", .bytes(entry.name)), at: 0)
    if let directory { members.insert(JSON.Member("directory", .bytes(directory)), at: 0) }
    if let target = entry.target { members.append(JSON.Member("target", .bytes(target))) }
    return .object(members)
  }
}

/// What `ls` and `stat` write of a node.
func attributesJSON(_ attributes: Attributes) -> [JSON.Member] {
  [
    JSON.Member("node", .int(attributes.node.rawValue)),
    JSON.Member("kind", .string(attributes.kind.word)),
    JSON.Member("mode", .string(ModeText.octal(attributes.mode))),
    JSON.Member("links", .int(attributes.links)),
    JSON.Member("uid", .int(attributes.uid)),
    JSON.Member("gid", .int(attributes.gid)),
    JSON.Member("size", .int(attributes.size)),
    JSON.Member("blocks", .int(attributes.blocks)),
    JSON.Member("accessed", .int(attributes.accessed)),
    JSON.Member("modified", .int(attributes.modified)),
    JSON.Member("changed", .int(attributes.changed)),
  ]
}

/// The two halves of a device's number, as Linux packs them.
struct DeviceNumber: CustomStringConvertible {
  var major: UInt32
  var minor: UInt32

  init(_ device: UInt64) {
    let (low, high) = (device & 0xFFFF_FFFF, device >> 32)
    major = UInt32(truncatingIfNeeded: (low >> 8) & 0xFFF | high & 0xFFFF_F000)
    minor = UInt32(truncatingIfNeeded: low & 0xFF | (device >> 12) & 0xFFFF_FF00)
  }

  var description: String { "\(major), \(minor)" }
}

/// Cells in as many columns as there is room for, down and then across.
enum Columns {
  static func lines(_ cells: [String], width: Int) -> [String] {
    let widths = cells.map(displayWidth)
    for rows in 1...max(1, cells.count) {
      let starts = stride(from: 0, to: cells.count, by: rows)
      let columns = starts.map { start in
        widths[start..<min(start + rows, cells.count)].max() ?? 0
      }
      let total = columns.reduce(0, +) + 2 * max(0, columns.count - 1)
      guard total <= width || rows >= cells.count else { continue }
      return (0..<min(rows, cells.count)).map { row in
        var line = ""
        for (column, start) in starts.enumerated() where start + row < cells.count {
          let isLast = start + row + rows >= cells.count
          line += isLast ? cells[start + row] : padded(cells[start + row], columns[column] + 2)
        }
        return line
      }
    }
    return []
  }
}
