public import SystemPackage

extension ModelTree {
  /// `chmod`.
  public mutating func setMode(_ id: Int, _ mode: UInt32) throws(Errno) {
    _ = try node(id)
    nodes[id]?.mode = mode & 0o7777
    touch(id)
  }

  private mutating func touch(_ id: Int) {
    changes += 1
    nodes[id]?.changed = now
  }

  /// `chown`, which takes set-id bits from what is no directory, also when root does it.
  public mutating func setOwner(_ id: Int, uid: UInt32?, gid: UInt32?) throws(Errno) {
    var node = try node(id)
    guard uid != nil || gid != nil else { return }
    if let uid { node.uid = uid }
    if let gid { node.gid = gid }
    if node.kind != .directory, node.kind != .symlink {
      node.mode &= ~0o4000
      if node.mode & 0o10 != 0 { node.mode &= ~0o2000 }
    }
    nodes[id] = node
    touch(id)
  }

  /// `utimensat`.
  public mutating func setTimes(_ id: Int, accessed: Int64?, modified: Int64?) throws(Errno) {
    var node = try node(id)
    guard accessed != nil || modified != nil else { return }
    if let accessed { node.accessed = accessed }
    if let modified { node.modified = modified }
    nodes[id] = node
    touch(id)
  }

  /// - Parameter mode: what must be so of the name before: 1 is XATTR_CREATE, 2 XATTR_REPLACE.
  public mutating func setXattr(
    _ id: Int, _ name: [UInt8], _ value: [UInt8], mode: Int = 0
  ) throws(Errno) {
    let node = try node(id)
    try checkXattr(name, of: node, toRemove: false)
    guard value.count <= 65536 else { throw .argListTooLong }
    if mode == 1, node.xattrs[name] != nil { throw .fileExists }
    if mode == 2, node.xattrs[name] == nil { throw .noData }
    nodes[id]?.xattrs[name] = value
    touch(id)
  }

  public mutating func removeXattr(_ id: Int, _ name: [UInt8]) throws(Errno) {
    let node = try node(id)
    try checkXattr(name, of: node, toRemove: true)
    guard node.xattrs[name] != nil else { throw .noData }
    nodes[id]?.xattrs[name] = nil
    touch(id)
  }

  /// Only the namespaces that a file system has to itself; `user.` is for files and directories.
  private func checkXattr(
    _ name: [UInt8], of node: ModelNode, toRemove: Bool
  ) throws(Errno) {
    guard !name.isEmpty, name.count <= 255 else { throw .outOfRange }
    if name.starts(with: Array("user.".utf8)) {
      guard node.kind == .regular || node.kind == .directory else { throw .notPermitted }
      guard name.count > 5 else { throw .invalidArgument }
    } else if name.starts(with: Array("trusted.".utf8)) {
      guard name.count > 8 else { throw .invalidArgument }
    } else {
      throw .notSupported
    }
  }
}
