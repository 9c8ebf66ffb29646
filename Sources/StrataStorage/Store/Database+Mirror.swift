internal import StrataEngine
internal import SystemPackage

/// The small tables without which nothing of a workspace can be opened. Each has a mirror, kept by
/// triggers: rows of two tables never share a page.
extension Database {
  enum MirroredTable: String, CaseIterable {
    case counter, base, fork
    case sideLayer = "side_layer"

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
    func read(_ name: String) throws(FileError) -> [R] {
      var found: [R] = []
      try run("SELECT \(table.columns) FROM \(name) ORDER BY 1") { row throws(FileError) in
        found.append(try body(row))
      }
      return found
    }
    func mirror() throws(FileError) -> [R] { try read("\(table.rawValue)_mirror") }
    let rows: [R]
    do throws(FileError) {
      rows = try read(table.rawValue)
    } catch {
      guard error.errno == .ioError, let rows = try? mirror() else { throw error }
      return rows
    }
    var count: Int64 = 0
    try? run("SELECT count(*) FROM \(table.rawValue)_mirror") { count = $0.integer(0) }
    guard count > rows.count, let others = try? mirror() else { return rows }
    return others
  }

  /// Tables of which the mirror has something else, though both can be read.
  func differences() throws(FileError) -> [String] {
    var found: [String] = []
    for table in MirroredTable.allCases {
      let (name, mirror) = (table.rawValue, "\(table.rawValue)_mirror")
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
