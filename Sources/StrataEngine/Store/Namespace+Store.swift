internal import Synchronization

extension Namespace {
  /// The most bytes of a file whose content is in records of the store instead of a file of its
  /// own: making, writing and closing a file costs more than a row of that size.
  static let recordLimit: Int64 = 16 << 10

  /// Hands blocks in memory to the store, so that the value refers to none of its own.
  /// - Parameter old: the nodes when this was done last.
  mutating func flush(
    since old: PersistentMap<NodeID, Node>, to persistence: Persistence
  ) throws(FileError) {
    var changed: [(NodeID, Node, FileContent?)] = []
    nodes.difference(from: old) { id, before, after in
      guard let after, case .file(let content) = after.body, !content.extents.isEmpty else {
        return
      }
      var former: FileContent?
      if case .file(let content)? = before?.body { former = content }
      changed.append((id, after, former))
    }
    for (id, node, former) in changed {
      guard case .file(var content) = node.body,
        try content.flush(id, size: node.size, since: former, persistence)
      else { continue }
      _ = nodes.update(id) { $0.body = .file(content) }
    }
  }

  /// Puts all pages of the value that are not in the store.
  func save(
    to persistence: Persistence, _ batch: inout StoreBatch
  ) throws(FileError) -> StoredTree {
    var collected = StoreBatch()
    // Also if a record cannot be put: those that were come with the next try.
    defer { batch.baseNodes += collected.baseNodes }
    let nodes = try persistence.save(nodes) { node, writer throws(FileError) in
      try persistence.write(node, to: &writer, &collected)
    }
    let entries = try persistence.save(entries) { entry, writer throws(FileError) in
      entry.write(to: &writer)
    }
    return StoredTree(
      nodes: nodes, entries: entries, annotations: try annotations?.save(to: persistence) ?? 0,
      sealed: newest?.id ?? .base, sealedThrough: sealedThrough, version: version)
  }

  /// A value that the store holds.
  init(
    _ tree: StoredTree, context: NamespaceContext, fork: ForkID, name: String,
    from persistence: Persistence
  ) throws(FileError) {
    self.init(context: context, fork: fork, name: name, version: tree.version)
    nodes = PersistentMap(record: tree.nodes, from: persistence.nodeSource)
    entries = PersistentMap(record: tree.entries, from: persistence.entrySource)
    if tree.annotations != 0 {
      annotations = try Annotations(record: tree.annotations, from: persistence)
    }
    sealed = try persistence.layer(tree.sealed)
    sealedThrough = tree.sealedThrough
  }
}

extension FileContent {
  /// Whether anything was handed over.
  fileprivate mutating func flush(
    _ node: NodeID, size: Int64, since former: FileContent?, _ persistence: Persistence
  ) throws(FileError) -> Bool {
    var runs: [(owner: LayerID, pages: [Page], start: UInt64)] = []
    extents.difference(from: former?.extents ?? .init()) { block, _, extent in
      guard let extent, case .page(let page) = extent.holding else { return }
      if let last = runs.last, last.owner == page.owner,
        last.start + UInt64(last.pages.count) == block
      {
        runs[runs.count - 1].pages.append(page)
      } else {
        runs.append((page.owner, [page], block))
      }
    }
    for run in runs {
      let end = run.start + UInt64(run.pages.count)
      let stored: StoredBlocks
      if size <= Namespace.recordLimit {
        let held = min(size - Int64(run.start) * Int64(Block.size), Int64(end - run.start) * 4096)
        let record = persistence.ids.nextRecord()
        try persistence.store.put(
          Self.bytes(of: run.pages, count: Int(max(held, 0))), record: record)
        stored = StoredBlocks(
          owner: run.owner, node: node, record: record, first: run.start, in: persistence.store)
      } else {
        try Self.write(run.pages, from: run.start, layer: run.owner, node, persistence.store)
        stored = StoredBlocks(owner: run.owner, node: node, in: persistence.store)
      }
      join(run.start..<end, to: stored)
    }
    for run in runs { try settleLength(node, size: size, of: run.owner, persistence.store) }
    return !runs.isEmpty
  }

  private static func bytes(of pages: [Page], count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      var position = 0
      for page in pages where position < count {
        let end = min(position + Block.size, count)
        page.read(
          into: UnsafeMutableRawBufferPointer(
            UnsafeMutableBufferPointer(rebasing: buffer[position..<end])),
          from: 0)
        position = end
      }
      initialized = count
    }
  }

  /// Whole blocks: what an earlier write to the same place has left must not show.
  private static func write(
    _ pages: [Page], from start: UInt64, layer: LayerID, _ node: NodeID,
    _ store: any WorkspaceStore
  ) throws(FileError) {
    let most = 256
    for first in stride(from: 0, to: pages.count, by: most) {
      let part = Array(pages[first..<min(first + most, pages.count)])
      try bytes(of: part, count: part.count * Block.size).withBytes { bytes throws(FileError) in
        try store.write(
          bytes, layer: layer, node: node, at: Int64(start + UInt64(first)) * Int64(Block.size))
      }
    }
  }

  /// A file that one layer owns alone is a plain file of the right length. Only for a layer that was
  /// just handed over: what older ones hold may be longer in other values.
  private func settleLength(
    _ node: NodeID, size: Int64, of owner: LayerID, _ store: any WorkspaceStore
  ) throws(FileError) {
    guard below == nil, size > Namespace.recordLimit else { return }
    var isAlone = true
    extents.forEach(from: 0) { _, extent in
      guard case .stored(let blocks) = extent.holding, blocks.record == 0, blocks.node == node,
        owner == blocks.owner
      else {
        isAlone = false
        return false
      }
      return true
    }
    if isAlone { try store.truncate(layer: owner, node: node, to: size) }
  }
}

extension Annotations {
  /// All that plugins keep, as one record.
  fileprivate func save(to persistence: Persistence) throws(FileError) -> UInt64 {
    let known = record.load(ordering: .relaxed)
    if known != 0 { return known }
    var writer = PageWriter()
    writer.number(UInt64(values.count))
    for (plugin, pairs) in values.sorted(by: { $0.key < $1.key }) {
      writer.bytes(Array(plugin.utf8))
      writer.number(UInt64(pairs.count))
      for (key, data) in pairs.sorted(by: { $0.key < $1.key }) {
        writer.bytes(Array(key.utf8))
        writer.bytes(data)
      }
    }
    let record = persistence.ids.nextRecord()
    try persistence.store.put(writer.result, record: record)
    self.record.store(record, ordering: .relaxed)
    return record
  }

  fileprivate convenience init(
    record: UInt64, from persistence: Persistence
  ) throws(FileError) {
    var reader = PageReader(try persistence.store.page(record))
    var values: [String: [String: [UInt8]]] = [:]
    for _ in 0..<(try reader.count()) {
      let plugin = String(decoding: try reader.bytes(), as: UTF8.self)
      for _ in 0..<(try reader.count()) {
        let key = String(decoding: try reader.bytes(), as: UTF8.self)
        values[plugin, default: [:]][key] = try reader.bytes()
      }
    }
    self.init(values)
    self.record.store(record, ordering: .relaxed)
  }
}
