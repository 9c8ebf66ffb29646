/// The form of a node in a record.
///
/// ```
/// kind  links mode uid gid size accessed modified changed  owner  parent name  side
/// flags                              1 own extended attributes, 2 origin, 4 content is over origin
/// [origin]  [extended attributes]  body
/// ```
extension Persistence {
  private struct Flags: OptionSet {
    let rawValue: UInt8
    static let xattrs = Flags(rawValue: 1)
    static let origin = Flags(rawValue: 2)
    static let belowIsOrigin = Flags(rawValue: 4)
  }

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
    var flags: Flags = []
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
    guard let kind = FileKind(rawValue: try reader.byte()) else { throw .damaged }
    let links = try reader.number(as: UInt32.self)
    let mode = try reader.number(as: UInt32.self)
    let uid = try reader.number(as: UInt32.self)
    let gid = try reader.number(as: UInt32.self)
    let size = try reader.signed()
    guard size >= 0 else { throw .damaged }
    let (accessed, modified) = (try reader.signed(), try reader.signed())
    let changed = try reader.signed()
    let owner = LayerID(try reader.number())
    let parent = NodeID(try reader.number())
    let name = Name(try reader.bytes())
    let side = SideLayerID(try reader.number(as: UInt16.self))
    let flags = Flags(rawValue: try reader.byte())
    let origin = flags.contains(.origin) ? try below(from: &reader) : nil
    let xattrs = flags.contains(.xattrs) ? try extendedAttributes(from: &reader) : nil
    let body: Node.Body
    switch kind {
    case .regular:
      body = .file(
        try content(over: flags.contains(.belowIsOrigin) ? origin : nil, from: &reader))
    case .directory: body = .directory(below: try baseNode(from: &reader))
    case .symlink:
      body = .symlink(
        SymlinkBody(target: try reader.bytes(), below: try baseNode(from: &reader)))
    default:
      let device = try reader.number()
      body = .special(kind, device: device, below: try baseNode(from: &reader))
    }
    return Node(
      mode: mode, links: links, uid: uid, gid: gid, size: size, accessed: accessed,
      modified: modified, changed: changed, owner: owner, parent: parent, name: name,
      xattrs: xattrs, body: body, side: side, origin: origin)
  }

  private func extendedAttributes(
    from reader: inout PageReader
  ) throws(FileError) -> ExtendedAttributes {
    let count = try reader.count()
    var values: [Name: [UInt8]] = [:]
    for _ in 0..<count {
      let name = Name(try reader.bytes())
      values[name] = try reader.bytes()
    }
    return values.isEmpty ? .empty : ExtendedAttributes(values)
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

  private func content(
    over origin: Below?, from reader: inout PageReader
  ) throws(FileError) -> FileContent {
    let owner = try layer(LayerID(try reader.number()))
    var below = origin
    if origin == nil, try reader.byte() == 1 { below = try self.below(from: &reader) }
    let count = try reader.number()
    guard count > 0 else {
      return FileContent(
        extents: PersistentMap(record: try reader.number(), from: extentSource), below: below,
        owner: owner)
    }
    var extents = PersistentMap<UInt64, FileContent.Extent>()
    for _ in 1..<count {
      let start = try reader.number()
      extents.insert(start, try extent(from: &reader, start: start))
    }
    return FileContent(extents: extents, below: below, owner: owner)
  }

  private static func write(
    _ extent: FileContent.Extent, to writer: inout PageWriter
  ) throws(FileError) {
    writer.number(extent.end)
    switch extent.holding {
    case .zero: writer.byte(0)
    case .page: throw FileError(.ioError, "a block in memory has no place in the store")
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

  func extent(
    from reader: inout PageReader, start: UInt64
  ) throws(FileError) -> FileContent.Extent {
    let end = try reader.number()
    guard end > start else { throw .damaged }
    let kind = try reader.byte()
    guard kind != 0 else { return .init(end: end, holding: .zero) }
    let owner = LayerID(try reader.number())
    let node = NodeID(try reader.number())
    let record = kind == 2 ? try reader.number() : 0
    let first = kind == 2 ? try reader.number() : 0
    return .init(
      end: end,
      holding: .stored(
        StoredBlocks(owner: owner, node: node, record: record, first: first, in: store)))
  }
}
