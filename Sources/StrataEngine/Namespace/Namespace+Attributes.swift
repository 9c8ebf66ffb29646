/// Which of creating and replacing an extended attribute is meant, as setxattr(2) has it.
public enum XattrMode: Sendable {
  case any, create, replace
}

extension Namespace {
  /// Notes that the top is about to take over a node's attributes, but not its content.
  func noteMetadataCopy(of id: NodeID, _ effects: inout [Effect]) throws(FileError) {
    let node = try record(id)
    guard isBelow(node.owner) else { return }
    effects.append(Effect(kind: .metadataCopy, node: id, from: node.owner == .base ? nil : sealed))
  }

  /// Changes attributes other than the size. Copies no content.
  mutating func setAttributes(
    _ id: NodeID, _ changes: AttributeChanges, _ effects: inout [Effect]
  ) throws(FileError) {
    try noteMetadataCopy(of: id, &effects)
    let now = context.clock()
    try change(id) { node in
      if changes.uid != nil || changes.gid != nil { node.drop(changes.drops) }
      if let mode = changes.mode, node.kind != .symlink { node.mode = mode & 0o7777 }
      node.uid = changes.uid ?? node.uid
      node.gid = changes.gid ?? node.gid
      node.accessed = changes.accessed ?? node.accessed
      node.modified = changes.modified ?? node.modified
      node.changed = now
    }
    countMetadataCopies(effects)
  }

  /// - Throws: EEXIST or ENODATA as `mode` asks, EPERM for user attributes of what is neither file
  ///   nor directory, ERANGE for a name, E2BIG for a value that is too long.
  mutating func setExtendedAttribute(
    _ id: NodeID, _ name: Name, _ value: [UInt8], _ mode: XattrMode, _ effects: inout [Effect]
  ) throws(FileError) {
    try checkExtendedAttribute(name, of: id)
    guard value.count <= 65536 else { throw FileError(.argListTooLong) }
    var values = try extendedAttributes(id)
    if mode == .create, values[name] != nil { throw .exists }
    if mode == .replace, values[name] == nil { throw FileError(.noData) }
    values[name] = value
    try replaceExtendedAttributes(id, values, &effects)
  }

  /// What Linux says of the name of an attribute to change, before it looks at the attributes.
  /// - Throws: ERANGE, ENOTSUP for a namespace that there is not, EINVAL for its name alone, EPERM.
  private func checkExtendedAttribute(_ name: Name, of id: NodeID) throws(FileError) {
    guard name.count > 0, name.count <= Name.maximumLength else { throw FileError(.outOfRange) }
    let kind = try kind(id)
    let isForAll = !name.bytes.starts(with: "user.".utf8)
    guard isForAll || kind == .regular || kind == .directory else { throw .notPermitted }
    try name.checkAsExtendedAttribute()
  }

  /// - Throws: ENODATA, and what is wrong with the name.
  mutating func removeExtendedAttribute(
    _ id: NodeID, _ name: Name, _ effects: inout [Effect]
  ) throws(FileError) {
    try checkExtendedAttribute(name, of: id)
    var values = try extendedAttributes(id)
    guard values.removeValue(forKey: name) != nil else { throw FileError(.noData) }
    try replaceExtendedAttributes(id, values, &effects)
  }

  private mutating func replaceExtendedAttributes(
    _ id: NodeID, _ values: [Name: [UInt8]], _ effects: inout [Effect]
  ) throws(FileError) {
    try noteMetadataCopy(of: id, &effects)
    let now = context.clock()
    try change(id) { node in
      node.xattrs = ExtendedAttributes(values)
      node.changed = now
    }
    countMetadataCopies(effects)
  }

  func countMetadataCopies(_ effects: [Effect]) {
    let copies = effects.count { $0.kind == .metadataCopy }
    if copies > 0 { top?.count { $0.metadataCopies += copies } }
  }
}

extension Name {
  /// - Throws: what Linux says of a name that no extended attribute can have: ERANGE for its length,
  ///   ENOTSUP for a namespace that there is not, EINVAL for a namespace alone.
  public func checkAsExtendedAttribute() throws(FileError) {
    guard count > 0, count <= Name.maximumLength else { throw FileError(.outOfRange) }
    let bytes = bytes
    if bytes.starts(with: "system.".utf8) {
      let isKnown = bytes.starts(with: "system.posix_acl_".utf8)
      guard isKnown else { throw FileError(.notSupported) }
      return
    }
    for space in ["user.", "trusted.", "security."] where bytes.starts(with: space.utf8) {
      guard bytes.count > space.utf8.count else { throw .invalid }
      return
    }
    throw FileError(.notSupported)
  }
}

extension Node {
  mutating func drop(_ privileges: PrivilegeDrop) {
    guard kind != .directory, kind != .symlink else { return }
    mode &= ~privileges.bits(of: mode)
  }
}
