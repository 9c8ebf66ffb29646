/// Which changes of a tree are at some paths, or below them. A file that has changed has done so under
/// all its names.
struct ChangeFilter {
  private let paths: [[UInt8]]
  /// Changed files that have another name than the told one at the paths.
  private let linked: Set<NodeID>

  /// - Parameter tree: where the changes lead to.
  init(_ paths: [[UInt8]], _ changes: [Change], in tree: Namespace) throws(FileError) {
    self.paths = paths
    linked = try Self.linked(paths, changes, tree)
  }

  func contains(_ change: Change) -> Bool {
    change.path.isBelow(paths) || change.oldPath?.isBelow(paths) == true
      || Self.isOfFile(change) && linked.contains(change.node)
  }

  /// Whether something is told of a file, and not of a name only.
  private static func isOfFile(_ change: Change) -> Bool {
    guard change.fileKind != .directory, change.oldNode == nil else { return false }
    switch change.kind {
    case .modified, .metadata: return true
    case .renamed: return change.isContentChanged
    case .added, .removed, .typeChanged: return false
    }
  }

  private static func linked(
    _ paths: [[UInt8]], _ changes: [Change], _ tree: Namespace
  ) throws(FileError) -> Set<NodeID> {
    var links: [NodeID: UInt32] = [:]
    for change in changes where isOfFile(change) && !change.path.isBelow(paths) {
      let row = try tree.attributes(change.node)
      if row.links > 1 { links[change.node] = row.links }
    }
    guard !links.isEmpty else { return [] }
    var found: Set<NodeID> = []
    /// Files with names that nobody has looked at.
    var searched: Set<NodeID> = []
    for (node, known) in tree.paths(of: Set(links.keys)) {
      if known.contains(where: { $0.isBelow(paths) }) {
        found.insert(node)
      } else if Set(known).count < links[node] ?? 0 {
        searched.insert(node)
      }
    }
    var waiting: [NodeID] = []
    if !searched.isEmpty {
      for path in paths {
        if let node = try tree.find(at: path) { waiting.append(node) }
      }
    }
    while !searched.isEmpty, let node = waiting.popLast() {
      if searched.remove(node) != nil { found.insert(node) }
      guard try tree.kind(node) == .directory else { continue }
      for entry in try tree.list(node, after: 2, limit: .max) {
        if let child = try tree.find(entry.name, in: node) { waiting.append(child) }
      }
    }
    return found
  }
}
