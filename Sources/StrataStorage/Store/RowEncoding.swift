internal import StrataEngine

/// What of a row is one column of bytes, see ``PageWriter``.
extension StoredTree {
  var encoded: [UInt8] {
    var writer = PageWriter()
    for value in [
      nodes, entries, annotations, sealed.rawValue, sealedThrough.rawValue, version,
    ] {
      writer.number(value)
    }
    return writer.result
  }

  init(encoded bytes: [UInt8]) throws(FileError) {
    var reader = PageReader(bytes)
    self.init(
      nodes: try reader.number(), entries: try reader.number(), annotations: try reader.number(),
      sealed: LayerID(try reader.number()), sealedThrough: LayerID(try reader.number()),
      version: try reader.number())
  }
}

extension LayerStats {
  var encoded: [UInt8] {
    var writer = PageWriter()
    for value in [created, copyUps, redirects, metadataCopies, whiteouts, opaques] {
      writer.signed(Int64(value))
    }
    writer.signed(bytesWritten)
    writer.signed(bytesCopied)
    return writer.result
  }

  init(encoded bytes: [UInt8]) throws(FileError) {
    var reader = PageReader(bytes)
    self.init()
    created = Int(try reader.signed())
    copyUps = Int(try reader.signed())
    redirects = Int(try reader.signed())
    metadataCopies = Int(try reader.signed())
    whiteouts = Int(try reader.signed())
    opaques = Int(try reader.signed())
    bytesWritten = try reader.signed()
    bytesCopied = try reader.signed()
  }
}

extension StoredBaseNode {
  var encoded: [UInt8] {
    var writer = PageWriter()
    writer.number(parent.rawValue)
    writer.bytes(name.bytes)
    status.write(to: &writer)
    writer.number(UInt64(places.count))
    for place in places {
      writer.number(UInt64(place.base))
      writer.bytes(place.path)
      place.stamp.write(to: &writer)
    }
    writer.number(UInt64(kept.count))
    for kept in kept { kept.write(to: &writer) }
    return writer.result
  }

  init(encoded bytes: [UInt8], id: NodeID) throws(FileError) {
    var reader = PageReader(bytes)
    let parent = NodeID(try reader.number())
    let name = Name(try reader.bytes())
    let status = try BaseStatus(from: &reader)
    var places: [Place] = []
    for _ in 0..<(try reader.count()) {
      places.append(
        Place(
          base: try reader.number(as: Int.self), path: try reader.bytes(),
          stamp: try BaseStamp(from: &reader)))
    }
    guard !places.isEmpty else { throw .damaged }
    var kept: [KeptNode] = []
    for _ in 0..<(try reader.count()) { kept.append(try KeptNode(from: &reader)) }
    self.init(id: id, parent: parent, name: name, status: status, places: places, kept: kept)
  }
}

extension KeptNode {
  fileprivate func write(to writer: inout PageWriter) {
    writer.number(until)
    writer.number(parent.rawValue)
    writer.bytes(name.bytes)
    status.write(to: &writer)
    writer.bytes(file)
    writer.bytes(target)
    writer.number(UInt64(xattrs.count))
    for (name, value) in xattrs.sorted(by: { $0.key < $1.key }) {
      writer.bytes(name.bytes)
      writer.bytes(value)
    }
    writer.byte(isWhole ? 1 : 0)
    writer.number(UInt64(names.count))
    for (name, node) in names.sorted(by: { $0.key < $1.key }) {
      writer.bytes(name.bytes)
      writer.number(node?.rawValue ?? 0)
    }
  }

  fileprivate init(from reader: inout PageReader) throws(FileError) {
    self.init(
      until: try reader.number(), parent: NodeID(try reader.number()),
      name: Name(try reader.bytes()), status: try BaseStatus(from: &reader))
    file = try reader.bytes()
    target = try reader.bytes()
    for _ in 0..<(try reader.count()) {
      let name = Name(try reader.bytes())
      xattrs[name] = try reader.bytes()
    }
    isWhole = try reader.byte() == 1
    for _ in 0..<(try reader.count()) {
      let name = Name(try reader.bytes())
      let node = try reader.number()
      names.updateValue(node == 0 ? nil : NodeID(node), forKey: name)
    }
  }
}

extension BaseIdentity {
  fileprivate func write(to writer: inout PageWriter) {
    for value in [device, inode, generation] { writer.number(value) }
  }

  fileprivate init(from reader: inout PageReader) throws(FileError) {
    self.init(
      device: try reader.number(), inode: try reader.number(), generation: try reader.number())
  }
}

extension BaseStamp {
  fileprivate func write(to writer: inout PageWriter) {
    identity.write(to: &writer)
    for value in [size, modified, changed] { writer.signed(value) }
  }

  fileprivate init(from reader: inout PageReader) throws(FileError) {
    self.init(
      identity: try BaseIdentity(from: &reader), size: try reader.signed(),
      modified: try reader.signed(), changed: try reader.signed())
  }
}

extension BaseStatus {
  fileprivate func write(to writer: inout PageWriter) {
    identity.write(to: &writer)
    writer.byte(kind.rawValue)
    for value in [mode, links, uid, gid] { writer.number(UInt64(value)) }
    for value in [size, blocks, accessed, modified, changed] { writer.signed(value) }
    writer.number(device)
    writer.byte((isWhiteout ? 1 : 0) | (isOpaque ? 2 : 0))
  }

  fileprivate init(from reader: inout PageReader) throws(FileError) {
    let identity = try BaseIdentity(from: &reader)
    guard let kind = FileKind(rawValue: try reader.byte()) else { throw .damaged }
    let mode = try reader.number(as: UInt32.self)
    let links = try reader.number(as: UInt32.self)
    let uid = try reader.number(as: UInt32.self)
    let gid = try reader.number(as: UInt32.self)
    let (size, blocks) = (try reader.signed(), try reader.signed())
    let (accessed, modified) = (try reader.signed(), try reader.signed())
    let changed = try reader.signed()
    let device = try reader.number()
    let flags = try reader.byte()
    self.init(
      identity: identity, kind: kind, mode: mode, links: links, uid: uid, gid: gid, size: size,
      blocks: blocks, device: device, accessed: accessed, modified: modified, changed: changed,
      isWhiteout: flags & 1 != 0, isOpaque: flags & 2 != 0)
  }
}
