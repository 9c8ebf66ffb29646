internal import Synchronization

extension Workspace {
  /// What a plan comes to for the bases, before anything is done.
  /// - Parameter keeping: the file, below the directory of kept objects, that will hold what is at a
  ///   path of the base now; nil for what the commit leaves in its place.
  public func record(
    _ plan: CommitPlan, _ fork: Fork, _ command: String, keeping: ([UInt8]) -> [UInt8]?
  ) throws(FileError) -> CommitRecord {
    let version = context.bases.version.withLock { $0 } + 1
    var making = RecordMaking(
      live: Namespace(context: context, fork: fork.id, name: fork.name), value: plan.value,
      version: version)
    for change in plan.changes { try making.add(change, keeping) }
    // The numbers in the record must mean the same to whoever finishes the commit after a crash.
    let concerned = making.rows.map(\.id)
    state.withLock { $0.changedBaseNodes.formUnion(concerned) }
    try checkpoint()
    let all = try diff(
      Namespace(context: context, fork: fork.id, name: fork.name, version: plan.value.version),
      plan.value, isReversal: true)
    return CommitRecord(
      fork: fork.id, command: command, version: version, kept: making.rows, placed: making.placed,
      isWhole: all.count == plan.changes.count, settled: making.settled)
  }

  /// Makes the workspace see the bases as the commit has left them: the fork is based on them, all
  /// other values go on seeing what was before.
  public func finish(_ record: CommitRecord) throws(FileError) {
    guard let fork = forks.first(where: { $0.id == record.fork }) else { throw .notFound }
    let index = context.bases
    guard record.version == index.version.withLock({ $0 }) + 1 else { return }
    startEpoch()
    let noticed = index.takeChanges()
    for row in record.kept { index.keep(row.id, row.node) }
    index.version.withLock { $0 = record.version }
    for row in record.placed { try index.place(row.node, at: row.path) }
    for row in record.kept where row.node.file.isEmpty { index.noteAfter(row.id) }
    // What the commit itself has changed is news to nobody.
    index.changes.withLock { $0 = noticed }
    var value = fork.value
    value.rebase(onto: record)
    operation(record.command, on: fork) { fork.replaceValue(with: value) }
    fork.state.withLock { $0.origin = value.pristine }
    let changed = record.kept.map(\.id) + record.placed.map(\.node)
    state.withLock { $0.changedBaseNodes.formUnion(changed) }
    try checkpoint()
  }

  /// The number that the next commit gets.
  public var nextCommit: BaseVersion { context.bases.version.withLock { $0 } + 1 }

  /// Where objects that commits have replaced are read from.
  public func setKeptReader(_ reader: any BaseReader) {
    context.bases.keptReader.withLock { $0 = reader }
  }
}

extension Namespace {
  /// The bases alone, in the same version.
  var pristine: Namespace {
    var other = Namespace(context: context, fork: fork, name: forkName, version: version)
    other.annotations = annotations
    other.sealed = sealed
    other.sealedThrough = sealedThrough
    return other
  }

  /// What is in the base now needs no record and no entry.
  fileprivate mutating func rebase(onto record: CommitRecord) {
    version = record.version
    if record.isWhole, !nodes.hasSideLayers {
      nodes = PersistentMap()
      entries = PersistentMap()
      return
    }
    for row in record.settled {
      entries.remove(EntryKey(row.directory, row.name))
      nodes.remove(row.node)
    }
  }
}

extension PersistentMap where Key == NodeID, Value == Node {
  fileprivate var hasSideLayers: Bool {
    var has = false
    forEach(from: NodeID(0)) { _, node in
      has = node.side != .none
      return !has
    }
    return has
  }
}

/// Collects what nodes were, each once.
private struct RecordMaking {
  let live: Namespace
  let value: Namespace
  let version: BaseVersion
  private var kept: [NodeID: KeptNode] = [:]
  private(set) var placed: [CommitRecord.Placed] = []
  private(set) var settled: [CommitRecord.Settled] = []

  init(live: Namespace, value: Namespace, version: BaseVersion) {
    (self.live, self.value, self.version) = (live, value, version)
  }

  var rows: [CommitRecord.Kept] {
    kept.sorted { $0.key < $1.key }.map { .init(id: $0.key, node: $0.value) }
  }

  mutating func add(_ change: Change, _ keeping: ([UInt8]) -> [UInt8]?) throws(FileError) {
    var old = change.oldPath ?? change.path
    let former = change.oldNode ?? change.node
    if change.kind != .added, try live.find(at: old) != former, let place = live.path(of: former) {
      // Below a directory that was renamed.
      old = place
    }
    if change.kind != .added, let node = try live.find(at: old) {
      let file = change.kind == .renamed ? keeping(change.path) ?? keeping(old) : keeping(old)
      try keep(node, file ?? [], isGone: change.kind == .removed)
      try note(old, was: node)
    } else if let node = try live.find(at: change.path) {
      // Something of the host's that is overwritten.
      try keep(node, keeping(change.path) ?? [], isGone: false)
      try note(change.path, was: node)
    }
    if change.kind == .added || change.kind == .renamed {
      if try live.find(at: change.path) == nil { try note(change.path, was: nil) }
    }
    // Directories that change their node are other directories of the host from now on: what was in
    // them is kept as a whole.
    for node in [change.oldNode, change.oldNode == nil ? nil : change.node].compactMap({ $0 })
    where isThere(node) && (try? live.kind(node)) == .directory {
      try keep(node, [], isGone: true)
    }
    // A further name changes the link count of a file that the base has already.
    if change.fileKind != .directory, isThere(change.node) {
      // Where it is, and below a directory that was renamed, where it is going to be.
      let there = try live.find(at: change.path)
      let paths =
        try (there == nil || there == change.node ? [change.path] : [])
        + live.allPaths(of: change.node)
      let file = paths.lazy.compactMap(keeping).first
      try keep(change.node, file ?? [], isGone: false)
      for path in paths where path.count > 1 {
        if let parent = try live.find(at: Self.split(path).0) {
          try keep(parent, [], isGone: false)
        }
      }
    }
    if change.kind != .removed {
      placed.append(.init(path: change.path, node: change.node))
    }
    try settle(change)
  }

  /// Whether the host has a node of the bases; one that a commit has removed is still known.
  private func isThere(_ id: NodeID) -> Bool {
    guard let base = live.context.bases.node(id) else { return false }
    return (try? live.context.bases.status(of: base)) != nil
  }

  /// The directory that a path is in, and what the path's last name meant there.
  private mutating func note(_ path: [UInt8], was node: NodeID?) throws(FileError) {
    let (parentPath, name) = Self.split(path)
    guard name.count > 0 else { return }
    var parent = try live.find(at: parentPath)
    // What is there may be about to give way to a directory from elsewhere.
    if try parent.map({ id throws(FileError) in try live.kind(id) }) != .directory {
      parent = try value.find(at: parentPath)
    }
    guard let parent, isThere(parent), try live.kind(parent) == .directory else { return }
    // In a directory that was moved the name may have been there before: another change tells.
    if node == nil, try live.find(name, in: parent) != nil { return }
    try keep(parent, [], isGone: false)
    kept[parent]?.names.updateValue(node, forKey: name)
  }

  private mutating func keep(
    _ id: NodeID, _ file: [UInt8], isGone: Bool
  ) throws(FileError) {
    guard kept[id] == nil else {
      if !file.isEmpty { kept[id]?.file = file }
      if isGone { try keepWhole(id) }
      return
    }
    guard let base = live.context.bases.node(id) else { return }
    let status = try live.context.bases.status(of: base)
    kept[id] = KeptNode(
      until: version, parent: base.parent, name: base.name, status: status, file: file,
      target: status.kind == .symlink ? try live.readLink(id) : [],
      xattrs: try live.extendedAttributes(id))
    if isGone { try keepWhole(id) }
  }

  private mutating func keepWhole(_ id: NodeID) throws(FileError) {
    guard kept[id]?.status.kind == .directory, kept[id]?.isWhole == false else { return }
    var names: [Name: NodeID?] = [:]
    for entry in try live.list(id, after: 2, limit: .max) {
      names[entry.name] = try live.find(entry.name, in: id)
    }
    kept[id]?.names.merge(names) { known, _ in known }
    kept[id]?.isWhole = true
  }

  /// The fork's entries that the base will show by itself.
  private mutating func settle(_ change: Change) throws(FileError) {
    for path in [change.oldPath, change.path].compactMap({ $0 }) {
      let (parentPath, name) = Self.split(path)
      var parent = try value.find(at: parentPath)
      if parent == nil { parent = try live.find(at: parentPath) }
      guard let parent else { continue }
      settled.append(.init(directory: parent, name: name, node: change.node))
      if let old = change.oldNode {
        settled.append(.init(directory: parent, name: name, node: old))
      }
    }
  }

  private static func split(_ path: [UInt8]) -> ([UInt8], Name) {
    let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
    return (Array(path[..<slash]), Name(path[(slash + 1)...]))
  }
}

extension BaseIndex {
  /// Notes what a node was before the commit that is being finished.
  fileprivate func keep(_ id: NodeID, _ kept: KeptNode) {
    guard let node = node(id) ?? recreate(id, kept) else { return }
    node.state.withLock { state in
      state.kept.append(kept)
      state.isStored = false
      (state.children, state.listing, state.subdirectories) = ([:], nil, nil)
      state.epoch = 0
    }
  }

  /// Notes the state that the commit has left something in that it did not replace.
  fileprivate func noteAfter(_ id: NodeID) {
    guard let node = node(id) else { return }
    var place = node.state.withLock { $0.places[0] }
    var found = try? readers[place.base].status(of: place.path)
    if found?.identity != node.lastStatus.identity, node.lastStatus.kind != .directory,
      (try? find(node, node.lastStatus, 0)) == true
    {
      place = node.state.withLock { $0.places[0] }
      found = try? readers[place.base].status(of: place.path)
    }
    guard let status = found, status.identity == node.lastStatus.identity else { return }
    node.state.withLock { state in
      let last = state.kept.count - 1
      if status.kind == .regular, state.kept[last].status.identity == status.identity {
        state.kept[last].after = status.stamp
      }
      (state.status, state.places[0].stamp) = (status, status.stamp)
    }
  }

  /// A node that nobody had stored when the process died.
  private func recreate(_ id: NodeID, _ kept: KeptNode) -> BaseNode? {
    guard let parent = node(kept.parent) else { return nil }
    let places = parent.state.withLock { $0.places }.prefix(1).map { place in
      BaseNode.Place(
        base: place.base, path: place.path.appending(kept.name), stamp: kept.status.stamp)
    }
    guard !places.isEmpty else { return nil }
    return adopt(
      BaseNode(
        id: id,
        state: .init(
          parent: kept.parent, name: kept.name, status: kept.status, places: places, epoch: 0)))
  }

  /// Notes where a node is from now on: what the host has at the path is that node.
  fileprivate func place(_ id: NodeID, at path: [UInt8]) throws(FileError) {
    let names = path.split(separator: UInt8(ascii: "/")).map { Name($0) }
    guard let name = names.last else { return }
    var parent = NodeID.root
    for name in names.dropLast() {
      guard let directory = node(parent), let next = try child(name, of: directory) else { return }
      parent = next.id
    }
    guard let directory = node(parent) else { return }
    let base = directory.state.withLock { $0.places[0] }
    let place = base.path.appending(name)
    guard let status = try readers[base.base].status(of: place) else { return }
    let places = [BaseNode.Place(base: base.base, path: place, stamp: status.stamp)]
    if let known = node(id) {
      move(known, to: parent, name, status, places)
    } else {
      _ = adopt(
        BaseNode(
          id: id,
          state: .init(parent: parent, name: name, status: status, places: places, epoch: 0)))
    }
    directory.state.withLock { $0.children[name] = .some(node(id)) }
  }
}
