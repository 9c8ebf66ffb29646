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

  /// All paths to what is no directory, as far as they are known. Looks at every entry there is.
  func paths(of id: NodeID) -> [[UInt8]] {
    var places = (context.bases.node(id)?.seenNames ?? []).filter { place in
      (try? find(place.name, in: place.directory)) == id
    }
    entries.forEach(from: EntryKey(startOf: .root)) { key, entry in
      if entry.node == id { places.append((key.directory, key.name)) }
      return true
    }
    return places.compactMap { place in
      directoryPath(place.directory).map { $0 + [UInt8(ascii: "/")] + place.name.bytes }
    }
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
    // A directory from below without a record may lie in one that was removed.
    guard let base = context.bases.node(id), (try? find(base.name, in: base.parent)) == id else {
      return nil
    }
    return (base.parent, base.name)
  }

  /// A directory and name under which the node is.
  func placement(of id: NodeID) -> (NodeID, Name)? {
    let node = nodes[id]
    if let node, node.links == 0 { return nil }
    if node?.kind == .directory || (node == nil && (try? kind(id)) == .directory) {
      return directoryPlace(id)
    }
    for place in context.bases.node(id)?.seenNames ?? [] {
      if (try? find(place.name, in: place.directory)) == id, directoryPath(place.directory) != nil {
        return place
      }
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
