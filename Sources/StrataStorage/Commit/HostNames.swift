internal import StrataEngine
internal import StrataSystem

/// What a plan comes to for the names of each node: which of them it loses, gets and keeps.
///
/// Names that go are told as they are before the commit, names that come as they are behind it; what
/// is below a directory that is renamed has another path then.
struct HostNames {
  private let plan: CommitPlan
  /// Names that go, by the node that the host has there.
  private(set) var lost: [NodeID: [[UInt8]]] = [:]
  private(set) var gained: [NodeID: [[UInt8]]] = [:]
  /// Nodes that are no directories, in the order of their paths.
  private(set) var files: [NodeID] = []
  private(set) var lostDirectories: [[UInt8]] = []
  /// What the directories that are renamed are called behind the commit, by what they are called.
  private var renamed: [[UInt8]: [UInt8]] = [:]

  init(_ plan: CommitPlan) throws(FileError) {
    self.plan = plan
    var known: Set<NodeID> = []
    var given: [(path: [UInt8], node: NodeID)] = []
    var freed: Set<[UInt8]> = []
    for change in plan.changes.sorted(by: { $0.path.lexicographicallyPrecedes($1.path) }) {
      if change.fileKind != .directory, known.insert(change.node).inserted {
        files.append(change.node)
      }
      let isTwin = change.fileKind == .directory && change.oldFileKind == .directory
      switch change.kind {
      case .removed: try lose(change.path, &freed)
      case .renamed:
        if change.fileKind == .directory {
          renamed[change.oldPath ?? []] = change.path
        } else {
          try lose(change.oldPath ?? [], &freed)
          given.append((change.path, change.node))
        }
      case .added, .typeChanged: given.append((change.path, change.node))
      case .modified, .metadata:
        let isGone = change.fileKind != .directory && !plan.live.isKnown(change.node)
        if isGone || change.oldNode != nil && !isTwin { given.append((change.path, change.node)) }
      }
    }
    for (path, node) in given {
      // What is there, be it what the fork has replaced, or somebody else's, gives way.
      if !freed.contains(path), try there(path) != node { try lose(path, &freed) }
      gained[node, default: []].append(path)
    }
    for node in lost.keys where !known.contains(node) { files.append(node) }
  }

  private mutating func lose(_ path: [UInt8], _ freed: inout Set<[UInt8]>) throws(FileError) {
    guard freed.insert(path).inserted, let node = try there(path) else { return }
    if try plan.live.attributes(of: node).kind == .directory {
      lostDirectories.append(path)
    } else {
      lost[node, default: []].append(path)
    }
  }

  /// What the host has at a path; nil for nothing.
  func there(_ path: [UInt8]) throws(FileError) -> NodeID? {
    do throws(FileError) {
      return try plan.live.node(at: path)
    } catch {
      guard [.noSuchFileOrDirectory, .notDirectory, .staleNFSFileHandle].contains(error.errno)
      else { throw error }
      return nil
    }
  }

  /// The names of a file of the host that stay, as they are before the commit.
  func kept(_ node: NodeID) throws(FileError) -> [[UInt8]] {
    guard plan.live.isKnown(node) else { return [] }
    let going = lost[node, default: []]
    return try plan.live.allPaths(of: node).filter { !going.contains($0) }
      .sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// What a path is behind the commit.
  func after(_ path: [UInt8]) -> [UInt8] {
    guard !renamed.isEmpty else { return path }
    var rest = path[...]
    while !rest.isEmpty {
      if let place = renamed[Array(rest)] { return place + path[rest.endIndex...] }
      rest = rest[..<(rest.lastIndex(of: UInt8(ascii: "/")) ?? 0)]
    }
    return path
  }
}
