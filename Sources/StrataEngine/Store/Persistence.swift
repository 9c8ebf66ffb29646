internal import Synchronization

/// What ties the values of a workspace to its store: how records become pages of maps, and what
/// could not be read.
final class Persistence: Sendable {
  let store: any WorkspaceStore
  let health = StoreHealth()
  let bases: BaseIndex
  let ids: IDSource
  private let layers = Mutex<[LayerID: Layer]>([:])
  /// Held while a checkpoint is made. What a failed one has left goes with the next.
  let pending = Mutex(StoreBatch())
  /// Up to these numbers, what the last checkpoint has not written is not wanted any more: what came
  /// while it was made, or since, may be meant by a value in memory.
  let settled = Mutex(StoredCounters())

  /// Whether the store has taken all that it was given lately.
  let takesLargeWrites = Atomic(true)

  init(_ store: any WorkspaceStore, bases: BaseIndex, ids: IDSource) {
    (self.store, self.bases, self.ids) = (store, bases, ids)
  }

  // MARK: Layers

  func layer(_ id: LayerID) throws(FileError) -> Layer? {
    guard id != .base else { return nil }
    return try layers.withLock { layers throws(FileError) in
      if let layer = layers[id] { return layer }
      guard let row = try store.layer(id) else {
        throw FileError(.ioError, "layer \(id.rawValue) is not in the store")
      }
      let layer = Layer(row, from: self)
      layers[id] = layer
      return layer
    }
  }

  func add(_ layer: Layer) { layers.withLock { $0[layer.id] = layer } }
  func forget(_ ids: some Sequence<LayerID>) {
    layers.withLock { layers in for id in ids { layers[id] = nil } }
  }

  // MARK: Maps

  var nodeSource: PageSource<NodeID, Node> {
    PageSource(store, health) { [unowned self] reader throws(FileError) in
      (try NodeID(from: &reader), try node(from: &reader))
    }
  }

  var entrySource: PageSource<EntryKey, Entry> {
    PageSource(store, health) { reader throws(FileError) in
      (try EntryKey(from: &reader), try Entry(from: &reader))
    }
  }

  var extentSource: PageSource<UInt64, FileContent.Extent> {
    PageSource(store, health) { [unowned self] reader throws(FileError) in
      let start = try reader.number()
      return (start, extent(try ExtentRecord(from: &reader, start: start)))
    }
  }

  /// Puts the pages of a map that are not in the store, children first.
  /// - Returns: the record of the root; 0 for an empty map.
  func save<Key: PageKey, Value: Sendable>(
    _ map: PersistentMap<Key, Value>,
    _ write: (Value, inout PageWriter) throws(FileError) -> Void
  ) throws(FileError) -> UInt64 {
    guard var root = map.root else { return 0 }
    while !root.isLeaf, root.count == 1 {
      guard let child = root.childInMemory(0) else { return root.record(ofChild: 0) }
      root = child
    }
    for page in unsaved(root) {
      let record = ids.nextRecord()
      try store.put(try content(of: page, write), record: record)
      page.header.record = record
    }
    return root.header.record
  }

  /// The pages that are in no record as they are, each behind those that it refers to.
  private func unsaved<Key: PageKey, Value: Sendable>(
    _ page: MapNode<Key, Value>
  ) -> [MapNode<Key, Value>] {
    guard page.header.record == 0 else { return [] }
    guard !page.isLeaf else { return [page] }
    var pages: [MapNode<Key, Value>] = []
    for index in 0..<page.count {
      if let child = page.childInMemory(index) { pages += unsaved(child) }
    }
    return pages + CollectionOfOne(page)
  }

  private func content<Key: PageKey, Value: Sendable>(
    of page: MapNode<Key, Value>, _ write: (Value, inout PageWriter) throws(FileError) -> Void
  ) throws(FileError) -> [UInt8] {
    var writer = PageWriter()
    writer.byte((page.isLeaf ? PageKind.leaf : .inner).rawValue)
    writer.number(UInt64(page.count))
    for index in 0..<page.count {
      if page.isLeaf {
        page.keys[index].write(to: &writer)
        try write(page.values[index], &writer)
      } else {
        writer.number(page.record(ofChild: index))
        page.keys[index].write(to: &writer)
      }
    }
    return writer.result
  }
}
