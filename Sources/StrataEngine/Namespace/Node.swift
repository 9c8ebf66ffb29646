/// The record of a node that some layer has changed or made. A node that is in no record is a
/// base's, as the base says it is.
struct Node: Sendable {
  var mode: UInt32
  var links: UInt32
  var uid: UInt32
  var gid: UInt32
  var size: Int64
  var accessed: Timestamp
  var modified: Timestamp
  var changed: Timestamp
  /// The layer that wrote the record last.
  var owner: LayerID
  /// The directory that it was put in last, and its name there: for a directory its `..`; for others
  /// one of its names, unless that was removed.
  var parent: NodeID
  var name: Name
  /// Nil as long as they are the base's.
  var xattrs: ExtendedAttributes?
  var body: Body
  var side: SideLayerID
  /// The base's object that the record was made from, as it was then; nil for what a layer made.
  /// Kept through copy-up and removal: commit compares it with what the base has by then.
  var origin: Below? = nil

  enum Body: Sendable {
    case file(FileContent)
    /// Its own entries are in the namespace's map; what was not changed comes from `below`, nil for
    /// a directory that shows nothing from below.
    case directory(below: BaseNode?)
    case symlink(SymlinkBody)
    case special(FileKind, device: UInt64, below: BaseNode?)
  }

  var kind: FileKind {
    switch body {
    case .file: .regular
    case .directory: .directory
    case .symlink: .symlink
    case .special(let kind, _, _): kind
    }
  }

  /// The base's node that it came from; nil for what was made in a layer, or copied up since.
  var below: BaseNode? {
    switch body {
    case .file(let content): content.below?.node
    case .directory(let below): below
    case .symlink(let link): link.below
    case .special(_, _, let below): below
    }
  }

  func attributes(_ id: NodeID) -> Attributes {
    var device: UInt64 = 0
    var blocks: Int64 = 0
    switch body {
    case .special(_, let number, _): device = number
    case .file(let content): blocks = content.allocatedBlocks(size: size)
    default: break
    }
    return Attributes(
      node: id, kind: kind, mode: mode, links: links, uid: uid, gid: gid, size: size,
      blocks: blocks, device: device, accessed: accessed, modified: modified, changed: changed)
  }
}

final class SymlinkBody: Sendable {
  let target: [UInt8]
  let below: BaseNode?

  init(target: [UInt8], below: BaseNode?) {
    self.target = target
    self.below = below
  }
}

/// The extended attributes of a node, all of them.
final class ExtendedAttributes: Sendable {
  static let empty = ExtendedAttributes([:])
  let values: [Name: [UInt8]]
  init(_ values: [Name: [UInt8]]) { self.values = values }
}
