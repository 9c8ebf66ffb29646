/// Looks for answers that do not go together, until there are none.
extension MergePlanner {
  mutating func stabilize() throws(FileError) {
    for _ in 0..<1000 {
      if try placeInDirectories() { continue }
      if try keepDirectoriesInUse() { continue }
      if try settleCollisions() { continue }
      if try breakLoops() { continue }
      return
    }
    throw FileError(.deadlock, "the renames of both sides cannot be brought together")
  }

  /// Gives up a name that a node was to get.
  mutating func drop(_ node: NodeID, _ key: EntryKey) {
    guard var edit = edits[node] else { return }
    refused.insert(node)
    edit.adds.remove(key)
    // Without the new name it keeps its old one.
    edits[node] = edit.adds.isEmpty || !edit.removes.isEmpty ? nil : edit
  }

  private func isLeaving(_ node: NodeID) -> Bool {
    edits[node].map { !$0.removes.isEmpty && $0.adds.isEmpty } ?? false
  }

  // MARK: Directories

  /// Whatever gets a name needs a directory for it.
  private mutating func placeInDirectories() throws(FileError) -> Bool {
    var isAnyChanged = false
    for node in edits.keys.sorted() {
      for key in edits[node]?.adds.sorted() ?? [] {
        let directory = key.directory
        if try ours.value.isAlive(directory) {
          if isLeaving(directory) {
            edits[directory] = nil
            isAnyChanged = true
          }
          continue
        }
        if edits[directory].map({ !$0.adds.isEmpty }) ?? false { continue }
        isAnyChanged = true
        try place(node, key)
      }
    }
    return isAnyChanged
  }

  private mutating func place(_ node: NodeID, _ key: EntryKey) throws(FileError) {
    guard try !isNew(key.directory), !refused.contains(key.directory) else {
      return drop(node, key)
    }
    if isReported.insert(node).inserted {
      let before = try isNew(node) ? nil : node
      let mine = try ours.has(node) ? node : nil
      guard
        try resolve(.changedRemoved, at: key, Nodes(before, mine, node)) == .theirs
      else { return drop(node, key) }
    }
    try bringBackDirectory(key.directory)
  }

  /// Makes a directory that we have removed anew; what we have in its place takes its part.
  private mutating func bringBackDirectory(_ directory: NodeID) throws(FileError) {
    guard let (parent, name) = theirs.value.placement(of: directory) else {
      for node in edits.keys {
        for key in edits[node]?.adds ?? [] where key.directory == directory { drop(node, key) }
      }
      return
    }
    let key = translated(EntryKey(parent, name))
    guard let heir = try ours.value.node(under: key), try ours.value.kind(heir) == .directory else {
      isReported.insert(directory)
      edits[directory] = NameEdit(adds: [key])
      return
    }
    twins[directory] = heir
    for node in edits.keys {
      guard let adds = edits[node]?.adds else { continue }
      let renamed = Set(adds.map(translated))
      edits[node]?.adds = renamed
    }
  }

  /// What they have removed stays if something of ours stays in it.
  private mutating func keepDirectoriesInUse() throws(FileError) -> Bool {
    var isAnyChanged = false
    for node in edits.keys.sorted() where isLeaving(node) {
      guard try ours.value.isDirectory(node), try isUsed(node) else { continue }
      isAnyChanged = true
      var next = node
      while next != .root, isLeaving(next) {
        edits[next] = nil
        next = try ours.value.parent(of: next)
      }
    }
    return isAnyChanged
  }

  private func isUsed(_ directory: NodeID) throws(FileError) -> Bool {
    for row in try ours.value.list(directory, after: 2, limit: .max) {
      let key = EntryKey(directory, row.name)
      guard let child = try ours.value.node(under: key) else { continue }
      if edits[child]?.removes.contains(key) != true { return true }
    }
    return false
  }

  // MARK: Names

  /// Two nodes cannot have one name.
  private mutating func settleCollisions() throws(FileError) -> Bool {
    var claims: [EntryKey: [NodeID]] = [:]
    for (node, edit) in edits { for key in edit.adds { claims[key, default: []].append(node) } }
    var isAnyChanged = false
    for (key, nodes) in claims.sorted(by: { $0.key < $1.key }) {
      var claimers = nodes.filter { edits[$0]?.adds.contains(key) == true }.sorted()
      if claimers.count > 1 {
        isAnyChanged = true
        var first = claimers[0]
        for node in claimers where try isTheirs(node, under: key) { first = node }
        for node in claimers where node != first { drop(node, key) }
        claimers = [first]
      }
      guard let node = claimers.first, let occupant = try ours.value.node(under: key),
        edits[occupant]?.removes.contains(key) != true
      else { continue }
      if occupant == node {
        edits[node]?.adds.remove(key)
      } else {
        try settle(node, against: occupant, key)
      }
      isAnyChanged = true
    }
    return isAnyChanged
  }

  private func isTheirs(_ node: NodeID, under key: EntryKey) throws(FileError) -> Bool {
    try theirs.value.node(under: key) == node
  }

  private mutating func settle(
    _ node: NodeID, against occupant: NodeID, _ key: EntryKey
  ) throws(FileError) {
    let (its, mine) = (try theirs.value.kind(node), try ours.value.kind(occupant))
    let isNew = (try isNew(node), try isNew(occupant))
    if isNew.0, isNew.1, its == mine, its == .regular || its == .symlink {
      drop(node, key)
      return try mergeRecords(ancestor: nil, ours: occupant, theirs: node)
    }
    if evicted.contains(occupant) { return drop(node, key) }
    let before = isNew.0 ? nil : node
    let choice = try resolve(Self.kind(its, mine), at: key, Nodes(before, occupant, node))
    switch choice {
    case nil, .ours: drop(node, key)
    case .theirs: try evict(occupant, from: key)
    case .merged(let bytes):
      drop(node, key)
      try give(bytes, to: occupant)
    }
  }

  // MARK: Loops

  /// A directory cannot come to lie in itself.
  private mutating func breakLoops() throws(FileError) -> Bool {
    for node in edits.keys.sorted() {
      guard let key = edits[node]?.adds.first, try ours.value.isDirectory(node) else { continue }
      guard let way = try loop(from: node, key.directory) else { continue }
      isReported.insert(node)
      let choice = try resolve(.renameRename, at: nil, Nodes(node, node, node))
      let moved = way.first { edits[$0] == nil && ours.gained[$0] != nil && ours.lost[$0] != nil }
      if choice == .theirs, let moved {
        let own = ours.names(of: moved)
        edits[moved] = NameEdit(removes: own.gained, adds: own.lost)
      } else {
        edits[node] = nil
      }
      return true
    }
    return false
  }

  /// The directories on the way up from a place, if they lead back to the node.
  private func loop(from node: NodeID, _ place: NodeID) throws(FileError) -> [NodeID]? {
    var way: [NodeID] = []
    var seen: Set<NodeID> = []
    var next = place
    while next != .root, seen.insert(next).inserted {
      if next == node { return way }
      way.append(next)
      if let key = edits[next]?.adds.first {
        next = key.directory
      } else {
        next = try ours.value.parent(of: next)
      }
    }
    return nil
  }
}
