public import StrataEngine

/// Who is in a user namespace in which there is nobody else. The kernel lets nobody write what belongs to
/// users and groups that a namespace has not, so what this one may write is shown as their own.
public final class OnlyUser: Sendable {
  private let caller: Caller

  public init(_ caller: Caller) { self.caller = caller }

  /// The owners to be shown.
  func owners(of node: Attributes) -> (uid: UInt32, gid: UInt32) {
    guard node.uid != caller.uid || node.gid != caller.gid, mayWrite(node) else {
      return (node.uid, node.gid)
    }
    return (caller.uid, caller.gid)
  }

  private func mayWrite(_ node: Attributes) -> Bool {
    if node.uid == caller.uid { return true }
    let isInGroup = node.gid == caller.gid || caller.groups.contains(node.gid)
    return node.mode & (isInGroup ? 0o020 : 0o002) != 0
  }
}
