internal import Synchronization

extension Workspace {
  /// Looks at what merging a fork into another comes to, from the newest value that both have come
  /// from. Nothing is changed.
  ///
  /// The policy is asked first about the merge as a whole, then about each conflict that `settling`
  /// leaves open.
  /// - Throws: EINVAL for a fork and itself; ESTALE where a commit has come between the two, so that
  ///   they are over different states of the bases; what the policy says.
  public func planMerge(
    _ theirs: Fork, into ours: Fork, _ settling: MergeSettling = MergeSettling(),
    by caller: Caller = .superuser
  ) throws(FileError) -> MergePlan {
    guard theirs !== ours else {
      throw FileError(.invalidArgument, saying: "a fork cannot be merged into itself")
    }
    // What is shared from now on belongs to neither, as after a fork.
    let other = try theirs.state.withLock { state throws(FileError) -> Namespace in
      try state.flush()
      state.world.value.seal()
      return state.world.value
    }
    let value = ours.value
    guard value.version == other.version else {
      throw FileError(
        .staleNFSFileHandle,
        saying: "a commit came between the two, so their bases differ: rebase the older one first")
    }
    var general: MergeChoice?
    general = try ours.ask(.merge, caller) { $0.message = theirs.name }.merge
    if case .merged? = general {
      throw FileError(.notPermitted, "merged content answers a conflict, not the merge as a whole")
    }
    return try context.whole { () throws(FileError) in
      try plan(
        other, into: value, since: try commonAncestor(value, other), theirs.name
      ) { conflict throws(FileError) in
        if let choice = settling.choice(for: conflict) { return choice }
        let verdict = try ours.ask(.merge, caller) { $0.describe(conflict, theirs.name) }
        return verdict.merge ?? general
      } labels: {
        settling.writesMarkers
          ? LineMerge.Labels(ours: ours.name, theirs: theirs.name) : nil
      }
    }
  }

  /// What brings into one value what another has changed since an ancestor.
  /// - Parameter name: theirs, for people.
  func plan(
    _ theirs: Namespace, into ours: Namespace, since ancestor: Namespace, _ name: String,
    _ settle: @escaping (MergeConflict) throws(FileError) -> MergeChoice?,
    labels: () -> LineMerge.Labels?
  ) throws(FileError) -> MergePlan {
    var result = ours
    result.seal()
    result.sealedThrough = context.ids.newestLayer
    let layer = result.writableTop()
    if let newest = theirs.newest { layer.add(LayerSource(layer: newest, value: .value(theirs))) }
    let mine = try MergeSide(ours, since: ancestor)
    let its = try MergeSide(theirs, since: ancestor)
    var planner = MergePlanner(
      ancestor: ancestor, ours: mine, theirs: its, comparison: ContentComparison(ours),
      settle: { conflict, _ throws(FileError) in try settle(conflict) }, labels: labels(),
      layer: layer, now: now)
    try planner.run()
    try result.apply(planner)
    return MergePlan(
      fork: name, ours: ours, theirs: theirs, ancestor: ancestor, result: result,
      conflicts: planner.conflicts.sorted { $0.path.lexicographicallyPrecedes($1.path) },
      settled: planner.settled.sorted {
        $0.conflict.path.lexicographicallyPrecedes($1.conflict.path)
      }, merged: planner.merged,
      keysVisited: mine.keysVisited + its.keysVisited)
  }

  /// Makes the fork what a plan says, as one operation.
  /// - Throws: EBUSY for a plan with conflicts that nobody has settled; EAGAIN if the fork was changed
  ///   since the plan was made.
  public func merge(
    _ plan: MergePlan, into fork: Fork, _ command: String, by caller: Caller = .superuser
  ) throws(FileError) {
    guard plan.conflicts.isEmpty else {
      throw FileError(.resourceBusy, saying: "\(plan.conflicts.count) conflicts are not settled")
    }
    try checkWritable()
    try operation(command, on: fork) { () throws(FileError) in
      try fork.state.withLock { state throws(FileError) in
        guard state.world.value.isUnchanged(since: plan.ours) else {
          throw FileError(
            .resourceTemporarilyUnavailable, saying: "\(fork.name) was changed meanwhile")
        }
        state.world.value = plan.result
        for node in state.world.open.keys { state.world.value.keepOpen(node, as: plan.ours) }
      }
    }
    fork.tell(.merge, caller) { $0.message = plan.fork }
  }
}

extension Namespace {
  /// Keeps what is open as it was, without a name, if the merge has removed it.
  fileprivate mutating func keepOpen(_ id: NodeID, as former: Namespace) {
    guard nodes[id].map({ $0.links == 0 }) ?? (former.nodes[id] != nil),
      var record = try? former.record(id)
    else { return }
    record.links = 0
    nodes.insert(id, record)
  }
}

extension Event {
  fileprivate mutating func describe(_ conflict: MergeConflict, _ fork: String) {
    message = fork
    path = conflict.path
    path2 = conflict.theirPath
    self.conflict = conflict
    fileKind = conflict.contents.kind(.ours) ?? conflict.contents.kind(.theirs)
  }
}
