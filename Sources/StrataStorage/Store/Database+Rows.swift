internal import StrataEngine
internal import SystemPackage

/// The rows of a workspace.
extension Database {
  func write(_ records: [UInt64: [UInt8]]) throws(FileError) {
    for id in records.keys.sorted() {
      guard let bytes = records[id] else { continue }
      try run(
        "INSERT OR REPLACE INTO record(id, data, checksum) VALUES(?, ?, ?)",
        [.number(id), .blob(bytes), .number(Checksum.of(bytes))])
    }
  }

  /// What is written to a file once more is summed up later, as what the kernel has written.
  func write(_ checksums: [DataFiles.Key: UInt64?]) throws(FileError) {
    for (key, sum) in checksums {
      try run(
        """
        INSERT INTO data_file(layer, node, checksum) VALUES(?, ?, ?)
        ON CONFLICT DO UPDATE SET checksum = NULL
        """,
        [
          .number(key.layer.rawValue), .number(key.node.rawValue),
          sum.map { .number($0) } ?? .null,
        ])
    }
  }

  /// - Parameter isKnown: for a file that has no checksum yet: it must not have got one meanwhile.
  func set(_ checksum: UInt64?, of key: DataFiles.Key, isKnown: Bool = true) throws(FileError) {
    let value: Value = checksum.map { .number($0) } ?? .null
    let numbers: [Value] = [.number(key.layer.rawValue), .number(key.node.rawValue), value]
    if isKnown {
      try run(
        "INSERT OR REPLACE INTO data_file(layer, node, checksum) VALUES(?1, ?2, ?3)", numbers)
    } else {
      try run(
        """
        UPDATE data_file SET checksum = ?3 WHERE layer = ?1 AND node = ?2 AND checksum IS NULL
        """, numbers)
    }
  }

  /// The next file whose content was not summed up yet.
  func unsummed(after last: DataFiles.Key?) throws(FileError) -> DataFiles.Key? {
    var found: DataFiles.Key?
    try run(
      """
      SELECT layer, node FROM data_file WHERE checksum IS NULL AND (layer, node) > (?, ?)
        AND layer IN (SELECT id FROM layer)
      ORDER BY layer, node LIMIT 1
      """,
      [
        last.map { .number($0.layer.rawValue) } ?? .integer(-1),
        last.map { .number($0.node.rawValue) } ?? .integer(-1),
      ]
    ) { row in
      found = DataFiles.Key(layer: LayerID(row.number(0)), node: NodeID(row.number(1)))
    }
    return found
  }

  enum KnownChecksum: Equatable {
    case none
    case later
    case sum(UInt64)
  }

  func checksum(of key: DataFiles.Key) throws(FileError) -> KnownChecksum {
    var found = KnownChecksum.none
    try run(
      "SELECT checksum FROM data_file WHERE layer = ? AND node = ?",
      [.number(key.layer.rawValue), .number(key.node.rawValue)]
    ) { found = $0.isNull(0) ? .later : .sum($0.number(0)) }
    return found
  }

  func record(_ id: UInt64) throws(FileError) -> [UInt8] {
    var found: [UInt8]?
    var checksum: UInt64 = 0
    try run("SELECT data, checksum FROM record WHERE id = ?", [.number(id)]) { row in
      found = row.blob(0)
      checksum = row.number(1)
    }
    guard let found else { throw FileError(.ioError, "record \(id) is missing") }
    guard Checksum.of(found) == checksum else {
      throw FileError(.ioError, "record \(id) has a wrong checksum")
    }
    return found
  }

  func write(_ batch: StoreBatch) throws(FileError) {
    let counters = batch.counters
    for (name, value) in [
      ("node", counters.node), ("layer", counters.layer), ("fork", UInt64(counters.fork)),
      ("record", counters.record), ("operation", counters.operation),
      ("version", counters.version),
    ] {
      try run(
        "INSERT OR REPLACE INTO counter(name, value) VALUES(?, ?)", [.text(name), .number(value)])
    }
    for layer in batch.layers {
      try run(
        """
        INSERT OR REPLACE INTO layer(id, fork, name, parent, depth, stats, sources)
        VALUES(?, ?, ?, ?, ?, ?, ?)
        """,
        [
          .number(layer.id.rawValue), .integer(Int64(layer.fork.rawValue)), .text(layer.name),
          .number(layer.parent.rawValue), .integer(Int64(layer.depth)), .blob(layer.stats.encoded),
          .blob(layer.encodedSources),
        ])
    }
    for operation in batch.droppedOperations {
      try run("DELETE FROM operation WHERE id = ?", [.number(operation)])
    }
    for operation in batch.operations {
      try run(
        """
        INSERT OR REPLACE INTO operation(id, fork, command, time, before, after, layer, state)
        VALUES(?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
          .number(operation.id), .integer(Int64(operation.fork.rawValue)),
          .text(operation.command), .integer(operation.time), .blob(operation.before.encoded),
          .blob(operation.after.encoded), .number(operation.layer.rawValue),
          .integer(operation.state.rawValue),
        ])
    }
    for node in batch.baseNodes {
      let identity = node.status.identity
      try run(
        """
        INSERT OR REPLACE INTO base_node(id, base, device, inode, generation, data)
        VALUES(?, ?, ?, ?, ?, ?)
        """,
        [
          .number(node.id.rawValue), .integer(Int64(node.places.first?.base ?? 0)),
          .number(identity.device), .number(identity.inode), .number(identity.generation),
          .blob(node.encoded),
        ])
    }
    for fork in batch.droppedForks {
      try remove(from: .fork, where: "id = ?", [.integer(Int64(fork.rawValue))])
      try run("DELETE FROM operation WHERE fork = ?", [.integer(Int64(fork.rawValue))])
    }
    for fork in batch.forks {
      try run(
        "INSERT OR REPLACE INTO fork(id, name, parent, value, origin) VALUES(?, ?, ?, ?, ?)",
        [
          .integer(Int64(fork.id.rawValue)), .text(fork.name),
          fork.parent.map { .integer(Int64($0.rawValue)) } ?? .null, .blob(fork.value.encoded),
          .blob(fork.origin.encoded),
        ])
    }
    for layer in batch.sideLayers {
      try run(
        "INSERT OR REPLACE INTO side_layer(id, name, data) VALUES(?, ?, ?)",
        [
          .integer(Int64(layer.id.rawValue)), .text(layer.name),
          layer.dataDirectory.map { .blob($0) } ?? .null,
        ])
    }
  }

  /// The newest few of a node push out the older ones.
  func write(_ events: [StoredEvent]) throws(FileError) {
    var nodes: Set<NodeID> = []
    for event in events {
      try run(
        "INSERT INTO event(node, kind, source, layer, bytes, rule) VALUES(?, ?, ?, ?, ?, ?)",
        [
          .number(event.node.rawValue), .text(event.kind.rawValue), .number(event.from.rawValue),
          .number(event.to.rawValue), event.bytes.map { .integer($0) } ?? .null,
          event.rule.map { .text($0) } ?? .null,
        ])
      nodes.insert(event.node)
    }
    for node in nodes {
      try run(
        """
        DELETE FROM event WHERE node = ?1 AND id <= (
          SELECT id FROM event WHERE node = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
        """,
        [.number(node.rawValue), .integer(Int64(StoredEvent.mostPerNode))])
    }
  }

  func events(of node: NodeID) throws(FileError) -> [StoredEvent] {
    var found: [StoredEvent] = []
    try run(
      "SELECT kind, source, layer, bytes, rule FROM event WHERE node = ? ORDER BY id",
      [.number(node.rawValue)]
    ) { row in
      // A kind that only a newer strata knows says nothing here.
      guard let kind = EventKind(rawValue: row.text(0)) else { return }
      found.append(
        StoredEvent(
          node: node, kind: kind, from: LayerID(row.number(1)), to: LayerID(row.number(2)),
          bytes: row.isNull(3) ? nil : row.integer(3), rule: row.isNull(4) ? nil : row.text(4)))
    }
    return found
  }
}
