/// Nodes as records, and back.
extension Persistence {
  func write(
    _ node: Node, to writer: inout PageWriter, _ batch: inout StoreBatch
  ) throws(FileError) {
    writer.byte(node.kind.rawValue)
    for value in [node.links, node.mode, node.uid, node.gid] { writer.number(UInt64(value)) }
    for value in [node.size, node.accessed, node.modified, node.changed] { writer.signed(value) }
    writer.number(node.owner.rawValue)
    writer.number(node.parent.rawValue)
    writer.bytes(node.name.bytes)
    writer.number(UInt64(node.side.rawValue))
    var flags: NodeRecord.Flags = []
    if node.xattrs != nil { flags.insert(.xattrs) }
    if node.origin != nil { flags.insert(.origin) }
    if case .file(let content) = node.body, let below = content.below, below === node.origin {
      flags.insert(.belowIsOrigin)
    }
    writer.byte(flags.rawValue)
    if let origin = node.origin { write(origin, to: &writer, &batch) }
    if let xattrs = node.xattrs {
      writer.number(UInt64(xattrs.values.count))
      for (name, value) in xattrs.values.sorted(by: { $0.key < $1.key }) {
        writer.bytes(name.bytes)
        writer.bytes(value)
      }
    }
    switch node.body {
    case .file(let content):
      try write(content, isOverOrigin: flags.contains(.belowIsOrigin), to: &writer, &batch)
    case .directory(let below): write(below, to: &writer, &batch)
    case .symlink(let link):
      writer.bytes(link.target)
      write(link.below, to: &writer, &batch)
    case .special(_, let device, let below):
      writer.number(device)
      write(below, to: &writer, &batch)
    }
  }

  func node(from reader: inout PageReader) throws(FileError) -> Node {
    let record = try NodeRecord(from: &reader)
    let origin = try record.origin.map { row throws(FileError) in try below(row) }
    let body: Node.Body
    switch record.body {
    case .file(let content):
      body = .file(
        FileContent(
          extents: try extents(content.extents),
          below: content.isOverOrigin
            ? origin : try content.below.map { row throws(FileError) in try below(row) },
          owner: try layer(content.owner)))
    case .directory(let below): body = .directory(below: try baseNode(below))
    case .symlink(let target, let below):
      body = .symlink(SymlinkBody(target: target, below: try baseNode(below)))
    case .special(let device, let below):
      body = .special(record.kind, device: device, below: try baseNode(below))
    }
    return Node(
      mode: record.mode, links: record.links, uid: record.uid, gid: record.gid,
      size: record.size, accessed: record.accessed, modified: record.modified,
      changed: record.changed, owner: record.owner, parent: record.parent, name: record.name,
      xattrs: record.xattrs, body: body, side: record.side, origin: origin)
  }

  private func extents(
    _ record: NodeRecord.Extents
  ) throws(FileError) -> PersistentMap<UInt64, FileContent.Extent> {
    switch record {
    case .root(let root): return PersistentMap(record: root, from: extentSource)
    case .few(let list):
      var extents = PersistentMap<UInt64, FileContent.Extent>()
      for (start, extent) in list { extents.insert(start, self.extent(extent)) }
      return extents
    }
  }

  func extent(_ record: ExtentRecord) -> FileContent.Extent {
    switch record.place {
    case .zero: .init(end: record.end, holding: .zero)
    case .file(let owner, let node):
      .init(end: record.end, holding: .stored(StoredBlocks(owner: owner, node: node, in: store)))
    case .record(let owner, let node, let id, let first):
      .init(
        end: record.end,
        holding: .stored(
          StoredBlocks(owner: owner, node: node, record: id, first: first, in: store)))
    }
  }

  // MARK: Content

  private func write(
    _ content: FileContent, isOverOrigin: Bool, to writer: inout PageWriter,
    _ batch: inout StoreBatch
  ) throws(FileError) {
    writer.number(content.owner?.id.rawValue ?? 0)
    if !isOverOrigin {
      writer.byte(content.below == nil ? 0 : 1)
      if let below = content.below { write(below, to: &writer, &batch) }
    }
    // A few extents are part of the node's record, more have pages of their own.
    if let root = content.extents.root, !root.isLeaf {
      let record = try save(content.extents) { extent, writer throws(FileError) in
        try Self.write(extent, to: &writer)
      }
      writer.number(0)
      writer.number(record)
      return
    }
    var count: UInt64 = 0
    content.extents.forEach { _, _ in count += 1 }
    writer.number(count + 1)
    try content.extents.forEach { start, extent throws(FileError) in
      writer.number(start)
      try Self.write(extent, to: &writer)
    }
  }

  private static func write(
    _ extent: FileContent.Extent, to writer: inout PageWriter
  ) throws(FileError) {
    writer.number(extent.end)
    switch extent.holding {
    case .zero: writer.byte(0)
    case .page, .run: throw FileError(.ioError, "a block in memory has no place in the store")
    case .stored(let blocks):
      writer.byte(blocks.record == 0 ? 1 : 2)
      writer.number(blocks.owner.rawValue)
      writer.number(blocks.node.rawValue)
      if blocks.record != 0 {
        writer.number(blocks.record)
        writer.number(blocks.first)
      }
    }
  }
}
