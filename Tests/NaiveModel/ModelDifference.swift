/// What differs between two trees, by comparing every path of the one with every path of the other.
public struct ModelDifference: Equatable, Sendable {
  /// Paths that only the second tree has.
  public var added: Set<[UInt8]> = []
  /// Paths that only the first tree has.
  public var removed: Set<[UInt8]> = []
  /// Paths of both at which another node, or a node with other content or attributes, is found. The
  /// times of directories, and which of two like directories it is, do not count.
  public var modified: Set<[UInt8]> = []

  public init(_ old: ModelTree, _ new: ModelTree) {
    let (before, after) = (old.paths(), new.paths())
    for path in before.keys where after[path] == nil { removed.insert(path) }
    for (path, id) in after {
      guard let earlier = before[path] else {
        added.insert(path)
        continue
      }
      guard let a = old.nodes[earlier], let b = new.nodes[id] else { continue }
      if !Self.isSame(a, b, isSameNode: earlier == id) { modified.insert(path) }
    }
  }

  private static func isSame(_ a: ModelNode, _ b: ModelNode, isSameNode: Bool) -> Bool {
    guard a.kind == b.kind, a.mode == b.mode, a.uid == b.uid, a.gid == b.gid, a.xattrs == b.xattrs
    else { return false }
    if a.kind == .directory { return true }
    return isSameNode && a.contentVersion == b.contentVersion && a.modified == b.modified
  }
}

extension ModelTree {
  /// Every path from the root and its node; the root is the empty path.
  public func paths() -> [[UInt8]: Int] {
    var found: [[UInt8]: Int] = [:]
    var rest: [(path: [UInt8], id: Int)] = [([], Self.root)]
    while let (path, id) = rest.popLast() {
      found[path] = id
      for (name, child) in nodes[id]?.entries ?? [:] {
        rest.append((path + [UInt8(ascii: "/")] + name, child))
      }
    }
    return found
  }
}
