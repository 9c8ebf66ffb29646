public import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// Looking after the store.
extension DurableStore {
  public func inventory() throws(FileError) -> StoreInventory {
    try locked { () throws(FileError) in
      var found = StoreInventory()
      try database.scan("length(data)", of: "record") { row in
        found.records[row.number(0)] = Int(row.integer(1))
      }
      try database.scan("id", of: "layer") { found.layers.insert(LayerID($0.number(0))) }
      try database.scan("data", of: "base_node") { row in
        let id = NodeID(row.number(0))
        do throws(FileError) {
          _ = try StoredBaseNode(encoded: row.blob(1), id: id)
          found.baseNodes.insert(id)
        } catch {
          found.damagedBaseNodes[id] = error.reason ?? error.errno.description
        }
      }
      for layer in try files.layers() {
        for row in try files.nodes(in: layer) {
          found.files[DataFileID(layer: layer, node: row.node)] = .init(
            size: row.size, allocated: row.blocks * 512)
        }
      }
      return found
    }
  }

  public func keptCommits() throws(FileError) -> [BaseVersion: Int64] {
    try locked { () throws(FileError) in try kept.sizes() }
  }

  public func integrity() throws(FileError) -> [String] {
    try locked { () throws(FileError) in try problems() }
  }

  /// The same for who has the mutex.
  func problems() throws(FileError) -> [String] { try head.damage + database.integrity() }

  public func verify(layer: LayerID, node: NodeID) throws(FileError) {
    let key = DataFiles.Key(layer: layer, node: node)
    try core.sum(key) { () throws(FileError) in
      // What is written now gets its checksum with the next commit.
      guard files.checksums[key] == nil else { return nil as Database.KnownChecksum? }
      return try database.checksum(of: key)
    } settle: { (known, sum) throws(FileError) in
      guard let known, let sum else { return }
      switch known {
      case .none: throw FileError(.ioError, "has no checksum in the store")
      case .later:
        // Where there is no room for it, it is made the next time.
        if !isReadOnly { try? database.set(sum, of: key, isKnown: false) }
      case .sum(let expected):
        if sum != expected { throw FileError(.ioError, "has a wrong checksum") }
      }
    }
  }

  public func accept(record: UInt64) throws(FileError) {
    try changing { () throws(FileError) in
      var bytes: [UInt8] = []
      // A row that the database cannot read any more is put anew.
      try? database.run("SELECT data FROM record WHERE id = ?", [.number(record)]) {
        bytes = $0.blob(0)
      }
      try database.transaction { () throws(FileError) in try database.write([record: bytes]) }
    }
  }

  public func accept(layer: LayerID, node: NodeID, size: Int64) throws(FileError) {
    let key = DataFiles.Key(layer: layer, node: node)
    try core.sum(key) { () throws(FileError) in
      try files.extend(key, to: size)
      try files.sync()
    } settle: { (_, sum) throws(FileError) in
      try database.set(sum, of: key)
      if sum == nil { startSumming() }
    }
  }
}

extension Database {
  /// What SQLite's own check complains about, and where the small tables and their mirrors differ.
  func integrity() throws(FileError) -> [String] {
    var problems: [String] = []
    do throws(FileError) {
      try run("PRAGMA integrity_check(20)") { row in
        if row.text(0) != "ok" { problems.append(row.text(0)) }
      }
    } catch {
      guard error.errno == .ioError else { throw error }
      problems.append(error.reason ?? error.errno.description)
    }
    if problems.isEmpty { problems = try differences() }
    return problems
  }
}
