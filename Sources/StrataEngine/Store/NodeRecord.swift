/// A node as its record says, with numbers in place of what they stand for.
///
/// ```
/// kind  links mode uid gid size accessed modified changed  owner  parent name  side
/// flags                              1 own extended attributes, 2 origin, 4 content is over origin
/// [origin]  [extended attributes]  body
/// ```
struct NodeRecord {
  struct Flags: OptionSet {
    let rawValue: UInt8
    static let xattrs = Flags(rawValue: 1)
    static let origin = Flags(rawValue: 2)
    static let belowIsOrigin = Flags(rawValue: 4)
  }

  enum Body {
    case file(Content)
    case directory(below: NodeID)
    case symlink([UInt8], below: NodeID)
    case special(device: UInt64, below: NodeID)
  }

  struct Content {
    var owner: LayerID
    var isOverOrigin: Bool
    var below: BelowRecord?
    var extents: Extents
  }

  enum Extents {
    /// The record of the root of their map.
    case root(UInt64)
    case few([(start: UInt64, extent: ExtentRecord)])
  }

  let kind: FileKind
  let links, mode, uid, gid: UInt32
  let size: Int64
  let accessed, modified, changed: Timestamp
  let owner: LayerID
  let parent: NodeID
  let name: Name
  let side: SideLayerID
  let origin: BelowRecord?
  let xattrs: ExtendedAttributes?
  let body: Body

  init(from reader: inout PageReader) throws(FileError) {
    guard let kind = FileKind(rawValue: try reader.byte()) else { throw .damaged }
    self.kind = kind
    links = try reader.number(as: UInt32.self)
    mode = try reader.number(as: UInt32.self)
    uid = try reader.number(as: UInt32.self)
    gid = try reader.number(as: UInt32.self)
    size = try reader.signed()
    guard size >= 0 else { throw .damaged }
    accessed = try reader.signed()
    modified = try reader.signed()
    changed = try reader.signed()
    owner = LayerID(try reader.number())
    parent = NodeID(try reader.number())
    name = Name(try reader.bytes())
    side = SideLayerID(try reader.number(as: UInt16.self))
    let flags = Flags(rawValue: try reader.byte())
    origin = flags.contains(.origin) ? try BelowRecord(from: &reader) : nil
    xattrs = flags.contains(.xattrs) ? try ExtendedAttributes(from: &reader) : nil
    switch kind {
    case .regular:
      body = .file(try Content(isOverOrigin: flags.contains(.belowIsOrigin), from: &reader))
    case .directory: body = .directory(below: NodeID(try reader.number()))
    case .symlink: body = .symlink(try reader.bytes(), below: NodeID(try reader.number()))
    default:
      body = .special(device: try reader.number(), below: NodeID(try reader.number()))
    }
  }

  /// The nodes of the bases that the record refers to.
  var baseNodes: [NodeID] {
    var nodes = [origin?.node].compactMap { $0 }
    switch body {
    case .file(let content): if let below = content.below { nodes.append(below.node) }
    case .directory(let below), .symlink(_, let below), .special(_, let below):
      if below.rawValue != 0 { nodes.append(below) }
    }
    return nodes
  }
}

extension NodeRecord.Content {
  fileprivate init(isOverOrigin: Bool, from reader: inout PageReader) throws(FileError) {
    owner = LayerID(try reader.number())
    self.isOverOrigin = isOverOrigin
    below = nil
    if !isOverOrigin, try reader.byte() == 1 { below = try BelowRecord(from: &reader) }
    let count = try reader.number()
    guard count > 0 else {
      extents = .root(try reader.number())
      return
    }
    var list: [(UInt64, ExtentRecord)] = []
    for _ in 1..<count {
      let start = try reader.number()
      list.append((start, try ExtentRecord(from: &reader, start: start)))
    }
    extents = .few(list)
  }
}

extension ExtendedAttributes {
  fileprivate convenience init(from reader: inout PageReader) throws(FileError) {
    let count = try reader.count()
    var values: [Name: [UInt8]] = [:]
    for _ in 0..<count {
      let name = Name(try reader.bytes())
      values[name] = try reader.bytes()
    }
    self.init(values)
  }
}

/// Where an extent's blocks are.
struct ExtentRecord {
  enum Place {
    case zero
    case file(LayerID, NodeID)
    case record(LayerID, NodeID, id: UInt64, first: UInt64)
  }

  let end: UInt64
  let place: Place

  init(from reader: inout PageReader, start: UInt64) throws(FileError) {
    end = try reader.number()
    guard end > start else { throw .damaged }
    switch try reader.byte() {
    case 0: place = .zero
    case 1: place = .file(LayerID(try reader.number()), NodeID(try reader.number()))
    case 2:
      place = .record(
        LayerID(try reader.number()), NodeID(try reader.number()), id: try reader.number(),
        first: try reader.number())
    default: throw .damaged
    }
  }
}

/// What a ``Below`` was of.
struct BelowRecord {
  let node: NodeID
  /// See ``BaseIndex/portable(_:ofBase:)``.
  let device: UInt64
  let inode: UInt64
  let generation: UInt64
  let size: Int64
  let modified, changed: Timestamp
  let limit: Int64

  init(from reader: inout PageReader) throws(FileError) {
    node = NodeID(try reader.number())
    device = try reader.number()
    inode = try reader.number()
    generation = try reader.number()
    size = try reader.signed()
    modified = try reader.signed()
    changed = try reader.signed()
    limit = try reader.signed()
  }
}
