internal import StrataEngine

/// The rows of a workspace, read.
extension Database {
  /// Nil for a store that nothing was committed to.
  func opening() throws(FileError) -> StoredOpening? {
    guard let counters = try counters() else { return nil }
    var stored = StoredOpening()
    stored.counters = counters
    stored.forks = try forks()
    stored.sideLayers = try sideLayers()
    // What of the log lies in damaged pages is not there; `check` names it.
    try scan("fork, state", of: "operation") { row throws(FileError) in
      guard let state = StoredOperation.State(rawValue: row.integer(2)) else { throw .damaged }
      stored.operations.append(
        .init(
          id: row.number(0), fork: ForkID(UInt32(truncatingIfNeeded: row.integer(1))),
          state: state))
    }
    return stored
  }

  /// Nil for a store that nothing was committed to.
  func workspace() throws(FileError) -> StoredWorkspace? {
    guard let counters = try counters() else { return nil }
    var stored = StoredWorkspace()
    stored.counters = counters
    stored.forks = try forks()
    stored.sideLayers = try sideLayers()
    let isWhole = try scan(Self.layerColumns, of: "layer") { row throws(FileError) in
      stored.layers.append(try StoredLayer(row))
    }
    stored.isWhole =
      try scan(Self.operationColumns, of: "operation") { row throws(FileError) in
        stored.operations.append(try StoredOperation(row))
      } && isWhole
    return stored
  }

  private func counters() throws(FileError) -> StoredCounters? {
    func pair(_ row: Row) -> (String, UInt64) { (row.text(0), row.number(1)) }
    var rows = try rows(of: .counter, pair)
    guard !rows.isEmpty else { return nil }
    // Of two that differ the greater: no number is given out again.
    rows += (try? mirrorRows(of: .counter, pair)) ?? []
    var counters = StoredCounters()
    for (name, value) in rows {
      switch name {
      case "node": counters.node = max(counters.node, value)
      case "layer": counters.layer = max(counters.layer, value)
      case "fork": counters.fork = max(counters.fork, UInt32(truncatingIfNeeded: value))
      case "record": counters.record = max(counters.record, value)
      case "operation": counters.operation = max(counters.operation, value)
      case "version": counters.version = max(counters.version, value)
      default: break
      }
    }
    return counters
  }

  private func forks() throws(FileError) -> [StoredFork] {
    try rows(of: .fork) { row throws(FileError) in
      StoredFork(
        id: ForkID(UInt32(truncatingIfNeeded: row.integer(0))), name: row.text(1),
        parent: row.isNull(2) ? nil : ForkID(UInt32(truncatingIfNeeded: row.integer(2))),
        value: try .init(encoded: row.blob(3)), origin: try .init(encoded: row.blob(4)))
    }
  }

  private func sideLayers() throws(FileError) -> [SideLayer] {
    try rows(of: .sideLayer) { row in
      SideLayer(
        id: SideLayerID(UInt16(truncatingIfNeeded: row.integer(0))), name: row.text(1),
        dataDirectory: row.isNull(2) ? nil : row.blob(2))
    }
  }

  private static let layerColumns = "fork, name, parent, depth, stats, sources"
  private static let operationColumns = "fork, command, time, before, after, layer, state"

  /// - Parameter which: the rest of the query.
  func layers(_ which: String, _ values: [Value] = []) throws(FileError) -> [StoredLayer] {
    var found: [StoredLayer] = []
    try run("SELECT id, \(Self.layerColumns) FROM layer \(which)", values) {
      row throws(FileError) in found.append(try StoredLayer(row))
    }
    return found
  }

  /// - Parameter which: the rest of the query.
  func operations(
    _ which: String, _ values: [Value] = []
  ) throws(FileError) -> [StoredOperation] {
    var found: [StoredOperation] = []
    try run("SELECT id, \(Self.operationColumns) FROM operation \(which)", values) {
      row throws(FileError) in found.append(try StoredOperation(row))
    }
    return found
  }

  func baseNode(_ id: NodeID) throws(FileError) -> StoredBaseNode? {
    var found: StoredBaseNode?
    try run("SELECT data FROM base_node WHERE id = ?", [.number(id.rawValue)]) {
      row throws(FileError) in
      found = try StoredBaseNode(encoded: row.blob(0), id: id)
    }
    return found
  }

  func baseNodes(numbered numbers: ClosedRange<NodeID>) throws(FileError) -> [NodeID] {
    var found: [NodeID] = []
    try run(
      "SELECT id FROM base_node WHERE id BETWEEN ? AND ?",
      [.number(numbers.lowerBound.rawValue), .number(numbers.upperBound.rawValue)]
    ) { found.append(NodeID($0.number(0))) }
    return found
  }

  func hasBaseNode(numbered numbers: ClosedRange<UInt64>) throws(FileError) -> Bool {
    var found = false
    // 0 is the device of the base's root, wherever that is mounted.
    try run(
      "SELECT 1 FROM base_node WHERE id BETWEEN ? AND ? AND device = 0 LIMIT 1",
      [.number(numbers.lowerBound), .number(numbers.upperBound)]
    ) { _ throws(FileError) in found = true }
    return found
  }

  func baseNode(
    base: Int, _ identity: BaseIdentity
  ) throws(FileError) -> StoredBaseNode? {
    var found: StoredBaseNode?
    try run(
      """
      SELECT id, data FROM base_node
      WHERE inode = ? AND device = ? AND base = ? AND generation = ? ORDER BY id DESC LIMIT 1
      """,
      [
        .number(identity.inode), .number(identity.device), .integer(Int64(base)),
        .number(identity.generation),
      ]
    ) { row throws(FileError) in
      found = try StoredBaseNode(encoded: row.blob(1), id: NodeID(row.number(0)))
    }
    return found
  }
}

extension StoredLayer {
  fileprivate init(_ row: Database.Row) throws(FileError) {
    self.init(
      id: LayerID(row.number(0)), fork: ForkID(UInt32(truncatingIfNeeded: row.integer(1))),
      name: row.text(2), parent: LayerID(row.number(3)), depth: Int(row.integer(4)),
      stats: try .init(encoded: row.blob(5)),
      sources: try StoredLayer.sources(encoded: row.blob(6)))
  }
}

extension StoredOperation {
  fileprivate init(_ row: Database.Row) throws(FileError) {
    guard let state = StoredOperation.State(rawValue: row.integer(7)) else { throw .damaged }
    self.init(
      id: row.number(0), fork: ForkID(UInt32(truncatingIfNeeded: row.integer(1))),
      command: row.text(2), time: row.integer(3), before: try .init(encoded: row.blob(4)),
      after: try .init(encoded: row.blob(5)), layer: LayerID(row.number(6)), state: state)
  }
}
