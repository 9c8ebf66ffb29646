internal import StrataEngine

/// What a commit has to do to the names of the host to bring a plan about. Nothing is done yet.
///
/// A file whose content is still the base's stays the same object of the host, whatever names it
/// gets. Of any other a new one is made, once, that takes over all names.
struct HostMoves {
  let plan: CommitPlan
  /// In order.
  private(set) var moves: [CommitMove] = []
  /// The base's.
  private let base: [UInt8]
  private let host = HostTree()
  private var value: Namespace { plan.value }
  private(set) var names: HostNames
  /// Nodes that the plan wants as the fork has them.
  private let wanted: Set<NodeID>
  private var count = 0

  // Moves whose paths are those before the commit.
  private var links: [CommitMove] = []
  private var unnamed: [[UInt8]] = []
  /// Staged names by the path that is taken away.
  private var takes: [[UInt8]: [UInt8]] = [:]
  /// Paths that leave with all that is in them by then.
  private var gone: Set<[UInt8]> = []

  // Moves whose paths are those behind it.
  private var made: [CommitMove] = []
  private var puts: [(path: [UInt8], move: CommitMove)] = []
  private var swaps: [CommitMove] = []
  private var drops: [CommitMove] = []
  private var dressed: [[UInt8]: NodeID] = [:]

  /// - Throws: EEXIST for a change of a name that is hidden in bases: there it is a workspace's.
  init(_ plan: CommitPlan, base: [UInt8]) throws(FileError) {
    (self.plan, self.base) = (plan, base)
    try Self.checkNames(plan)
    wanted = Set(plan.changes.lazy.filter { $0.kind != .removed }.map(\.node))
    names = try HostNames(plan)
    try find()
    moves = inOrder()
  }

  private static func checkNames(_ plan: CommitPlan) throws(FileError) {
    for change in plan.changes where change.kind != .removed {
      let names = change.path.split(separator: UInt8(ascii: "/"), maxSplits: 1)
      guard let top = names.first, HiddenNames.workspaces.contains(Name(top)) else { continue }
      throw FileError(
        .fileExists,
        saying: "/\(Name(top)) is a name of the workspace's own at the base's top; "
          + "rename it in the fork, or commit other paths")
    }
  }

  private mutating func find() throws(FileError) {
    try findOtherNames()
    for path in names.lostDirectories { leave(path) }
    var replaced: [NodeID] = []
    for node in names.files where try !keep(node) {
      replaced.append(node)
      for path in names.lost[node, default: []] { leave(path) }
    }
    for node in replaced { try replace(node) }
    for change in plan.changes where change.fileKind == .directory { find(change) }
    // A directory that gets or loses a name has other times then.
    for path in unnamed + takes.keys { noteDirectory(of: names.after(Self.parent(of: path))) }
    for put in puts { noteDirectory(of: Self.parent(of: put.path)) }
  }

  /// Looks for further names of files with several, which nobody may have looked at yet: they are to
  /// stay names of the same file.
  private func findOtherNames() throws(FileError) {
    for node in names.files where plan.live.isKnown(node) {
      guard
        try plan.live.attributes(of: node).links
          > UInt32(clamping: plan.live.allPaths(of: node).count)
      else { continue }
      return try look(in: base, [])
    }
  }

  private func look(in directory: [UInt8], _ path: [UInt8]) throws(FileError) {
    for entry in (try? host.list(directory)) ?? [] {
      let name = [UInt8(ascii: "/")] + entry.name.bytes
      if entry.kind == .directory {
        // What the base hides at its top is nobody's.
        if path.isEmpty, try names.there(name) == nil { continue }
        try look(in: directory + name, path + name)
      } else if let row = try host.status(directory + name), row.links > 1 {
        // To look at it is to know it.
        _ = try? plan.live.node(at: path + name)
      }
    }
  }

  // MARK: Files

  /// Finds the moves of a file that stays the same object, or goes.
  /// - Returns: false for one of which a new object must be made.
  private mutating func keep(_ node: NodeID) throws(FileError) -> Bool {
    let (lost, gained) = (names.lost[node, default: []], names.gained[node, default: []])
    let stays = try names.kept(node)
    if stays.isEmpty, gained.isEmpty {
      for path in lost { leave(path) }
      return true
    }
    guard let original = stays.first ?? lost.first,
      !wanted.contains(node) || value.hasContentOfBase(node)
    else { return false }
    var further = gained[...]
    if stays.isEmpty, let target = further.popFirst() {
      let name = next("moved")
      takes[original] = name
      puts.append((target, .put(name, at: target)))
      unnamed += lost.dropFirst()
    } else {
      unnamed += lost
    }
    for target in further {
      let name = next("link")
      links.append(.link(original, as: name))
      puts.append((target, .add(name, at: target)))
      drops.append(.drop(name))
    }
    if wanted.contains(node) { dressed[gained.first ?? names.after(original)] = node }
    return true
  }

  /// Makes a new object that takes over all names of a file.
  private mutating func replace(_ node: NodeID) throws(FileError) {
    for path in try names.kept(node).map(names.after) {
      let name = make(node)
      swaps.append(.swap(name, with: path))
      noteDirectory(of: Self.parent(of: path))
    }
    for path in names.gained[node, default: []] {
      let name = make(node)
      if gone.contains(path), !goesAlong(path) {
        // What is there goes in the same moment.
        takes[path] = nil
        gone.remove(path)
        swaps.append(.swap(name, with: path))
        noteDirectory(of: Self.parent(of: path))
      } else {
        puts.append((path, .put(name, at: path)))
      }
    }
  }

  /// A further one of a file is a name of the same file.
  private mutating func make(_ node: NodeID) -> [UInt8] {
    let name = next("new")
    made.append(.make(node, as: name))
    return name
  }

  private mutating func next(_ prefix: String) -> [UInt8] {
    count += 1
    return Array("\(prefix)-\(count)".utf8)
  }

  /// What is at the path goes, and is kept.
  private mutating func leave(_ path: [UInt8]) {
    takes[path] = next("old")
    gone.insert(path)
  }

  // MARK: Directories

  private mutating func find(_ change: Change) {
    switch change.kind {
    case .added, .typeChanged:
      let name = make(change.node)
      puts.append((change.path, .put(name, at: change.path)))
      dressed[change.path] = change.node
    case .renamed:
      let name = next("moved")
      takes[change.oldPath ?? []] = name
      puts.append((change.path, .put(name, at: change.path)))
      dressed[change.path] = change.node
    case .metadata, .modified:
      let isTwin = change.oldNode != nil
      let path = isTwin ? change.path : plan.live.path(of: change.node).map(names.after)
      dressed[path ?? change.path] = change.node
    case .removed: break
    }
  }

  /// - Parameter path: the directory's behind the commit.
  private mutating func noteDirectory(of path: [UInt8]) {
    let path = path.isEmpty ? [UInt8(ascii: "/")] : path
    if dressed[path] == nil, let node = try? value.node(at: path) { dressed[path] = node }
  }

  private static func parent(of path: [UInt8]) -> [UInt8] {
    Array(path[..<(path.lastIndex(of: UInt8(ascii: "/")) ?? 0)])
  }

  // MARK: In order

  /// What is to be done, in order: what goes away leaves from the leaves up, what comes is put from
  /// the root down, then content is exchanged, then attributes and times are set.
  private func inOrder() -> [CommitMove] {
    var moves = made + links
    moves += unnamed.sorted { $1.lexicographicallyPrecedes($0) }.map { .unname($0) }
    for take in takes.sorted(by: { $1.key.lexicographicallyPrecedes($0.key) }) {
      // A directory goes with all that is still in it.
      if gone.contains(take.key), goesAlong(take.key) { continue }
      moves.append(.take(take.key, as: take.value))
    }
    moves += puts.sorted { $0.path.lexicographicallyPrecedes($1.path) }.map(\.move)
    moves += swaps + drops
    for (path, node) in dressed.sorted(by: { $1.key.lexicographicallyPrecedes($0.key) }) {
      moves.append(.dress(path, as: node))
    }
    return moves
  }

  /// Whether what is at a path goes with a directory that it is in.
  private func goesAlong(_ path: [UInt8]) -> Bool {
    var rest = path[...]
    while let slash = rest.lastIndex(of: UInt8(ascii: "/")), slash > rest.startIndex {
      rest = rest[..<slash]
      if takes[Array(rest)] != nil { return gone.contains(Array(rest)) }
    }
    return false
  }
}
