internal import Synchronization

/// What commits have kept that nobody sees any more.
extension Workspace {
  /// Commits that no tree is from before, nor has content that is laid on what they have kept. They
  /// cannot be taken back from the host any more.
  /// - Parameter kept: what the store has of commits.
  func unseenCommits(
    _ kept: some Sequence<BaseVersion>, _ survey: StoreSurvey
  ) -> [BaseVersion] {
    let unseen = kept.filter { $0 <= survey.oldest }
    guard !unseen.isEmpty else { return [] }
    // The last ones that are left can be taken back, so no other may be missing between them.
    let needed = survey.belows.compactMap { context.bases.commit(keeping: $0) }.min() ?? .max
    return unseen.filter { $0 < needed }.sorted()
  }
}

/// The state of a base's file that content is laid on. What device that was on depends on the mount.
struct BelowState: Hashable {
  let node: NodeID
  fileprivate var inode: UInt64
  fileprivate var size: Int64
  fileprivate var modified, changed: Timestamp

  init(_ record: BelowRecord) {
    (node, inode, size) = (record.node, record.inode, record.size)
    (modified, changed) = (record.modified, record.changed)
  }

  fileprivate func isAt(_ stamp: BaseStamp) -> Bool {
    inode == stamp.identity.inode && size == stamp.size && modified == stamp.modified
      && changed == stamp.changed
  }

  fileprivate mutating func move(to stamp: BaseStamp) {
    (inode, size) = (stamp.identity.inode, stamp.size)
    (modified, changed) = (stamp.modified, stamp.changed)
  }
}

extension BaseIndex {
  /// The commit that has kept a file's content in a state; nil if none has. See ``open(_:)``.
  fileprivate func commit(keeping below: BelowState) -> BaseVersion? {
    guard let node = node(below.node) else { return nil }
    var below = below
    for kept in node.state.withLock({ $0.kept }) where below.isAt(kept.status.stamp) {
      if !kept.file.isEmpty { return kept.until }
      if let after = kept.after { below.move(to: after) }
    }
    return nil
  }
}
