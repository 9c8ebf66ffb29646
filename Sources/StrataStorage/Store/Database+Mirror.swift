internal import StrataEngine
internal import SystemPackage

/// The small tables without which nothing of a workspace can be opened. Each has a mirror, in other
/// pages: triggers put there what is put into the table.
extension Database {
  enum MirroredTable: String, CaseIterable {
    case counter, base, fork
    case sideLayer = "side_layer"

    fileprivate var mirror: String { "\(rawValue)_mirror" }

    var columns: String {
      switch self {
      case .counter: "name, value"
      case .base: "place, path"
      case .fork: "id, name, parent, value, origin"
      case .sideLayer: "id, name, data"
      }
    }
  }

  /// The rows of a table in the order of its key, or those of its mirror if that has more that can be
  /// read.
  /// - Throws: what the table says, if neither can be read.
  func rows<R>(
    of table: MirroredTable, _ body: (Row) throws(FileError) -> R
  ) throws(FileError) -> [R] {
    let rows: [R]
    do throws(FileError) {
      rows = try read(table.rawValue, table, body)
    } catch {
      guard error.errno == .ioError, let rows = try? mirrorRows(of: table, body) else {
        throw error
      }
      return rows
    }
    var count: Int64 = 0
    try? run("SELECT count(*) FROM \(table.mirror)") { count = $0.integer(0) }
    guard count > rows.count, let others = try? mirrorRows(of: table, body) else { return rows }
    return others
  }

  func mirrorRows<R>(
    of table: MirroredTable, _ body: (Row) throws(FileError) -> R
  ) throws(FileError) -> [R] {
    try read(table.mirror, table, body)
  }

  private func read<R>(
    _ name: String, _ table: MirroredTable, _ body: (Row) throws(FileError) -> R
  ) throws(FileError) -> [R] {
    var found: [R] = []
    try run("SELECT \(table.columns) FROM \(name) ORDER BY 1") { row throws(FileError) in
      found.append(try body(row))
    }
    return found
  }

  /// Removes rows, those as well that the mirror has and the table has lost.
  func remove(
    from table: MirroredTable, where condition: String = "true", _ values: [Value] = []
  ) throws(FileError) {
    for name in [table.rawValue, table.mirror] {
      try run("DELETE FROM \(name) WHERE \(condition)", values)
    }
  }

  /// Tables of which the mirror has something else, though both can be read.
  func differences() throws(FileError) -> [String] {
    var found: [String] = []
    for table in MirroredTable.allCases {
      let (name, mirror) = (table.rawValue, table.mirror)
      var count: Int64 = 0
      for (one, other) in [(name, mirror), (mirror, name)] {
        try run(
          """
          SELECT count(*) FROM
          (SELECT \(table.columns) FROM \(one) EXCEPT SELECT \(table.columns) FROM \(other))
          """
        ) { count += $0.integer(0) }
      }
      if count > 0 { found.append("the table \(name) and its mirror differ") }
    }
    return found
  }
}
