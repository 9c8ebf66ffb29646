internal import StrataEngine

/// A POSIX access control list as extended attributes hold it: `struct posix_acl_xattr_header` and
/// entries.
struct ACL {
  static let accessName = Name("system.posix_acl_access")
  static let defaultName = Name("system.posix_acl_default")

  enum Tag {
    static let owner: UInt16 = 0x01
    static let user: UInt16 = 0x02
    static let owningGroup: UInt16 = 0x04
    static let group: UInt16 = 0x08
    static let mask: UInt16 = 0x10
    static let other: UInt16 = 0x20
  }

  struct Entry {
    var tag: UInt16
    var permissions: UInt16
    var id: UInt32
  }

  private static let version: UInt32 = 2
  var entries: [Entry]

  /// Nil for what is no list.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 4, (bytes.count - 4) % 8 == 0 else { return nil }
    entries = bytes.withUnsafeBytes { bytes in
      guard bytes.loadUnaligned(as: UInt32.self) == Self.version else { return [] }
      return stride(from: 4, to: bytes.count, by: 8).map { at in
        Entry(
          tag: bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self),
          permissions: bytes.loadUnaligned(fromByteOffset: at + 2, as: UInt16.self),
          id: bytes.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self))
      }
    }
    guard !entries.isEmpty else { return nil }
  }

  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    withUnsafeBytes(of: Self.version) { bytes += $0 }
    for entry in entries {
      withUnsafeBytes(of: entry.tag) { bytes += $0 }
      withUnsafeBytes(of: entry.permissions) { bytes += $0 }
      withUnsafeBytes(of: entry.id) { bytes += $0 }
    }
    return bytes
  }

  /// Which entry the group bits of a mode are: the mask where there is one.
  private var groupTag: UInt16 {
    entries.contains { $0.tag == Tag.mask } ? Tag.mask : Tag.owningGroup
  }

  private static func shift(_ tag: UInt16, _ groupTag: UInt16) -> UInt32? {
    switch tag {
    case Tag.owner: 6
    case groupTag: 3
    case Tag.other: 0
    default: nil
    }
  }

  /// The permission bits that say the same as far as bits can.
  var mode: UInt32 {
    entries.reduce(0) { mode, entry in
      guard let shift = Self.shift(entry.tag, groupTag) else { return mode }
      return mode | UInt32(entry.permissions & 7) << shift
    }
  }

  /// Whether there is nothing but what a mode says.
  var isMinimal: Bool {
    entries.allSatisfy { [Tag.owner, Tag.owningGroup, Tag.other].contains($0.tag) }
  }

  /// The list after chmod(2).
  func setting(_ mode: UInt32) -> ACL {
    var changed = self
    for index in entries.indices {
      guard let shift = Self.shift(entries[index].tag, groupTag) else { continue }
      changed.entries[index].permissions = UInt16((mode >> shift) & 7)
    }
    return changed
  }

  /// What a node that is made with a mode gets in a directory with this default list: the list, nil
  /// if the mode says it all, and the mode.
  func applied(to mode: UInt32) -> (ACL?, mode: UInt32) {
    var list = self
    for index in entries.indices {
      guard let shift = Self.shift(entries[index].tag, groupTag) else { continue }
      list.entries[index].permissions &= UInt16((mode >> shift) & 7)
    }
    return (list.isMinimal ? nil : list, mode & ~0o777 | list.mode)
  }
}

extension Server {
  /// What new nodes in a directory are given; nil where the caller's umask says.
  func defaultACL(of directory: NodeID) throws(FileError) -> ACL? {
    guard let bytes = try fork.extendedAttributes(of: directory)[ACL.defaultName] else {
      return nil
    }
    return ACL(bytes)
  }

  /// Keeps the list in step with a mode that was set.
  func follow(_ mode: UInt32, _ node: NodeID, _ caller: Caller) throws(FileError) {
    guard let bytes = try fork.extendedAttributes(of: node)[ACL.accessName],
      let list = ACL(bytes)
    else { return }
    try fork.setExtendedAttribute(node, ACL.accessName, list.setting(mode).encoded, by: caller)
  }

  /// Sets a list, and the mode with it. One that says no more than a mode is not kept.
  func setAccessACL(
    _ bytes: [UInt8], of node: NodeID, _ killsGroup: Bool, _ caller: Caller
  ) throws(FileError) {
    guard let list = ACL(bytes) else { throw .invalid }
    if list.isMinimal {
      if try fork.extendedAttributes(of: node)[ACL.accessName] != nil {
        try fork.removeExtendedAttribute(node, ACL.accessName, by: caller)
      }
    } else {
      try fork.setExtendedAttribute(node, ACL.accessName, bytes, by: caller)
    }
    var mode = try fork.attributes(of: node).mode & ~0o777 | list.mode
    if killsGroup { mode &= ~0o2000 }
    var changes = AttributeChanges()
    changes.mode = mode
    try fork.setAttributes(node, changes, by: caller)
  }
}
