/// Side layers: where a policy has nodes live that commit and diff leave out.
extension Fork {
  /// A node that is renamed belongs where the policy has a node of its new name belong: into
  /// another side layer, or out of one, which makes it a change of the fork's own. Asked before it is
  /// renamed, so that a refusal changes nothing.
  /// - Returns: the nodes at and below the name that are to live elsewhere, and where.
  func routes(
    of name: Name, in directory: NodeID, as newName: Name, in newDirectory: NodeID,
    by caller: Caller
  ) throws(FileError) -> [(node: NodeID, side: SideLayerID)] {
    guard workspace.hasSideLayers else { return [] }
    let value = value
    guard let node = try value.find(name, in: directory) else { return [] }
    var routes: [(node: NodeID, side: SideLayerID)] = []
    let newPath = value.path(of: newName, in: newDirectory)
    for (id, path) in value.ownSubtree(of: node, path: newPath) {
      // What is renamed has a record from then on.
      guard id == node || value.nodes[id] != nil else { continue }
      let kind = try value.kind(id)
      let verdict = try ask(.create, caller) { event in
        event.path = path
        event.node = id
        event.fileKind = kind
      }
      let side = verdict.route ?? .none
      if side != value.nodes[id]?.side ?? .none { routes.append((id, side)) }
    }
    return routes
  }
}

extension Namespace {
  /// The nodes with records of their own at and below a node, by the entries that layers made.
  func ownSubtree(of node: NodeID, path: [UInt8]) -> [(NodeID, path: [UInt8])] {
    var found = [(node, path: path)]
    var next = 0
    while next < found.count {
      let (directory, prefix) = found[next]
      next += 1
      guard nodes[directory]?.kind == .directory else { continue }
      entries.forEach(from: EntryKey(startOf: directory)) { key, entry in
        guard key.directory == directory else { return false }
        if let child = entry.node {
          found.append((child, path: prefix + [UInt8(ascii: "/")] + key.name.bytes))
        }
        return true
      }
    }
    return found
  }
}
