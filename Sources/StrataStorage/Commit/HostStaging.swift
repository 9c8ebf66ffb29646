internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// Prepares a commit: makes all new objects in the commit's directory, and the steps that bring them
/// to their places. Nothing that has a name in the base is touched, but for the link count of a file
/// that gets a further name.
struct HostStaging {
  private let place: HostCommitDirectory
  private let plan: CommitPlan
  private let host = HostTree()
  private var value: Namespace { plan.value }
  private var count = 0
  /// Staged names of new objects by node, for hard links.
  private var made: [NodeID: [UInt8]] = [:]
  private var takes: [(path: [UInt8], name: [UInt8])] = []
  private var puts: [(name: [UInt8], path: [UInt8])] = []
  private var swaps: [(name: [UInt8], path: [UInt8])] = []
  private var dressed: [[UInt8]: NodeID] = [:]
  /// Attributes that the host would not take.
  private(set) var refused: [(path: [UInt8], error: FileError)] = []

  init(_ plan: CommitPlan, in place: HostCommitDirectory) { (self.plan, self.place) = (plan, place) }

  mutating func stage() throws(FileError) {
    // What is changed first, so that new names of it can be links to what is staged.
    for change in plan.changes where change.kind == .modified { try replace(change) }
    let order = plan.changes.sorted { $0.path.lexicographicallyPrecedes($1.path) }
    for change in order {
      switch change.kind {
      case .modified: break
      case .added:
        if isOverwriting(change) { try replace(change) } else { try add(change) }
      case .typeChanged: try replace(change)
      case .removed: if isThere(change.path) { take(change.path, "old") }
      case .renamed: try move(change)
      case .metadata: dressed[change.path] = change.node
      }
      try noteDirectories(change)
    }
  }

  private func isThere(_ path: [UInt8]) -> Bool {
    do throws(Errno) {
      _ = try place.object(path)
      return true
    } catch {
      return false
    }
  }

  private func isOverwriting(_ change: Change) -> Bool { isThere(change.path) && !isTaken(change.path) }

  /// Whether a path is free by the time it is needed.
  private func isTaken(_ path: [UInt8]) -> Bool {
    plan.changes.contains { $0.oldPath == path || ($0.kind == .removed && $0.path == path) }
  }

  private mutating func next(_ prefix: String) -> [UInt8] {
    count += 1
    return Array("\(prefix)-\(count)".utf8)
  }

  private mutating func take(_ path: [UInt8], _ prefix: String) {
    takes.append((path, next(prefix)))
  }

  private mutating func add(_ change: Change) throws(FileError) {
    puts.append((try make(change), change.path))
    if change.fileKind == .directory { dressed[change.path] = change.node }
  }

  private mutating func replace(_ change: Change) throws(FileError) {
    guard isThere(change.path) || change.kind == .renamed else {
      // Settled as ours although the host's is gone.
      return try add(change)
    }
    swaps.append((try make(change), change.path))
    if change.fileKind == .directory { dressed[change.path] = change.node }
    guard change.oldNode == nil, change.fileKind != .directory else { return }
    for other in try value.allPaths(of: change.node) where other != change.path {
      if plan.changes.contains(where: { $0.path == other }) || !isThere(other) { continue }
      swaps.append((try make(change), other))
    }
  }

  private mutating func move(_ change: Change) throws(FileError) {
    guard let oldPath = change.oldPath else { return }
    take(oldPath, "moved")
    guard let name = takes.last?.name else { return }
    puts.append((name, change.path))
    if change.isContentChanged { try replace(change) } else { dressed[change.path] = change.node }
  }

  /// The directories that get or lose a name have other times then.
  private mutating func noteDirectories(_ change: Change) throws(FileError) {
    guard change.kind != .metadata, change.kind != .modified else { return }
    for path in [change.path, change.oldPath].compactMap({ $0 }) {
      let parent = Array(path[..<(path.lastIndex(of: UInt8(ascii: "/")) ?? 0)])
      let shown = parent.isEmpty ? [UInt8(ascii: "/")] : parent
      if let node = try? value.node(at: shown) { dressed[shown] = node }
    }
  }

  // MARK: Objects

  private mutating func make(_ change: Change) throws(FileError) -> [UInt8] {
    let name = next("new")
    let target = place.staged(name)
    if let twin = made[change.node], change.fileKind != .directory {
      try host.link(place.staged(twin), as: target)
      return name
    }
    if change.kind == .added, change.fileKind != .directory, value.isFromBase(change.node),
      let original = try original(of: change.node)
    {
      try host.link(place.basePath + original, as: target)
      return name
    }
    let attributes = try hostAttributes(change.node)
    var refused: [FileError] = []
    switch change.fileKind {
    case .regular:
      let output = try host.create(target, mode: 0o600, existing: .refuse, durable: false)
      let content = value.reader(of: change.node)
      try output.copy(
        size: try value.attributes(of: change.node).size,
        data: { offset throws(FileError) in try content.data(after: offset) },
        read: { buffer, offset throws(FileError) in try content.read(into: buffer, at: offset) })
      refused = try output.setAttributes(attributes)
      try output.finish()
    case .directory:
      try host.makeDirectory(target, mode: 0o700)
      refused = try host.setAttributes(target, attributes)
    case .symlink:
      refused = try host.makeSymlink(
        target, target: try value.linkTarget(of: change.node), attributes)
    default:
      refused = try host.makeSpecial(
        target, change.fileKind, device: try value.attributes(of: change.node).device,
        attributes)
    }
    self.refused += refused.map { (change.path, $0) }
    made[change.node] = name
    return name
  }

  /// A path of the base at which a node is that was not changed, so that it can be linked.
  private func original(of node: NodeID) throws(FileError) -> [UInt8]? {
    for path in try value.allPaths(of: node) {
      let isChanged = plan.changes.contains { $0.path == path }
      if !isChanged, isThere(path) { return path }
    }
    // All its names are new: it is where it was before, if that is removed by this commit.
    return plan.changes.first { $0.kind == .removed && $0.node == node && isThere($0.path) }?.path
  }

  private func hostAttributes(_ node: NodeID) throws(FileError) -> HostAttributes {
    let row = try value.attributes(of: node)
    return HostAttributes(
      mode: row.kind == .symlink ? nil : row.mode, uid: row.uid, gid: row.gid,
      accessed: row.accessed, modified: row.modified,
      extendedAttributes: try value.allExtendedAttributes(of: node))
  }

  // MARK: Steps

  /// What is to be done, in order: what goes away leaves from the leaves up, what comes is put from
  /// the root down, then content is exchanged, then attributes and times are set.
  func steps() throws(FileError) -> [HostStep] {
    var steps: [HostStep] = []
    let gone = Set(takes.filter { $0.name.starts(with: "old".utf8) }.map(\.path))
    for take in takes.sorted(by: { $1.path.lexicographicallyPrecedes($0.path) }) {
      // A directory goes with all that is still in it.
      if gone.contains(take.path), Self.hasAncestor(take.path, in: gone) { continue }
      steps.append(.take(take.path, as: take.name))
    }
    for put in puts.sorted(by: { $0.path.lexicographicallyPrecedes($1.path) }) {
      steps.append(.put(put.name, at: put.path))
    }
    for swap in swaps {
      do throws(Errno) {
        let inode = try place.directory.status(ofEntry: swap.name).inode
        steps.append(.swap(swap.name, with: swap.path, inode: inode))
      } catch {
        throw FileError(error)
      }
    }
    for (path, node) in dressed.sorted(by: { $1.key.lexicographicallyPrecedes($0.key) }) {
      steps.append(.dress(path, try hostAttributes(node), former: former(path)))
    }
    return steps
  }

  private static func hasAncestor(_ path: [UInt8], in set: Set<[UInt8]>) -> Bool {
    var rest = path[...]
    while let slash = rest.lastIndex(of: UInt8(ascii: "/")), slash > rest.startIndex {
      rest = rest[..<slash]
      if set.contains(Array(rest)) { return true }
    }
    return false
  }

  /// What the base has at the path now, or had before it was moved there.
  private func former(_ path: [UInt8]) -> HostAttributes {
    let old = plan.changes.first { $0.path == path }?.oldPath ?? path
    let source = place.basePath + old
    guard let row = try? host.status(source) else { return HostAttributes() }
    return HostAttributes(
      mode: row.kind == .symlink ? nil : row.mode, uid: row.uid, gid: row.gid,
      accessed: row.accessed, modified: row.modified,
      extendedAttributes: (try? host.extendedAttributes(of: source)) ?? [:])
  }

  /// Where in the commit's directory what is at a path of the base will be; nil for what stays.
  func keeping(_ path: [UInt8]) -> [UInt8]? {
    if let swap = swaps.first(where: { $0.path == path }) { return swap.name }
    var rest = path[...]
    while true {
      if let take = takes.first(where: { $0.path[...] == rest && $0.name.starts(with: "old".utf8) }),
        !Self.hasAncestor(take.path, in: Set(takes.map(\.path)))
      {
        return take.name + path[rest.endIndex...]
      }
      guard let slash = rest.lastIndex(of: UInt8(ascii: "/")), slash > rest.startIndex else {
        return nil
      }
      rest = rest[..<slash]
    }
  }
}
