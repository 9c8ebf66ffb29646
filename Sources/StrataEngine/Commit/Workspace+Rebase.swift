internal import Synchronization

extension Workspace {
  /// Lets a fork take the bases as they are now, and keep its own changes, as one operation.
  ///
  /// What the host has changed and the fork has not shows as it is on the host anyway; this settles
  /// the rest: files with blocks of both, names that both have made, and commits of other forks.
  /// - Parameter settle: asked about each conflict: true keeps the fork's change, over the base as it
  ///   is now; false drops it; nil leaves the conflict unsettled, and then nothing is done.
  /// - Returns: the conflicts that nobody has settled.
  public func rebase(
    _ fork: Fork, _ command: String, settle: (CommitConflict) -> Bool?
  ) throws(FileError) -> [CommitConflict] {
    let plan = try planCommit(fork, [])
    var unsettled: [CommitConflict] = []
    var dropped: [[UInt8]] = []
    for conflict in plan.conflicts {
      switch settle(conflict) {
      case true?: break
      case false?: dropped.append(conflict.path)
      case nil: unsettled.append(conflict)
      }
    }
    guard unsettled.isEmpty else { return unsettled }
    try operation(command, on: fork) { () throws(FileError) in
      if !dropped.isEmpty { try discard(fork, dropped, command) }
      var value = fork.value
      try value.renew()
      fork.replaceValue(with: value)
      var origin = fork.origin
      try origin.renew()
      fork.state.withLock { $0.origin = origin }
    }
    return []
  }
}

extension Namespace {
  /// Lays what was made from a base's object over that object as it is now.
  fileprivate mutating func renew() throws(FileError) {
    version = context.bases.version.withLock { $0 }
    var changed: [(NodeID, Below)] = []
    nodes.forEach { id, node in
      guard let origin = node.origin, let now = try? context.bases.status(of: origin.node),
        now.stamp != origin.stamp
      else { return }
      changed.append((id, Below(node: origin.node, stamp: now.stamp, limit: now.size)))
    }
    for (id, origin) in changed {
      _ = nodes.update(id) { node in
        let former = node.origin?.stamp.size
        node.origin = origin
        guard case .file(var content) = node.body, let below = content.below else { return }
        // A length that the fork has not changed is the host's, too.
        let limit = below.limit == former ? origin.limit : min(below.limit, origin.limit)
        if node.size == former { node.size = origin.limit }
        content.below = Below(node: origin.node, stamp: origin.stamp, limit: limit)
        node.body = .file(content)
      }
    }
  }
}
