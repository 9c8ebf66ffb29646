/// Rows in columns that are as wide as what is in them.
struct Table {
  private let sides: [Side]
  private var rows: [[String]] = []
  private let style: Style

  init(_ header: [String], _ sides: [Side], _ style: Style) {
    self.sides = sides
    self.style = style
    rows = [header.map(style.dim)]
  }

  mutating func add(_ row: [String]) { rows.append(row) }

  var text: String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? displayWidth($0[column]) : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = row.enumerated().map { column, cell in
        padded(cell, widths[column], column < sides.count ? sides[column] : .left)
      }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}

/// `1 file`, `3 files`.
package func counted(_ number: some BinaryInteger, _ one: String, _ many: String? = nil) -> String {
  "\(number) \(number == 1 ? one : many ?? one + "s")"
}
