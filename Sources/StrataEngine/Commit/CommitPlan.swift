/// What committing a fork to its base would do, and what stands against it.
public struct CommitPlan: Sendable {
  /// By path, as ``Workspace/diff(_:_:)`` tells them, and directories in the place of others that
  /// look the same: the host's have the fork's numbers from then on.
  public var changes: [Change]
  /// Those that a person is told of.
  public var shown: [Change] { changes.filter { !$0.isOnlyIdentity } }
  public var conflicts: [CommitConflict]
  /// The value that the plan was made of.
  public let value: Namespace
  /// The bases as the fork sees them.
  public let seen: Namespace
  /// The bases as they are.
  public let live: Namespace
  /// How many changes there are besides those that were not asked for.
  let count: Int
  /// Whether the fork must be rebased before anybody can say what is to be done: what it has changed
  /// is gone from the host, for example, or in another place, or another object is in the place.
  public var needsRebase = false
  /// Whether the value is not the fork's yet, but that brought over to the bases as they are, because
  /// both sides have changed something to the same, or the host has moved what the fork has changed.
  /// The fork is to be rebased before it is committed.
  public var isRebased = false
  /// Paths that are left to the host: with the commit the fork drops what it has changed there.
  public internal(set) var left: [[UInt8]] = []

  /// Paths where the host's change gives way to the fork's.
  public internal(set) var overridden: [[UInt8]] = []

  /// Settles conflicts for the fork's side.
  public mutating func override(_ paths: [[UInt8]]) { overridden += paths }

  /// Leaves some paths, with all below them, to the host.
  public mutating func leave(_ paths: [[UInt8]]) {
    left += paths
    changes.removeAll { [left] change in
      change.path.isBelow(left) || change.oldPath?.isBelow(left) == true
    }
  }

  /// Whether a commit is to be taken back: what the fork has above the bases is no part of it.
  var isReversal = false

  /// The changes that are asked for, with all that cannot be made apart from them: further names of
  /// the same files, what changes places with them, the directories on the way.
  public func together(_ isWanted: (Change) -> Bool) throws(FileError) -> [Change] {
    var selection = CommitSelection(self)
    return try selection.run(isWanted)
  }
}

/// Why a change cannot simply be made: the base is not what the fork took it to be.
public struct CommitConflict: Equatable, Sendable {
  public enum Kind: String, Sendable {
    /// The host has changed what the fork has changed, too.
    case changed = "changed on the host"
    case gone = "gone from the host"
    /// The fork has made what somebody else has made on the host.
    case exists = "made on the host as well"
    /// The fork removes a directory in which the host has got something new.
    case notEmpty = "has got new entries on the host"
    case noDirectory = "its directory is gone from the host"
    /// As ``gone`` and ``changed``, where the fork has renamed a file, say, of which it holds no content,
    /// or some blocks only.
    case lost = "gone from the host, and the fork has no copy of it"
    case replaced = "replaced on the host, and the fork has no copy of what was there"
  }

  public var kind: Kind
  public var path: [UInt8]

  public init(kind: Kind, path: [UInt8]) { (self.kind, self.path) = (kind, path) }

  /// Whether a commit can make the fork's side the host's.
  public var canBeOverridden: Bool {
    switch kind {
    case .changed, .gone, .exists, .notEmpty: true
    case .noDirectory, .lost, .replaced: false
    }
  }

  /// Whether a rebase can keep the fork's side.
  public var canBeKept: Bool { kind != .lost }
}

extension Workspace {
  /// Compares a fork with the bases as they are now.
  /// - Parameters:
  ///   - paths: what to commit, with all below; empty is everything.
  ///   - mayRebase: whether the fork can be rebased before. Else what both sides have changed to the
  ///     same is written over the host's.
  public func planCommit(
    _ fork: Fork, _ paths: [[UInt8]], mayRebase: Bool = true
  ) throws(FileError) -> CommitPlan {
    startEpoch()
    // What is planned must outlast a crash in the middle of the commit.
    var value = try fork.state.withLock { state throws(FileError) in
      try state.flush()
      return state.world.value
    }
    let drift = try rebased(value) { _ in nil }
    let isRebased =
      mayRebase && drift.open.isEmpty
      && (drift.sharesDirectories || drift.isMoved || !drift.agreed.isEmpty)
    if isRebased { value = drift.value }
    let seen = Namespace(
      context: context, fork: fork.id, name: fork.name, version: value.version)
    let live = Namespace(context: context, fork: fork.id, name: fork.name)
    let changes: [Change]
    do throws(FileError) {
      let all = try self.changes(seen, value)
      changes = all.contains { !$0.isOnlyIdentity } ? all : []
    } catch {
      guard error.errno == .staleNFSFileHandle else { throw error }
      guard !drift.open.isEmpty else { throw error.sayingToRebase }
      return CommitPlan(
        changes: [], conflicts: drift.open, value: value, seen: seen, live: live, count: 0,
        needsRebase: true)
    }
    var plan = CommitPlan(
      changes: changes, conflicts: drift.open, value: value, seen: seen, live: live,
      count: changes.count)
    plan.isRebased = isRebased
    let told = Set(plan.shown.flatMap { [$0.path, $0.oldPath ?? $0.path] })
    if !paths.isEmpty {
      let filter = try ChangeFilter(paths, plan.changes, in: value)
      plan.changes = try plan.together(filter.contains)
      let chosen = Set(plan.changes.map(\.path))
      plan.conflicts.removeAll { !chosen.contains($0.path) && !$0.path.isBelow(paths) }
    }
    plan.needsRebase =
      drift.isMoved && !isRebased || plan.conflicts.contains { !told.contains($0.path) }
    // Seen once now, they are taken for what they were before the commit touches them.
    for change in plan.changes {
      if let base = context.bases.node(change.node) { _ = try? context.bases.status(of: base) }
    }
    // To write over the host's what is the same takes nothing from anybody.
    let known = Set(plan.conflicts.map(\.path)).union(drift.agreed)
    let check = ConflictCheck(value: value, seen: seen, live: live, changes: plan.changes)
    plan.conflicts += try check.run().filter { !known.contains($0.path) }
    plan.conflicts.sort { $0.path.lexicographicallyPrecedes($1.path) }
    return plan
  }
}

/// Looks for what has changed on the host since the fork looked.
struct ConflictCheck {
  let value: Namespace
  /// The bases as the fork sees them, and as they are.
  let seen: Namespace
  let live: Namespace
  let changes: [Change]

  func run() throws(FileError) -> [CommitConflict] {
    var conflicts: [CommitConflict] = []
    let made = Set(changes.filter { $0.kind == .added || $0.kind == .renamed }.map(\.path))
    for change in changes {
      if let kind = try hasUnseen(change) ? .exists : conflict(change, made) {
        conflicts.append(CommitConflict(kind: kind, path: change.path))
      }
    }
    return conflicts
  }

  private func conflict(
    _ change: Change, _ made: Set<[UInt8]>
  ) throws(FileError) -> CommitConflict.Kind? {
    if change.kind == .added || change.kind == .renamed {
      let parent = Self.parent(of: change.path)
      if !made.contains(parent), try find(parent, live) == nil, try find(parent, seen) != nil {
        return .noDirectory
      }
      let there = try find(change.path, live)
      if there != nil, try find(change.path, seen) != there { return .exists }
      if change.kind == .added { return nil }
    }
    let node = change.oldNode ?? change.node
    var place = change.oldPath ?? change.path
    if try find(place, seen) != node, let former = seen.path(of: node) {
      // Below a directory that was renamed it is still where it was.
      place = former
    }
    guard let there = try find(place, live) else { return change.kind == .removed ? nil : .gone }
    guard there == node else { return .changed }
    if change.kind == .removed, change.fileKind == .directory, try hasNewEntries(node) {
      return .notEmpty
    }
    guard let origin = value.nodes[node]?.origin else {
      // The fork has put its own in a place that was free, and by now is not. What it has in another
      // place, it has seen.
      let isBoth = change.oldNode != nil && change.kind != .metadata
      return isBoth && value.nodes[node] == nil && value.path(of: node) == nil ? .exists : nil
    }
    let now = try value.context.bases.status(of: origin.node).stamp
    if (change.oldFileKind ?? change.fileKind) == .directory {
      return now.identity == origin.stamp.identity ? nil : .changed
    }
    return now == origin.stamp ? nil : .changed
  }

  /// Whether the host shows something where the fork has put something, that the fork never saw: of
  /// what it has seen there and replaced it has a record.
  private func hasUnseen(_ change: Change) throws(FileError) -> Bool {
    guard change.kind != .removed,
      change.kind == .added || change.kind == .renamed
        || change.oldNode != nil
    else { return false }
    let slash = change.path.lastIndex(of: UInt8(ascii: "/")) ?? 0
    guard let parent = try find(Array(change.path[..<slash]), value),
      let there = try value.showsBelow(Name(change.path[(slash + 1)...]), in: parent)
    else { return false }
    return there.id != change.node && value.nodes[there.id] == nil
  }

  private func hasNewEntries(_ directory: NodeID) throws(FileError) -> Bool {
    let known = Set(try seen.list(directory, after: 2, limit: .max).map(\.name))
    for entry in try live.list(directory, after: 2, limit: .max) {
      guard known.contains(entry.name) else { return true }
      // All that the fork has removed it has a record of; what moves along it still shows.
      guard let child = try live.find(entry.name, in: directory), value.nodes[child] == nil,
        value.path(of: child) == nil
      else { continue }
      return true
    }
    return false
  }

  static func parent(of path: [UInt8]) -> [UInt8] {
    Array(path[..<(path.lastIndex(of: UInt8(ascii: "/")) ?? 0)])
  }

  private func find(_ path: [UInt8], _ tree: Namespace) throws(FileError) -> NodeID? {
    let found: NodeID?
    do throws(FileError) {
      found = try tree.find(at: path)
    } catch {
      // What is there is another object than before.
      guard error.errno == .staleNFSFileHandle else { throw error }
      return nil
    }
    guard let place = found else { return nil }
    // A node that was looked at before may have been replaced since.
    if let base = tree.context.bases.node(place), tree.nodes[place] == nil,
      (try? tree.context.bases.status(of: base, at: tree.version)) == nil
    {
      return nil
    }
    return place
  }
}
