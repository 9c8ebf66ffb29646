/// Side layers: where a policy has nodes live that commit and diff leave out.
extension Fork {
  /// A node that is renamed belongs where the policy has a node of its new name belong: into
  /// another side layer, or out of one, which makes it a change of the fork's own.
  func reroute(
    _ name: Name, in directory: NodeID, by caller: Caller
  ) throws(FileError) {
    guard workspace.hasSideLayers else { return }
    let value = value
    guard let node = try value.find(name, in: directory) else { return }
    for (id, path) in value.ownSubtree(of: node, path: value.path(of: name, in: directory)) {
      guard let record = value.nodes[id] else { continue }
      let verdict = try ask(.create, caller) { event in
        event.path = path
        event.node = id
        event.fileKind = record.kind
      }
      let side = verdict.route ?? .none
      guard side != record.side else { continue }
      try change(caller) { value, _, _ throws(FileError) in
        try value.change(id) { $0.side = side }
      }
    }
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
