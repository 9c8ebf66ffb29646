/// The operations on attributes.
extension Fork {
  /// Changes attributes. Without a size this copies no content; with one it is a truncation.
  /// - Throws: EISDIR or EINVAL for the size of what is no file, EPERM or what the policy says.
  public func setAttributes(
    _ node: NodeID, _ changes: AttributeChanges, by caller: Caller
  ) throws(FileError) {
    try setAttributes(node, at: nil, changes, by: caller)
  }

  /// - Parameter place: the name that the caller used; nil where that is not known.
  func setAttributes(
    _ node: NodeID, at place: Place?, _ changes: AttributeChanges, by caller: Caller
  ) throws(FileError) {
    func describe(_ event: inout Event) {
      let attributes = name(node, at: place, in: value, &event)
      event.fileKind = attributes?.kind
      event.size = attributes?.size
      event.mode = changes.mode
    }
    if let size = changes.size {
      let file = try open(node, at: place, [.write], by: caller)
      // As truncate(2): a size that it has already is no change, not of the times either.
      if try file.attributes().size != size { try file.truncate(to: size) }
    }
    var rest = changes
    rest.size = nil
    guard rest != AttributeChanges() else { return }
    let verdict = try ask(.setattr, caller, describe)
    try change(caller, at: place, rule: verdict.rule) { value, _, effects throws(FileError) in
      try value.setAttributes(node, rest, &effects)
    }
    tell(.setattr, caller, describe)
  }

  /// - Throws: EEXIST or ENODATA as `mode` asks, EPERM, ERANGE, E2BIG.
  public func setExtendedAttribute(
    _ node: NodeID, _ name: Name, _ data: [UInt8], _ mode: XattrMode = .any, by caller: Caller
  ) throws(FileError) {
    try setExtendedAttribute(node, at: nil, name, data, mode, by: caller)
  }

  func setExtendedAttribute(
    _ node: NodeID, at place: Place?, _ name: Name, _ data: [UInt8], _ mode: XattrMode,
    by caller: Caller
  ) throws(FileError) {
    try changeExtended(node, at: place, caller) { value, effects throws(FileError) in
      try value.setExtendedAttribute(node, name, data, mode, &effects)
    }
  }

  /// - Throws: ENODATA.
  public func removeExtendedAttribute(
    _ node: NodeID, _ name: Name, by caller: Caller
  ) throws(FileError) {
    try removeExtendedAttribute(node, at: nil, name, by: caller)
  }

  func removeExtendedAttribute(
    _ node: NodeID, at place: Place?, _ name: Name, by caller: Caller
  ) throws(FileError) {
    try changeExtended(node, at: place, caller) { value, effects throws(FileError) in
      try value.removeExtendedAttribute(node, name, &effects)
    }
  }

  private func changeExtended(
    _ node: NodeID, at place: Place?, _ caller: Caller,
    _ body: (inout Namespace, inout [Effect]) throws(FileError) -> Void
  ) throws(FileError) {
    func describe(_ event: inout Event) { name(node, at: place, in: value, &event) }
    try ask(.setattr, caller, describe)
    try change(caller, at: place) { value, _, effects throws(FileError) in
      try body(&value, &effects)
    }
    tell(.setattr, caller, describe)
  }
}
