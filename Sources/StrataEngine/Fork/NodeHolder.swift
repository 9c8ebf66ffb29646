internal import Synchronization

/// Who refers to nodes of a fork by number although they may have no name any more: a mount, whose
/// kernel has looked them up.
public protocol NodeHolder: AnyObject, Sendable {
  /// Asked under the fork's lock: must not call the fork.
  func holds(_ node: NodeID) -> Bool

  /// What the log calls all that is done through the holder; nil for "(programs)".
  var operation: String? { get }

  /// Whether the log is to have what is done through the holder. Without it nobody can go back, and
  /// nothing is kept of what was before.
  var isLogged: Bool { get }

  /// Hands over what programs have stored through mappings. Called without any lock.
  func writeBack()

  /// The fork shows another tree than before, and not because the holder has changed it: after a
  /// command of the shell, an undo, a merge. Called without any lock.
  func changed(from old: Namespace, to new: Namespace)

  /// Whether there are other holders of the fork, each with programs of its own: then nothing that one
  /// has been told may be believed for long. Called while no other holder comes or goes, and without
  /// any other lock; not only when it has changed.
  func shares(_ isShared: Bool)

  /// Another holder has changed a file's content. Called without any lock; returns when whoever looks
  /// from now on finds what it is now.
  func contentChanged(_ node: NodeID)
}

extension Fork {
  public func add(_ holder: any NodeHolder) {
    state.withLock { state in
      state.holders.append(holder)
      state.wasHeld = true
      if state.logged == nil, holder.isLogged { state.logged = state.world.value }
    }
    tellSharing()
  }

  /// Takes leave: what only this holder held goes.
  public func remove(_ holder: any NodeHolder) {
    workspace.logOutside(self, as: holder.operation)
    state.withLock { state in
      state.holders.removeAll { $0 === holder }
      if state.holders.isEmpty { state.logged = nil }
      for node in state.world.orphans where !state.isHeld(node) { state.forget(node) }
    }
    tellSharing()
  }

  /// One at a time, and each says how it is then: of two that come and go at once, the last word is
  /// the right one.
  private func tellSharing() {
    sharing.withLock { _ in
      let holders = state.withLock { $0.holders }
      for holder in holders { holder.shares(holders.count > 1) }
    }
  }

  /// Tells all holders but the one that has changed it.
  public func contentChanged(_ node: NodeID, by holder: any NodeHolder) {
    for other in state.withLock({ $0.holders }) where other !== holder {
      other.contentChanged(node)
    }
  }

  /// Says that the holder holds a node no more.
  public func release(_ node: NodeID) {
    state.withLock { state in
      guard state.world.orphans.contains(node), !state.isHeld(node) else { return }
      state.forget(node)
    }
  }

  /// Whether anybody has to be told of changes.
  public var isMounted: Bool { state.withLock { !$0.holders.isEmpty } }

  /// Tells the holders what somebody else has changed. Not from within a request of theirs.
  /// - Parameter new: nil for the tree as it is now.
  public func tellHolders(from old: Namespace, to new: Namespace? = nil) {
    let (holders, value) = state.withLock { ($0.holders, $0.world.value) }
    let new = new ?? value
    guard !holders.isEmpty, !new.isUnchanged(since: old) else { return }
    for holder in holders { holder.changed(from: old, to: new) }
  }
}

extension Namespace {
  /// Visits every entry in which two values differ, and every node in which they may; what they share
  /// costs nothing.
  public func differences(
    from old: Namespace, entry: (NodeID, Name) -> Void, node: (NodeID) -> Void
  ) {
    entries.difference(from: old.entries) { key, before, after in
      guard before?.node != after?.node || (before == nil) != (after == nil) else { return }
      entry(key.directory, key.name)
    }
    nodes.difference(from: old.nodes) { id, _, _ in node(id) }
  }
}
