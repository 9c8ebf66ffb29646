public import StrataEngine
internal import SystemPackage

/// Removing what nothing leads to, on a full disk too.
extension DurableStore {
  /// Rows that are removed at once, and on a disk without room: the pages that each touches are
  /// written to the log first.
  private static let step = 20_000
  private static let smallStep = 64

  /// First the operations that lead there, then files, which gives room back at once, then records.
  /// After a crash in between, something is left that nothing leads to, which the next time finds.
  public func remove(_ garbage: StoreGarbage) throws(FileError) {
    try changing { () throws(FileError) in
      var isTight = false
      try remove("operation WHERE id = ?", garbage.operations, &isTight)
      for file in garbage.files { try files.remove(.init(layer: file.layer, node: file.node)) }
      for commit in garbage.commits { try kept.remove(commit) }
      try punch(garbage.holes, &isTight)
      if isTight { emptyLog() }
      try remove("record WHERE id = ?", garbage.records, &isTight)
      let gone = Set(garbage.layers)
      let layers = garbage.layers.map(\.rawValue)
      try remove("event WHERE layer = ?", layers, &isTight)
      try remove("layer WHERE id = ?", layers, &isTight)
      try remove("base_node WHERE id = ?", garbage.baseNodes.map(\.rawValue), &isTight)
      // Those of layers that are kept; the others' have gone with them.
      try remove("data_file WHERE layer = ?", layers, &isTight)
      try remove(garbage.files.filter { !gone.contains($0.layer) }, &isTight)
      try shorten()
      emptyLog()
      reserve.make()
    }
  }

  /// The files are summed up anew: their checksums go before any of it.
  private func punch(
    _ holes: [DataFileID: [Range<UInt64>]], _ isTight: inout Bool
  ) throws(FileError) {
    guard !holes.isEmpty else { return }
    try inSteps(Array(holes.keys), &isTight) { file throws(FileError) in
      try database.set(nil, of: .init(layer: file.layer, node: file.node))
    }
    for (file, blocks) in holes {
      try files.punch(.init(layer: file.layer, node: file.node), blocks)
    }
    try files.sync()
    startSumming()
  }

  /// Deletes the rows that a condition finds for each number.
  /// - Parameter isTight: whether there was no room; then it goes by small steps.
  private func remove(
    _ rows: String, _ numbers: [UInt64], _ isTight: inout Bool
  ) throws(FileError) {
    try inSteps(numbers, &isTight) { number throws(FileError) in
      try database.run("DELETE FROM \(rows)", [.number(number)])
    }
  }

  private func remove(_ rows: [DataFileID], _ isTight: inout Bool) throws(FileError) {
    try inSteps(rows, &isTight) { file throws(FileError) in
      try database.run(
        "DELETE FROM data_file WHERE layer = ? AND node = ?",
        [.number(file.layer.rawValue), .number(file.node.rawValue)])
    }
  }

  private func inSteps<Item>(
    _ items: [Item], _ isTight: inout Bool, _ remove: (Item) throws(FileError) -> Void
  ) throws(FileError) {
    var rest = items[...]
    while !rest.isEmpty {
      let part = rest.prefix(isTight ? Self.smallStep : Self.step)
      do throws(FileError) {
        try database.transaction { () throws(FileError) in
          for item in part { try remove(item) }
        }
        rest = rest.dropFirst(part.count)
        if isTight { emptyLog() }
      } catch  where error.isLackOfRoom && !isTight {
        isTight = true
        _ = reserve.release()
      }
    }
  }

  /// Brings what is in SQLite's log to its place, so that it takes no room. Not where the database
  /// might have to grow by more than there is: that would take what room is left, and come to nothing.
  func emptyLog() {
    var pages: Int64 = 0
    try? database.run("PRAGMA page_count") { pages = $0.integer(0) }
    guard reserve.hasRoom(for: "store.db", growingTo: pages * 4096) else { return }
    try? database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
  }

  /// Gives the database's free pages back to the disk; where that finds no room, a few at a time.
  private func shorten() throws(FileError) {
    do throws(FileError) {
      try database.execute("PRAGMA incremental_vacuum")
    } catch  where error.isLackOfRoom {
      _ = reserve.release()
      var left = Int64.max
      while true {
        emptyLog()
        var free: Int64 = 0
        try database.run("PRAGMA freelist_count") { free = $0.integer(0) }
        guard free > 0, free < left else { return }
        left = free
        // Pages that stay free are used again; nothing is lost with them.
        guard (try? database.execute("PRAGMA incremental_vacuum(256)")) != nil else { return }
      }
    }
  }
}
