internal import SystemPackage

/// The checks that a kernel makes before it asks a file system, by mode bits and POSIX ACLs' owner,
/// group and others.
extension Client {
  struct Access: OptionSet {
    let rawValue: UInt32
    static let read = Access(rawValue: 4)
    static let write = Access(rawValue: 2)
    static let execute = Access(rawValue: 1)
  }

  /// - Throws: EACCES.
  func check(_ node: NodeID, _ access: Access) throws(FileError) {
    let attributes = try fork.attributes(of: node)
    if caller.isSuperuser {
      let needsBit = access.contains(.execute) && attributes.kind != .directory
      if !needsBit || attributes.mode & 0o111 != 0 { return }
      throw .denied
    }
    let shift: UInt32
    if attributes.uid == caller.uid {
      shift = 6
    } else if caller.isMember(of: attributes.gid) {
      shift = 3
    } else {
      shift = 0
    }
    guard (attributes.mode >> shift) & access.rawValue == access.rawValue else { throw .denied }
  }

  /// Whether the caller may look up names in it.
  func checkSearch(_ node: NodeID) throws(FileError) {
    if caller.isSuperuser { return }
    guard try fork.attributes(of: node).kind == .directory else { return }
    try check(node, .execute)
  }

  /// Whether the caller may add and remove names in it.
  func checkChange(_ directory: NodeID) throws(FileError) {
    if caller.isSuperuser { return }
    try check(directory, [.write, .execute])
  }

  /// The sticky bit: a name goes only with the consent of the node's or the directory's owner.
  func checkRemove(_ name: Name, in directory: NodeID) throws(FileError) {
    try checkChange(directory)
    if caller.isSuperuser { return }
    let parent = try fork.attributes(of: directory)
    guard parent.mode & 0o1000 != 0, parent.uid != caller.uid else { return }
    let node = try fork.attributes(of: try fork.lookup(name, in: directory))
    guard node.uid == caller.uid else { throw .notPermitted }
  }

  /// Who may change what: mode and times are the owner's, owners are the superuser's, groups the
  /// owner's among his own. A mode set by others than members loses set-group-ID, as does what they
  /// give to others.
  func checked(
    _ changes: AttributeChanges, of node: NodeID
  ) throws(FileError) -> AttributeChanges {
    if caller.isSuperuser { return changes }
    let attributes = try fork.attributes(of: node)
    let isOwner = attributes.uid == caller.uid
    var changes = changes
    if let mode = changes.mode {
      guard isOwner else { throw .notPermitted }
      if attributes.kind == .regular, !caller.isMember(of: attributes.gid) {
        changes.mode = mode & ~0o2000
      }
    }
    if changes.uid != nil || changes.gid != nil {
      changes.drops = caller.drop(from: attributes.gid)
    }
    if let uid = changes.uid, uid != attributes.uid || !isOwner { throw .notPermitted }
    if let gid = changes.gid, !isOwner || !(gid == attributes.gid || caller.isMember(of: gid)) {
      throw .notPermitted
    }
    if changes.accessed != nil || changes.modified != nil, !isOwner { throw .notPermitted }
    if changes.size != nil { try check(node, .write) }
    return changes
  }
}
