extension Namespace {
  /// An absolute path that leads to the node; nil if it has no name, or none that is known: of a
  /// hard link from below only the names that were looked at are.
  public func path(of id: NodeID) -> [UInt8]? {
    if id == .root { return [UInt8(ascii: "/")] }
    guard let (directory, name) = placement(of: id), let parent = directoryPath(directory) else {
      return nil
    }
    return parent + [UInt8(ascii: "/")] + name.bytes
  }

  /// The path of a name in a directory; an unreachable directory shows as `?`.
  func path(of name: Name, in directory: NodeID) -> [UInt8] {
    (directoryPath(directory) ?? [UInt8(ascii: "?")]) + [UInt8(ascii: "/")] + name.bytes
  }

  /// As a prefix: the root is empty.
  private func directoryPath(_ id: NodeID) -> [UInt8]? {
    var names: [Name] = []
    var place = id
    while place != .root {
      guard let (parent, name) = directoryPlace(place) else { return nil }
      names.append(name)
      place = parent
    }
    return names.reversed().reduce(into: []) { path, name in
      path.append(UInt8(ascii: "/"))
      path.append(contentsOf: name.bytes)
    }
  }

  private func directoryPlace(_ id: NodeID) -> (NodeID, Name)? {
    if let node = nodes[id] {
      guard case .directory(let body) = node.body, node.links > 0 else { return nil }
      return (node.parent, body.name)
    }
    return context.bases.node(id).map { ($0.parent, $0.name) }
  }

  /// A directory and name under which the node is.
  func placement(of id: NodeID) -> (NodeID, Name)? {
    let node = nodes[id]
    if let node, node.links == 0 { return nil }
    if node?.kind == .directory || (node == nil && (try? kind(id)) == .directory) {
      return directoryPlace(id)
    }
    if let base = context.bases.node(id), (try? find(base.name, in: base.parent)) == id {
      return (base.parent, base.name)
    }
    if let node, let name = name(of: id, in: node.parent) { return (node.parent, name) }
    var found: (NodeID, Name)?
    entries.forEach(from: EntryKey(startOf: .root)) { key, entry in
      if entry.node == id { found = (key.directory, key.name) }
      return found == nil
    }
    return found
  }

  private func name(of id: NodeID, in directory: NodeID) -> Name? {
    var found: Name?
    entries.forEach(from: EntryKey(startOf: directory)) { key, entry in
      guard key.directory == directory else { return false }
      if entry.node == id { found = key.name }
      return found == nil
    }
    return found
  }
}
