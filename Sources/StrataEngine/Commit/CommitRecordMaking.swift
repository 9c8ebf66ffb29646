/// Reads from the outcome of a commit what nodes of the bases were, and where they are behind it.
struct CommitRecordMaking {
  private var outcome: CommitOutcome
  private let value: Namespace
  private let version: BaseVersion
  /// The commit's, in that of kept objects.
  private let directory: [UInt8]
  private(set) var kept: [CommitRecord.Kept] = []
  private(set) var placed: [CommitRecord.Placed] = []
  /// All nodes that the record speaks of, those of the commit's making left out.
  private(set) var nodes: Set<NodeID> = []
  private var live: Namespace { outcome.live }

  init(
    _ outcome: CommitOutcome, value: Namespace, version: BaseVersion, directory: [UInt8]
  ) {
    (self.outcome, self.value, self.version) = (outcome, value, version)
    self.directory = directory
  }

  mutating func run() throws(FileError) {
    try settleTwins()
    // To look at one object may be to learn of more.
    var next = 0
    while next < outcome.objects.count {
      try keep(next)
      try place(next)
      next += 1
    }
    kept.sort { $0.id < $1.id }
    placed.sort { $0.path.lexicographicallyPrecedes($1.path) }
  }

  /// Where a directory becomes another node's, what was that node's before must not stay so.
  private mutating func settleTwins() throws(FileError) {
    var waiting = outcome.objects.indices.filter { outcome.isTwin($0) }
    while let object = waiting.popLast() {
      let node = outcome.objects[object].node
      guard live.isKnown(node) else { continue }
      let other = try outcome.object(of: node)
      guard outcome.objects[other].node == node, outcome.objects[other].staged == nil,
        let path = outcome.path(of: other)
      else { continue }
      if let twin = try value.find(at: path), twin != node, try value.kind(twin) == .directory {
        outcome.assign(twin, to: other)
        waiting.append(other)
      } else if let former = outcome.objects[object].former {
        outcome.assign(former, to: object)
      }
    }
    outcome.noteTwins()
  }

  // MARK: What nodes were

  private mutating func keep(_ index: Int) throws(FileError) {
    let object = outcome.objects[index]
    guard let id = object.former, let base = live.context.bases.node(id) else { return }
    var names: [Name: NodeID?] = [:]
    for (name, now) in object.names {
      let before = try outcome.former(name, of: index)
      guard before != now || now.map(outcome.isTwin) == true else { continue }
      names.updateValue(before.flatMap { outcome.objects[$0].former }, forKey: name)
    }
    let isWhole = object.kind == .directory && (object.staged != nil || outcome.isTwin(index))
    guard object.isTouched || !names.isEmpty || isWhole else { return }
    if isWhole {
      for entry in try live.list(id, after: 2, limit: .max) where names[entry.name] == nil {
        names[entry.name] = try live.find(entry.name, in: id)
      }
    }
    var status = try live.context.bases.status(of: base)
    // Not every host counts the names in a directory.
    if status.kind == .directory { status.links = try live.attributes(of: id).links }
    let place = live.placement(of: id) ?? (base.parent, base.name)
    kept.append(
      .init(
        id: id,
        node: KeptNode(
          until: version, parent: place.0, name: place.1, status: status,
          file: object.staged.map { directory + [UInt8(ascii: "/")] + $0 } ?? [],
          target: status.kind == .symlink ? try live.readLink(id) : [],
          xattrs: try live.extendedAttributes(id), names: names, isWhole: isWhole)))
    nodes.insert(id)
    nodes.formUnion(names.values.compactMap { $0 })
  }

  // MARK: Where they are

  private mutating func place(_ index: Int) throws(FileError) {
    let object = outcome.objects[index]
    for (name, now) in object.names {
      guard let now, try outcome.former(name, of: index) != now,
        let path = outcome.path(of: name, in: index)
      else { continue }
      placed.append(.init(path: path, node: outcome.objects[now].node))
    }
    guard object.isTouched, object.staged == nil, let id = object.former else { return }
    if object.kind == .directory {
      guard outcome.isTwin(index), let path = outcome.path(of: index) else { return }
      placed.append(.init(path: path, node: object.node))
      // What stays in it is in another directory.
      for entry in try live.list(id, after: 2, limit: .max) where object.names[entry.name] == nil {
        guard let child = try live.find(entry.name, in: id) else { continue }
        placed.append(.init(path: path + [UInt8(ascii: "/")] + entry.name.bytes, node: child))
      }
      return
    }
    // A file is found by the names that it keeps, too.
    for (directory, name) in Self.names(of: id, in: live) {
      let parent = try outcome.object(of: directory)
      guard outcome.objects[parent].names[name] == nil,
        let path = outcome.path(of: name, in: parent)
      else { continue }
      placed.append(.init(path: path, node: id))
    }
  }

  private static func names(of id: NodeID, in live: Namespace) -> [(NodeID, Name)] {
    var names: [(NodeID, Name)] = []
    for place in live.context.bases.node(id)?.seenNames ?? []
    where (try? live.find(place.name, in: place.directory)) == id
      && !names.contains(where: { $0 == place })
    {
      names.append(place)
    }
    return names
  }
}
