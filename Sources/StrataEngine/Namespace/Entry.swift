/// Where an entry is: its directory and its name, in the order in which directories are listed.
struct EntryKey: PageKey {
  let directory: NodeID
  let fingerprint: UInt64
  let name: Name

  @inline(__always)
  init(_ directory: NodeID, _ name: Name) {
    self.directory = directory
    self.name = name
    fingerprint = name.fingerprint
  }

  /// Before all names of a directory whose fingerprint is `fingerprint` or above.
  init(startOf directory: NodeID, fingerprint: UInt64 = 0) {
    self.directory = directory
    self.name = Name([])
    self.fingerprint = fingerprint
  }

  static var lowest: EntryKey { EntryKey(startOf: NodeID(0)) }

  func write(to writer: inout PageWriter) {
    writer.number(directory.rawValue)
    writer.bytes(name.bytes)
  }

  init(from reader: inout PageReader) throws(FileError) {
    self.init(NodeID(try reader.number()), Name(try reader.bytes()))
  }

  /// The directory, whose number has 42 bits but in the ranges of further devices, then as much as has
  /// room of the name's fingerprint, which has 63.
  @inline(__always)
  var digest: UInt64 {
    let high = directory.rawValue
    return high < 1 << 42 ? high << 22 | fingerprint >> 41 : .max << 22
  }

  @inline(__always)
  static func < (a: EntryKey, b: EntryKey) -> Bool {
    if a.directory != b.directory { return a.directory < b.directory }
    if a.fingerprint != b.fingerprint { return a.fingerprint < b.fingerprint }
    return a.name != b.name && a.name.bytes.lexicographicallyPrecedes(b.name.bytes)
  }

  @inline(__always)
  static func == (a: EntryKey, b: EntryKey) -> Bool {
    a.directory == b.directory && a.name == b.name
  }
}

/// What a layer says of a name: a node, or a whiteout that hides what lies below.
///
/// The kind of the node, which never changes, is kept with its number: a path is walked, and a
/// directory listed, without a look at the nodes themselves.
struct Entry: Equatable, Sendable {
  /// The node's number, and above bit 56 its kind plus 1; 0 for a whiteout.
  private let target: UInt64
  /// The layer that wrote the entry.
  let owner: LayerID

  private static let kindShift: UInt64 = 56

  init(_ node: NodeID, _ kind: FileKind, owner: LayerID) {
    target = node.rawValue | (UInt64(kind.rawValue) + 1) << Entry.kindShift
    self.owner = owner
  }

  private init(whiteoutOwner: LayerID) {
    target = 0
    owner = whiteoutOwner
  }

  static func whiteout(owner: LayerID) -> Entry { Entry(whiteoutOwner: owner) }

  func write(to writer: inout PageWriter) {
    writer.number(target)
    writer.number(owner.rawValue)
  }

  init(from reader: inout PageReader) throws(FileError) {
    target = try reader.number()
    owner = LayerID(try reader.number())
    if target != 0, kind == nil { throw .damaged }
  }

  /// The same in another layer.
  func owned(by layer: LayerID) -> Entry {
    if let node, let kind { Entry(node, kind, owner: layer) } else { .whiteout(owner: layer) }
  }

  /// Nil for a whiteout.
  var node: NodeID? {
    target == 0 ? nil : NodeID(target & (1 << Entry.kindShift - 1))
  }

  /// Nil for a whiteout.
  var kind: FileKind? {
    target == 0 ? nil : FileKind(rawValue: UInt8(target >> Entry.kindShift) - 1)
  }
}
