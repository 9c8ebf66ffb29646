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

  /// The path of a place that leads to the node; nil if it does so no longer.
  func path(of id: NodeID, at place: Place) -> [UInt8]? {
    guard isPlaced(id, place.name, in: place.directory) else { return nil }
    return directoryPath(place.directory).map { $0 + [UInt8(ascii: "/")] + place.name.bytes }
  }

  /// All paths to what is no directory, as far as they are known. Looks at every entry there is.
  func paths(of id: NodeID) -> [[UInt8]] { paths(of: [id])[id] ?? [] }

  /// The same for several at once.
  func paths(of ids: Set<NodeID>) -> [NodeID: [[UInt8]]] {
    var places: [NodeID: [(directory: NodeID, name: Name)]] = [:]
    for id in ids {
      places[id] = (context.bases.node(id)?.seenNames ?? []).filter { place in
        (try? find(place.name, in: place.directory)) == id
      }
    }
    entries.forEach(from: EntryKey(startOf: .root)) { key, entry in
      if let id = entry.node, ids.contains(id) { places[id]?.append((key.directory, key.name)) }
      return true
    }
    return places.mapValues { places in
      places.compactMap { place in
        directoryPath(place.directory).map { $0 + [UInt8(ascii: "/")] + place.name.bytes }
      }
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
    if let node = nodes[id] { return node.links > 0 ? (node.parent, node.name) : nil }
    guard let base = context.bases.node(id) else { return nil }
    return base.seenNames.first { isPlaced(id, $0.name, in: $0.directory) }
  }

  /// A directory and name under which the node is. The names it was seen under are tried first;
  /// only for a file with several, of which those were removed, are all entries of layers gone
  /// through.
  func placement(of id: NodeID) -> (NodeID, Name)? {
    let node = nodes[id]
    if let node, node.links == 0 { return nil }
    if node?.kind == .directory { return directoryPlace(id) }
    let last = node.map { (directory: $0.parent, name: $0.name) }
    for place in [last].compactMap({ $0 }) + (context.bases.node(id)?.seenNames ?? [])
    where isPlaced(id, place.name, in: place.directory) && directoryPath(place.directory) != nil {
      return place
    }
    guard node != nil else { return nil }
    var found: (NodeID, Name)?
    entries.forEach(from: EntryKey(startOf: .root)) { key, entry in
      if entry.node == id { found = (key.directory, key.name) }
      return found == nil
    }
    return found
  }

  private func isPlaced(_ id: NodeID, _ name: Name, in directory: NodeID) -> Bool {
    (try? find(name, in: directory)) == id
  }
}
