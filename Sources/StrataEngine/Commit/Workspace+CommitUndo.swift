internal import Synchronization

/// Taking a commit back from the host.
extension Workspace {
  /// What must be done to the bases to have them as they were before a commit, that being the last
  /// one that was not taken back.
  ///
  /// It is a plan as any other: the host's tree with the commit's changes reversed on top.
  /// - Throws: ENOENT if the fork that was committed is not there any more, or its log has not the
  ///   commit: nobody would have its changes then.
  public func planUndo(of record: CommitRecord) throws(FileError) -> CommitPlan {
    guard let fork = forks.first(where: { $0.id == record.fork }) else {
      throw FileError(
        .noSuchFileOrDirectory, saying: "the fork that was committed is not there any more")
    }
    guard operation(of: record, in: fork) != nil else {
      throw FileError(
        .noSuchFileOrDirectory,
        saying:
          "fork \(fork.name) has given up what was before commit \(record.version), by squash, and "
          + "could not have its changes again; nothing was done")
    }
    startEpoch()
    let seen = Namespace(context: context, fork: fork.id, name: fork.name)
    var reversal = CommitReversal(record, seen)
    let value = try reversal.run()
    try reversal.verify()
    let changes = try self.changes(seen, value, isReversal: true)
    let check = ConflictCheck(value: value, seen: seen, live: seen, changes: changes)
    return CommitPlan(
      changes: changes, conflicts: try check.run(), value: value, seen: seen, live: seen,
      count: changes.count, isReversal: true)
  }

  /// After a commit was taken back: the fork has its changes again, with what it has changed since, unless
  /// it has them already.
  /// - Returns: whether it has them. It has not where the commit is not in its log any more, or both
  ///   cannot be had together.
  @discardableResult
  public func takeBack(
    _ record: CommitRecord, _ command: String
  ) throws(FileError) -> Bool {
    startEpoch()
    guard let fork = forks.first(where: { $0.id == record.fork }),
      let commit = operation(of: record, in: fork)
    else { return false }
    let newest = context.bases.version.withLock { $0 }
    if fork.value.version == newest, try isIn(fork.value, [commit.before]) { return true }
    // A value over later bases has come there by taking back a later commit.
    let hasGoneOn =
      fork.value.version == commit.after.version
      ? !fork.value.isUnchanged(since: commit.after)
      : try !isIn(fork.value, [commit.after, commit.before])
    let value = try context.whole { () throws(FileError) -> Namespace? in
      // The host has again what the changes were made on; only its objects are others.
      // What was settled is in conflict again.
      let conflicts = record.left + record.overridden
      var run = RebaseRun(commit.before) { $0.path.isBelow(conflicts) ? nil : .ours }
      let value = try run.run().value
      guard hasGoneOn else { return value }
      // Where it is not to be had, the fork keeps what it has.
      return (try? add(fork.value, since: commit.after, record, to: value)) ?? nil
    }
    guard let value else { return false }
    operation(command, on: fork) {
      fork.replaceValue(with: value)
      fork.state.withLock { $0.origin = value.pristine }
    }
    try checkpoint()
    return true
  }
}

extension Workspace {
  /// A commit as its fork's log has it: squash gives it up.
  func operation(of record: CommitRecord, in fork: Fork) -> Operation? {
    fork.allOperations.last {
      $0.after.version == record.version && $0.before.version < record.version
    }
  }

  /// Adds what a fork has changed since a commit to the value that has the commit's changes as its own.
  /// - Returns: nil where that is not what the fork shows.
  private func add(
    _ later: Namespace, since commit: Namespace, _ record: CommitRecord, to value: Namespace
  ) throws(FileError) -> Namespace? {
    guard later.version == commit.version else { return nil }
    let plan = try plan(
      later, into: value, since: commit, value.forkName,
      { _ throws(FileError) in nil as MergeChoice? }, labels: { nil })
    guard plan.conflicts.isEmpty else { return nil }
    var result = plan.result
    // What the bases had by the commit they have no more.
    for id in record.nodes where result.nodes[id] != nil {
      _ = result.nodes.update(id) { $0.origin = value.nodes[id]?.origin }
    }
    return try isSame(result, as: later, over: record) ? result : nil
  }

  /// Whether two values show the same, over the bases before a commit and behind it.
  private func isSame(
    _ value: Namespace, as other: Namespace, over record: CommitRecord
  ) throws(FileError) -> Bool {
    guard try diff(other, value).isEmpty else { return false }
    for row in record.kept {
      for name in row.node.names.keys {
        let key = EntryKey(row.id, name)
        guard try value.node(under: key) == other.node(under: key) else { return false }
      }
    }
    return true
  }

  /// Whether a value comes to the same as one of others over the bases as they are now: taking back a
  /// later commit, for example, has brought the fork over to them.
  private func isIn(_ value: Namespace, _ others: [Namespace]) throws(FileError) -> Bool {
    if others.contains(where: value.isUnchanged(since:)) { return true }
    return try context.whole { () throws(FileError) in
      let now = try rebased(value) { _ in .ours }.value
      for other in others {
        if try changes(now, rebased(other) { _ in .ours }.value).isEmpty { return true }
      }
      return false
    }
  }
}

/// Makes the value that shows the bases as they were before a commit, over the bases as they are.
private struct CommitReversal {
  private let record: CommitRecord
  private let seen: Namespace
  private let old: Namespace
  private var value: Namespace
  private var bases: BaseIndex { seen.context.bases }
  /// What the commit has changed or made.
  private let touched: Set<NodeID>

  init(_ record: CommitRecord, _ seen: Namespace) {
    (self.record, self.seen, value) = (record, seen, seen)
    touched = Set(record.kept.map(\.id) + record.placed.map(\.node))
    old = Namespace(
      context: seen.context, fork: seen.fork, name: seen.forkName, version: record.version - 1)
  }

  mutating func run() throws(FileError) -> Namespace {
    let owner = value.writableTop().id
    for row in record.kept { try restore(row, owner) }
    let known = Set(record.kept.map(\.id))
    for row in record.placed where !known.contains(row.node) { try remove(row.node, owner) }
    for row in record.kept {
      for (name, was) in row.node.names { try restore(name, was, in: row.id, owner) }
    }
    for row in record.kept where row.node.isWhole {
      try clear(row, owner)
      try adopt(row.id, owner)
    }
    return value
  }

  /// A directory that is another object of the host now shows nothing that the commit has put there.
  private mutating func clear(
    _ row: CommitRecord.Kept, _ owner: LayerID
  ) throws(FileError) {
    guard let base = bases.node(row.id), try status(row.id) != nil else { return }
    for entry in try bases.listing(of: base) where row.node.names[entry.name] == nil {
      guard let child = try bases.child(entry.name, of: base), touched.contains(child.id) else {
        continue
      }
      value.entries.insert(EntryKey(row.id, entry.name), .whiteout(owner: owner))
    }
  }

  /// What somebody else has put since into the directory that was made in the place of one that comes
  /// back goes over into that.
  private mutating func adopt(_ directory: NodeID, _ owner: LayerID) throws(FileError) {
    guard let path = value.path(of: directory), let twin = try seen.find(at: path),
      twin != directory, try seen.kind(twin) == .directory
    else { return }
    for entry in try seen.list(twin, after: 2, limit: .max) {
      let child = try seen.lookup(entry.name, in: twin)
      let key = EntryKey(directory, entry.name)
      guard !touched.contains(child), value.entries[key] == nil else { continue }
      var node = try value.record(child)
      (node.parent, node.name, node.owner) = (directory, entry.name, owner)
      value.nodes.insert(child, node)
      value.entries.insert(key, Entry(child, entry.kind, owner: owner))
    }
  }

  /// Makes sure that the reversal shows what the bases were, wherever the commit has changed them.
  /// - Throws: ENOTSUP, naming the first path that would be another.
  func verify() throws(FileError) {
    for row in record.kept {
      guard let path = old.path(of: row.id) else { continue }
      try verify(path, row.id, isWhole: row.node.isWhole)
    }
  }

  private func verify(_ path: [UInt8], _ id: NodeID, isWhole: Bool) throws(FileError) {
    guard let node = try value.find(at: path) else { throw differs(path) }
    let (was, now) = (try old.attributes(id), try value.attributes(node))
    guard was.kind == now.kind, was.mode == now.mode, was.uid == now.uid, was.gid == now.gid,
      was.kind == .directory || was.size == now.size && was.links == now.links
    else { throw differs(path) }
    guard was.kind == .directory else { return }
    let (before, after) = (
      try old.list(id, after: 2, limit: .max), try value.list(node, after: 2, limit: .max)
    )
    let kinds = Dictionary(after.map { ($0.name, $0.kind) }) { first, _ in first }
    guard before.allSatisfy({ kinds[$0.name] == $0.kind }) else { throw differs(path) }
    // What somebody else has put there since may stay; what the commit has put there may not.
    let names = Set(before.map(\.name))
    for entry in after where !names.contains(entry.name) {
      guard try !touched.contains(value.lookup(entry.name, in: node)) else { throw differs(path) }
    }
    guard isWhole else { return }
    for entry in before {
      let child = try old.lookup(entry.name, in: id)
      try verify(path + [UInt8(ascii: "/")] + entry.name.bytes, child, isWhole: true)
    }
  }

  private func differs(_ path: [UInt8]) -> FileError {
    FileError(
      .notSupported,
      saying: "commit \(record.version) cannot be taken back whole: "
        + "\(String(decoding: path, as: UTF8.self)) would not be what it was; nothing was done")
  }

  /// The status of a node that is where the commit has left it; nil for one that is gone.
  private func status(_ id: NodeID) throws(FileError) -> BaseStatus? {
    guard let base = bases.node(id) else { return nil }
    do throws(FileError) {
      return try bases.status(of: base)
    } catch {
      guard error.errno == .staleNFSFileHandle else { throw error }
      return nil
    }
  }

  private mutating func restore(
    _ row: CommitRecord.Kept, _ owner: LayerID
  ) throws(FileError) {
    guard let base = bases.node(row.id) else { throw FileError(.staleNFSFileHandle) }
    let status = try status(row.id)
    var node = try old.record(row.id)
    let live = status.map { Below(node: base, stamp: $0.stamp, limit: $0.size) }
    (node.parent, node.name, node.owner) = (row.node.parent, row.node.name, owner)
    node.xattrs = ExtendedAttributes(row.node.xattrs)
    node.origin = live
    switch node.body {
    case .file(var content):
      if let live, row.node.file.isEmpty, live.limit == node.size {
        content = FileContent(below: live, owner: nil)
      } else if live == nil {
        content.owner = value.newest
      }
      node.body = .file(content)
    case .directory: node.body = .directory(below: live == nil ? nil : base)
    case .symlink(let link):
      node.body = .symlink(SymlinkBody(target: link.target, below: live == nil ? nil : base))
    case .special(let kind, let device, _):
      node.body = .special(kind, device: device, below: live == nil ? nil : base)
    }
    value.nodes.insert(row.id, node)
  }

  /// What the commit has made goes.
  private mutating func remove(_ id: NodeID, _ owner: LayerID) throws(FileError) {
    guard try status(id) != nil else { return }
    var node = try seen.record(id)
    (node.links, node.owner) = (0, owner)
    value.nodes.insert(id, node)
    value.forget(id)
  }

  private mutating func restore(
    _ name: Name, _ was: NodeID?, in directory: NodeID, _ owner: LayerID
  ) throws(FileError) {
    let key = EntryKey(directory, name)
    var now: NodeID?
    if let base = bases.node(directory), try status(directory) != nil {
      now = try bases.child(name, of: base)?.id
    }
    guard was != now else { return }
    if let was {
      value.entries.insert(key, Entry(was, try old.kind(was), owner: owner))
    } else {
      value.entries.insert(key, .whiteout(owner: owner))
    }
  }
}
