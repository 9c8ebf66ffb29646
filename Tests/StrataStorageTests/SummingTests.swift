import StrataEngine
import StrataTestSupport
import Testing

@testable import StrataStorage

/// Checksums of data files that are made while others use the store.
@Suite struct SummingTests {
  private let directory: TemporaryDirectory
  private let store: DurableStore
  private let layer = LayerID(3)
  private let node = NodeID(7)
  private var key: DataFiles.Key { .init(layer: layer, node: node) }

  init() throws {
    directory = try TemporaryDirectory("strata-summing")
    store = try DurableStore(directory: Array(directory.path.utf8))
    try write(0x61)
  }

  private func write(_ byte: UInt8) throws {
    let bytes = [UInt8](repeating: byte, count: Block.size)
    try bytes.withUnsafeBytes { try store.write($0, layer: layer, node: node, at: 0) }
  }

  /// What it comes to, with something done before each piece is read.
  private func sum(_ meanwhile: () -> Bool) throws -> (isSettled: Bool, sum: UInt64?) {
    var result: (Bool, UInt64?) = (false, nil)
    try store.core.sum(key, unless: meanwhile) {
    } settle: { (_, sum) throws(FileError) in
      result = (true, sum)
    }
    return result
  }

  @Test func `a file is read without keeping others from the store`() throws {
    var isRead = false
    let (isSettled, sum) = try sum {
      // The mutex is not recursive.
      do { isRead = try store.layer(layer) == nil } catch {}
      return false
    }
    let bytes = [UInt8](repeating: 0x61, count: Block.size)
    #expect(isSettled && sum == bytes.withUnsafeBytes { Checksum.ofBlocks($0, first: 0) })
    #expect(isRead)
  }

  @Test func `what is changed meanwhile has no sum, and a further reader is none the wiser`() throws
  {
    var inner: (isSettled: Bool, sum: UInt64?)?
    let outer = try sum {
      try? write(0x62)
      inner = try? sum { false }
      return false
    }
    #expect(outer.isSettled && outer.sum == nil)
    #expect(inner?.sum != nil)
  }

  @Test func `reading stops when it is told to`() throws {
    #expect(try !sum { true }.isSettled)
  }

  @Test func `what is being written is no damage`() throws {
    try store.commit(StoreBatch())
    try store.verify(layer: layer, node: node)
    try write(0x62)
    try store.verify(layer: layer, node: node)
    #expect(throws: FileError.self) { try store.verify(layer: layer, node: NodeID(8)) }
  }

  @Test func `files of closed layers without a sum come one after the other`() throws {
    let keys = [(1, 9), (2, 1), (2, 5), (4, 0)].map {
      DataFiles.Key(layer: LayerID($0.0), node: NodeID($0.1))
    }
    try store.locked { () throws(FileError) in
      for key in keys.reversed() { try store.database.set(nil, of: key) }
      try store.database.set(1, of: .init(layer: LayerID(2), node: NodeID(3)))
      // A layer that has no row yet is still being written.
      try store.database.set(nil, of: .init(layer: LayerID(3), node: NodeID(1)))
      for id in [1, 2, 4] {
        try store.database.run(
          "INSERT INTO layer(id, fork, name, parent, stats) VALUES(?, 1, 'main', 0, x'')",
          [.integer(Int64(id))])
      }
    }
    var found: [DataFiles.Key] = []
    while let next = try store.locked({ () throws(FileError) in
      try store.database.unsummed(after: found.last)
    }) {
      found.append(next)
    }
    #expect(found == keys)
  }
}
