internal import Synchronization

extension Workspace {
  /// What a plan comes to for the bases, before anything is done.
  /// - Parameters:
  ///   - moves: all that is going to be done, in order.
  ///   - directory: the name of the commit's directory in that of kept objects.
  public func record(
    _ plan: CommitPlan, _ fork: Fork, _ command: String, _ moves: [CommitMove],
    in directory: [UInt8]
  ) throws(FileError) -> CommitRecord {
    let version = context.bases.version.withLock { $0 } + 1
    var making = CommitRecordMaking(
      try CommitOutcome(plan.live, moves), value: plan.value, version: version,
      directory: directory)
    try making.run()
    // The numbers in the record must mean the same to whoever finishes the commit after a crash.
    let concerned = making.nodes
    state.withLock { $0.changedBaseNodes.formUnion(concerned) }
    let planned = try plan.isReversal ? nil : keep(plan.value)
    try checkpoint()
    return CommitRecord(
      fork: fork.id, command: command, version: version, kept: making.kept, placed: making.placed,
      reach: plan.reach, settled: try plan.isReversal ? [] : settled(plan), left: plan.left,
      overridden: plan.overridden, planned: planned)
  }

  /// The fork's names that the base will show by itself.
  private func settled(_ plan: CommitPlan) throws(FileError) -> [CommitRecord.Settled] {
    var settled: [CommitRecord.Settled] = []
    for change in plan.changes {
      for path in [change.oldPath, change.path].compactMap({ $0 }) {
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
        let (above, name) = (Array(path[..<slash]), Name(path[(slash + 1)...]))
        var parent = try plan.value.find(at: above)
        if parent == nil { parent = try plan.live.find(at: above) }
        guard let parent else { continue }
        settled.append(.init(directory: parent, name: name, node: change.node))
        if let old = change.oldNode {
          settled.append(.init(directory: parent, name: name, node: old))
        }
      }
    }
    return settled
  }

  /// Makes the workspace see the bases as the commit has left them: the fork is based on them, all
  /// other values go on seeing what was before.
  ///
  /// What programs have done in the fork since the plan was made is its own, and no part of the commit.
  /// - Parameters:
  ///   - planned: the value that the plan was made of; nil takes the one in the store.
  ///   - moves: does what is to be done to the host. Whoever asks the bases meanwhile waits.
  /// - Returns: false, having done nothing, if the workspace has seen that commit, or another one instead.
  @discardableResult
  public func finish(
    _ record: CommitRecord, since planned: Namespace? = nil,
    behind moves: () throws(FileError) -> Void = {}
  ) throws(FileError) -> Bool {
    guard let fork = forks.first(where: { $0.id == record.fork }) else { throw .notFound }
    let index = context.bases
    guard record.version == index.version.withLock({ $0 }) + 1 else { return false }
    var planned = planned
    if planned == nil { planned = try stored(record, of: fork) }
    try index.moves.run { () throws(FileError) in
      do {
        // Also where all was taken back: somebody may have looked at the beginning.
        defer { startEpoch() }
        try moves()
      }
      let noticed = index.takeChanges()
      for row in record.kept { index.keep(row.id, row.node) }
      index.version.withLock { $0 = record.version }
      for row in record.placed { try index.place(row.node, at: row.path) }
      for row in record.kept where row.node.file.isEmpty { index.noteAfter(row.id) }
      // What the commit itself has changed is news to nobody.
      index.changes.withLock { $0 = noticed }
    }
    if record.reach != .reversal {
      try operation(record.command, on: fork) { [planned] () throws(FileError) in
        fork.rebase(onto: record, since: planned)
        try drop(record.left, of: fork)
      }
    }
    let changed = record.kept.map(\.id) + record.placed.map(\.node)
    state.withLock { $0.changedBaseNodes.formUnion(changed) }
    try checkpoint()
    return true
  }

  /// The value that was committed, for who finishes the commit after a crash.
  private func stored(_ record: CommitRecord, of fork: Fork) throws(FileError) -> Namespace? {
    guard let planned = record.planned, let persistence = context.persistence else { return nil }
    return try Namespace(
      planned, context: context, fork: fork.id, name: fork.name, from: persistence)
  }

  /// The number that the next commit gets.
  public var nextCommit: BaseVersion { context.bases.version.withLock { $0 } + 1 }

  /// Where objects that commits have replaced are read from.
  public func setKeptReader(_ reader: any BaseReader) {
    context.bases.keptReader.withLock { $0 = reader }
  }
}

extension CommitPlan {
  fileprivate var reach: CommitRecord.Reach {
    isReversal ? .reversal : count == changes.count ? .whole : .part
  }
}

extension Fork {
  /// Files that are open go on in the tree as it is now: what they are is the same.
  fileprivate func rebase(onto record: CommitRecord, since planned: Namespace?) {
    state.withLock { state in
      let before = state.world.value
      state.world.value.rebase(onto: record)
      // What has no name is no part of a commit.
      for node in state.world.orphans {
        guard var record = before.nodes[node] else { continue }
        if !before.isKnown(node) { record.origin = nil }
        state.world.value.nodes.insert(node, record)
      }
      if let planned {
        let meanwhile = ChangesMeanwhile(from: before, since: planned, over: record)
        meanwhile.take(to: &state.world.value)
      }
      state.origin = state.world.value.pristine
    }
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
    if record.reach == .whole, !nodes.hasSideLayers {
      nodes = PersistentMap()
      entries = PersistentMap()
      return
    }
    let bases = context.bases
    var shown: [EntryKey] = []
    entries.forEach { key, _ in shown.append(key) }
    for key in shown {
      // A directory that only the fork has is none of the base's yet.
      guard let entry = entries[key], let directory = bases.node(key.directory),
        (try? bases.status(of: directory)) != nil
      else { continue }
      let now = (try? bases.child(key.name, of: directory)) ?? nil
      if now?.id == entry.node { entries.remove(key) }
    }
    for row in record.settled { settle(row.node) }
    guard !record.settled.isEmpty else { return }
    // Directories that the fork had made in the place of others.
    for row in record.placed where nodes[row.node]?.kind == .directory { settle(row.node) }
    for row in record.kept where nodes[row.id]?.links == 0 {
      if let base = bases.node(row.id), (try? bases.status(of: base)) == nil {
        nodes.remove(row.id)
      }
    }
  }

  /// What has become of a node by the commit is the base's; in a directory the fork may have more.
  private mutating func settle(_ id: NodeID) {
    guard let node = nodes[id], node.kind == .directory, node.links > 0, hasEntries(id),
      let base = context.bases.node(id), let status = try? context.bases.status(of: base)
    else {
      nodes.remove(id)
      return
    }
    let origin = Below(node: base, stamp: status.stamp, limit: status.size)
    _ = nodes.update(id) { ($0.origin, $0.body) = (origin, .directory(below: base)) }
  }

  private func hasEntries(_ directory: NodeID) -> Bool {
    var has = false
    entries.forEach(from: EntryKey(startOf: directory)) { key, _ in
      has = key.directory == directory
      return false
    }
    return has
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
