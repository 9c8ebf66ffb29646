/// A run of blocks of one file that a layer owns and the workspace's store holds.
///
/// They are never changed in their place through this: a write makes a page in memory, which the
/// store takes at the next checkpoint, or, if it is large, goes to the store at once. Only blocks of
/// the layer that is still the top may be written over by that.
final class StoredBlocks: Sendable {
  let owner: LayerID
  /// The node whose file in the layer holds the blocks.
  let node: NodeID
  /// The record that holds them instead, where they are few; 0 for the layer's file of the node.
  let record: UInt64
  /// The number of the first block that a record holds.
  let first: UInt64
  private let store: any BlockStore

  init(
    owner: LayerID, node: NodeID, record: UInt64 = 0, first: UInt64 = 0, in store: any BlockStore
  ) {
    self.owner = owner
    self.node = node
    self.record = record
    self.first = first
    self.store = store
  }

  func isSame(as other: StoredBlocks) -> Bool {
    self === other || (owner == other.owner && node == other.node && record == other.record)
  }

  /// Fills the buffer with the file's bytes from `offset` on; zeros where the store has none.
  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(FileError) {
    if record == 0 {
      try store.read(layer: owner, node: node, into: buffer, at: offset)
    } else {
      try store.read(
        record: record, into: buffer, at: offset - Int64(first) * Int64(Block.size))
    }
  }
}

/// What keeps written blocks for good.
public protocol BlockStore: AnyObject, Sendable {
  /// Reads from the file that a layer has of a node; zeros behind its end.
  func read(
    layer: LayerID, node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(FileError)

  /// Reads from a record that holds the content of a small file; zeros behind its end.
  func read(
    record: UInt64, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(FileError)
}
