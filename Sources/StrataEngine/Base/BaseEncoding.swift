/// Forms in records, see ``PageWriter``.
extension KeptNode {
  package func write(to writer: inout PageWriter) {
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
    writer.byte((isWhole ? 1 : 0) | (after == nil ? 0 : 2))
    after?.write(to: &writer)
    writer.number(UInt64(names.count))
    for (name, node) in names.sorted(by: { $0.key < $1.key }) {
      writer.bytes(name.bytes)
      writer.number(node?.rawValue ?? 0)
    }
  }

  package init(from reader: inout PageReader) throws(FileError) {
    self.init(
      until: try reader.number(), parent: NodeID(try reader.number()),
      name: Name(try reader.bytes()), status: try BaseStatus(from: &reader))
    file = try reader.bytes()
    target = try reader.bytes()
    for _ in 0..<(try reader.count()) {
      let name = Name(try reader.bytes())
      xattrs[name] = try reader.bytes()
    }
    let flags = try reader.byte()
    isWhole = flags & 1 != 0
    if flags & 2 != 0 { after = try BaseStamp(from: &reader) }
    for _ in 0..<(try reader.count()) {
      let name = Name(try reader.bytes())
      let node = try reader.number()
      names.updateValue(node == 0 ? nil : NodeID(node), forKey: name)
    }
  }
}

extension BaseIdentity {
  package func write(to writer: inout PageWriter) {
    for value in [device, inode, generation] { writer.number(value) }
  }

  package init(from reader: inout PageReader) throws(FileError) {
    self.init(
      device: try reader.number(), inode: try reader.number(), generation: try reader.number())
  }
}

extension BaseStamp {
  package func write(to writer: inout PageWriter) {
    identity.write(to: &writer)
    for value in [size, modified, changed] { writer.signed(value) }
  }

  package init(from reader: inout PageReader) throws(FileError) {
    self.init(
      identity: try BaseIdentity(from: &reader), size: try reader.signed(),
      modified: try reader.signed(), changed: try reader.signed())
  }
}

extension BaseStatus {
  package func write(to writer: inout PageWriter) {
    identity.write(to: &writer)
    writer.byte(kind.rawValue)
    for value in [mode, links, uid, gid] { writer.number(UInt64(value)) }
    for value in [size, blocks, accessed, modified, changed] { writer.signed(value) }
    writer.number(device)
    writer.byte((isWhiteout ? 1 : 0) | (isOpaque ? 2 : 0))
  }

  package init(from reader: inout PageReader) throws(FileError) {
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
