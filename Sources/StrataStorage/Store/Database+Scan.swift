internal import StrataEngine
internal import SystemPackage

/// Reading a table of which pages are damaged.
extension Database {
  /// So many ids are tried one by one behind a damaged place: about as many rows as a page holds.
  private static let near: Int64 = 256

  /// Visits the rows of a table that has an `id`, in its order, and goes on behind what is damaged.
  /// - Parameters:
  ///   - columns: what is read; the `id` comes before them, as column 0.
  /// - Returns: whether all could be read.
  /// - Throws: what the body throws, and what the database says besides EIO.
  @discardableResult
  func scan(
    _ columns: String, of table: String, _ body: (Row) throws(FileError) -> Void
  ) throws(FileError) -> Bool {
    var next: Int64 = 0
    var isWhole = true
    while true {
      var failure: FileError?
      do throws(FileError) {
        try run(
          "SELECT id, \(columns) FROM \(table) WHERE id >= ? ORDER BY id", [.integer(next)]
        ) { row throws(FileError) in
          // In a damaged tree they need not be in order, and there may be no end to them.
          guard row.integer(0) >= next else { throw .damaged }
          do throws(FileError) { try body(row) } catch {
            failure = error
            throw error
          }
          next = row.integer(0) &+ 1
        }
        return isWhole
      } catch {
        if let failure { throw failure }
        guard error.errno == .ioError else { throw error }
        isWhole = false
        guard let place = try readable(from: next, in: table) else { return false }
        next = place
      }
    }
  }

  private enum Probe: Equatable {
    case row(Int64)
    case end
    case damaged
  }

  /// - Returns: the id of a row behind a damaged place; nil if none can be read.
  private func readable(from damaged: Int64, in table: String) throws(FileError) -> Int64? {
    var (low, step) = (damaged, Int64(1))
    while true {
      let (high, isBeyond) = low.addingReportingOverflow(step)
      if isBeyond { return nil }
      if try probe(high, table) != .damaged { return try first(after: low, upTo: high, table) }
      low = high
      if low - damaged >= Self.near { step = step &* 2 }
    }
  }

  /// The row at the beginning of what can be read, between an id where it cannot and one where it can.
  private func first(
    after low: Int64, upTo high: Int64, _ table: String
  ) throws(FileError) -> Int64? {
    var (low, high) = (low, high)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if try probe(middle, table) == .damaged { low = middle } else { high = middle }
    }
    guard case .row(let id) = try probe(high, table) else { return nil }
    return id
  }

  private func probe(_ id: Int64, _ table: String) throws(FileError) -> Probe {
    switch firstNumber("SELECT id FROM \(table) WHERE id >= ? ORDER BY id LIMIT 1", id) {
    case .success(let found?): return found >= id ? .row(found) : .damaged
    case .success(nil): return .end
    case .failure(let error):
      guard error.errno == .ioError else { throw error }
      return .damaged
    }
  }
}
