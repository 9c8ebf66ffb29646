internal import StrataEngine

/// The attributes that a commit gives to what it makes or moves, and those that were there.
struct HostDressing {
  private let moves: HostMoves
  private let base: [UInt8]
  private let keepsOwners: Bool
  private let host = HostTree()
  private var plan: CommitPlan { moves.plan }

  init(_ moves: HostMoves, base: [UInt8], keepsOwners: Bool) {
    (self.moves, self.base, self.keepsOwners) = (moves, base, keepsOwners)
  }

  func attributes(_ node: NodeID) throws(FileError) -> HostAttributes {
    let row = try plan.value.attributes(of: node)
    return HostAttributes(
      mode: row.kind == .symlink ? nil : row.mode, uid: keepsOwners ? row.uid : nil,
      gid: keepsOwners ? row.gid : nil,
      accessed: row.accessed, modified: row.modified,
      extendedAttributes: try plan.value.allExtendedAttributes(of: node))
  }

  /// What the host has of what gets the attributes of a node at a path.
  func former(_ path: [UInt8], _ node: NodeID) throws(FileError) -> HostAttributes {
    var object = plan.live.isKnown(node) ? node : nil
    if let there = try moves.names.there(path),
      try plan.value.attributes(of: node).kind == .directory,
      try plan.live.attributes(of: there).kind == .directory
    {
      object = there
    }
    guard let object, let source = plan.live.path(of: object).map({ base + $0 }),
      let row = try? host.status(source)
    else { return HostAttributes() }
    return HostAttributes(
      mode: row.kind == .symlink ? nil : row.mode, uid: row.uid, gid: row.gid,
      accessed: row.accessed, modified: row.modified,
      extendedAttributes: (try? host.extendedAttributes(of: source)) ?? [:])
  }
}
