/// Where an entry is: its directory and its name, in the order in which directories are listed.
struct EntryKey: Comparable, Sendable {
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
struct Entry: Equatable, Sendable {
  private let target: NodeID
  /// The layer that wrote the entry.
  let owner: LayerID

  init(_ node: NodeID, owner: LayerID) {
    target = node
    self.owner = owner
  }

  private init(whiteoutOwner: LayerID) {
    target = NodeID(0)
    owner = whiteoutOwner
  }

  static func whiteout(owner: LayerID) -> Entry { Entry(whiteoutOwner: owner) }

  /// Nil for a whiteout.
  var node: NodeID? { target.rawValue == 0 ? nil : target }
}
