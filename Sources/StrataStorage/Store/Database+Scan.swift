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
    // Behind the row before the last one, and how far back it went before.
    var (sure, furthest) = (Int64(0), Int64(-1))
    while true {
      var failure: FileError?
      var smaller: Int64?
      do throws(FileError) {
        try run(
          "SELECT id, \(columns) FROM \(table) WHERE id >= ? ORDER BY id", [.integer(next)]
        ) { row throws(FileError) in
          // In a damaged tree they need not be in order, and there may be no end to them.
          guard row.integer(0) >= next else {
            smaller = row.integer(0)
            throw .damaged
          }
          do throws(FileError) { try body(row) } catch {
            failure = error
            throw error
          }
          (sure, next) = (next, row.integer(0) &+ 1)
        }
        return isWhole
      } catch {
        if let failure { throw failure }
        guard error.errno == .ioError else { throw error }
        isWhole = false
        if let smaller, smaller >= sure, smaller > furthest {
          // The row before was one that the damage has made up; what comes behind it is not lost.
          (furthest, sure, next) = (smaller, smaller, smaller)
          continue
        }
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
    // A larger id than was asked for may be one that the damage has made up, in front of what is there.
    var candidate: Int64?
    while true {
      let (high, isBeyond) = low.addingReportingOverflow(step)
      if isBeyond { return candidate }
      let found = try probe(high, table)
      if found == .row(high) || found == .end || candidate.map({ $0 <= high }) ?? false {
        if let id = try first(after: low, upTo: high, table) { return id }
        if found == .end { return candidate }
        candidate = nil
      }
      if case .row(let id) = found { candidate = min(candidate ?? id, id) }
      low = high
      if low - damaged >= Self.near { step = step &* 2 }
    }
  }

  /// The first row between two ids, as far as a search by halves finds it.
  private func first(
    after low: Int64, upTo high: Int64, _ table: String
  ) throws(FileError) -> Int64? {
    var (low, end, found) = (low, high, Int64?.none)
    while low < end {
      let middle = low + (end - low + 1) / 2
      if case .row(let id) = try probe(middle, table), id <= high {
        (end, found) = (middle - 1, id)
      } else {
        low = middle
      }
    }
    return found
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
