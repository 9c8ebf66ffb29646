public import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// A database of which pages are damaged is made anew from what can be read of it.
extension DurableStore {
  private static let new = "store.db-new"
  /// Tables that have an `id`, with what else is in them. Others have a mirror, or are made by other
  /// means.
  private static let tables = [
    ("record", "data, checksum"), ("layer", "fork, name, parent, stats, depth, sources"),
    ("operation", "fork, command, time, before, after, layer, state"),
    ("base_node", "base, device, inode, generation, data"),
    ("event", "node, kind, source, layer, bytes, rule"),
  ]

  public func rebuild() throws(FileError) -> [String] {
    try changing { () throws(FileError) in
      guard try !problems().isEmpty else { return [] }
      try head.forget()
      let differences = (try? database.differences()) ?? []
      let lines = try (try? vacuum()) == true ? [] : copy()
      head.make(of: database)
      try head.settle()
      return differences + lines + ["store.db was made anew from what could be read of it"]
    }
  }

  /// Where only the lists of free pages or an index are damaged, SQLite can do it.
  /// - Returns: whether the database is whole then.
  private func vacuum() throws(FileError) -> Bool {
    try database.execute("VACUUM")
    return try database.integrity().isEmpty
  }

  /// - Returns: which tables have lost rows.
  private func copy() throws(FileError) -> [String] {
    discardNew()
    var lines: [String] = []
    do throws(FileError) {
      let new = try Database(in: root, Self.new)
      try Schema.setUp(new)
      try Schema.prepare(new)
      try new.transaction { () throws(FileError) in
        for (table, columns) in Self.tables {
          var isTaken = true
          let isRead = try database.scan(columns, of: table) { row throws(FileError) in
            isTaken = try new.insert(row.values, into: table, "id, \(columns)") && isTaken
          }
          if !isRead || !isTaken { lines.append("rows of the table \(table) are lost") }
        }
        for table in Database.MirroredTable.allCases {
          var isTaken = true
          for values in try database.rows(of: table, \.values) {
            isTaken = try new.insert(values, into: table.rawValue, table.columns) && isTaken
          }
          if !isTaken { lines.append("rows of the table \(table.rawValue) are lost") }
        }
        try copyChecksums(to: new)
      }
    } catch {
      discardNew()
      throw error
    }
    try swap()
    return lines
  }

  /// A file whose checksum is lost gets a new one, of what it holds.
  private func copyChecksums(to new: Database) throws(FileError) {
    for layer in try files.layers() {
      for row in try files.nodes(in: layer) {
        let key = DataFiles.Key(layer: layer, node: row.node)
        let known = (try? database.checksum(of: key)) ?? .later
        switch known {
        case .none: continue
        case .later: try new.set(nil, of: key)
        case .sum(let sum): try new.set(sum, of: key)
        }
      }
    }
  }

  /// The log of the old one must be gone before: it would be taken for the new one's.
  private func swap() throws(FileError) {
    database.close()
    do throws(Errno) {
      let log = try? root.status(ofEntry: Array("store.db-wal".utf8)).size
      guard log ?? 0 == 0 else { throw Errno.ioError }
      try root.rename(Array(Self.new.utf8), to: Array("store.db".utf8), keepingExisting: false)
      try root.syncEntries()
    } catch {
      core.database = try Self.open(in: root)
      throw FileError(error, "\(Self.new): \(error.description)")
    }
    core.database = try Self.open(in: root)
  }

  private func discardNew() {
    for suffix in ["", "-journal", "-wal"] { try? root.unlink(Array((Self.new + suffix).utf8)) }
  }
}

extension Database {
  /// Puts a row of a query for the same columns.
  /// - Returns: whether the table can have it; one that a damaged page has made up is left out.
  fileprivate func insert(
    _ values: [Value], into table: String, _ columns: String
  ) throws(FileError) -> Bool {
    let marks = Array(repeating: "?", count: values.count).joined(separator: ", ")
    try run("INSERT OR IGNORE INTO \(table)(\(columns)) VALUES(\(marks))", values)
    return changes > 0
  }
}
