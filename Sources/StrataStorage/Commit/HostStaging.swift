internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// Prepares a commit: makes all new objects in the commit's directory, and finds the moves that bring
/// them to their places. Nothing that has a name in the base is touched.
///
/// A file whose content is still the base's stays the same object of the host, whatever names it
/// gets. Of any other a new one is made, once, that takes over all names.
struct HostStaging {
  let place: HostCommitDirectory
  let plan: CommitPlan
  let keepsOwners: Bool
  let host = HostTree()
  var value: Namespace { plan.value }
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
  /// Attributes that the host would not take.
  private(set) var refused: [(path: [UInt8], error: FileError)] = []

  init(
    _ plan: CommitPlan, in place: HostCommitDirectory, keepsOwners: Bool = true
  ) throws(FileError) {
    (self.plan, self.place, self.keepsOwners) = (plan, place, keepsOwners)
    wanted = Set(plan.changes.lazy.filter { $0.kind != .removed }.map(\.node))
    names = try HostNames(plan)
  }

  mutating func stage() throws(FileError) {
    try findOtherNames()
    for path in names.lostDirectories { leave(path) }
    var replaced: [NodeID] = []
    for node in names.files where try !keep(node) {
      replaced.append(node)
      for path in names.lost[node, default: []] { leave(path) }
    }
    for node in replaced { try replace(node) }
    for change in plan.changes where change.fileKind == .directory { try stage(change) }
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
      return try look(in: place.basePath, [])
    }
  }

  private func look(in directory: [UInt8], _ path: [UInt8]) throws(FileError) {
    for entry in (try? host.list(directory)) ?? [] {
      let name = [UInt8(ascii: "/")] + entry.name.bytes
      if entry.kind == .directory {
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
    var staged: [UInt8]?
    for path in try names.kept(node).map(names.after) {
      let name = try make(node, like: staged, at: path)
      staged = staged ?? name
      swaps.append(.swap(name, with: path))
      noteDirectory(of: Self.parent(of: path))
    }
    for path in names.gained[node, default: []] {
      let name = try make(node, like: staged, at: path)
      staged = staged ?? name
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

  private mutating func stage(_ change: Change) throws(FileError) {
    switch change.kind {
    case .added, .typeChanged:
      let name = try make(change.node, like: nil, at: change.path)
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

  // MARK: Objects

  /// - Parameter twin: the staged name of the same file.
  private mutating func make(
    _ node: NodeID, like twin: [UInt8]?, at path: [UInt8]
  ) throws(FileError) -> [UInt8] {
    let name = next("new")
    let target = place.staged(name)
    made.append(.make(node, as: name))
    if let twin {
      try host.link(place.staged(twin), as: target)
      return name
    }
    let row = try value.attributes(of: node)
    let attributes = try hostAttributes(node)
    var refused: [FileError] = []
    switch row.kind {
    case .regular:
      let output = try host.create(target, mode: 0o600, existing: .refuse, durable: false)
      let content = value.reader(of: node)
      try output.copy(
        size: row.size,
        data: { offset throws(FileError) in try content.data(after: offset) },
        read: { buffer, offset throws(FileError) in try content.read(into: buffer, at: offset) })
      try output.finish()
      // Last, since a hole at the end is only made by the end.
      refused = try host.setAttributes(target, attributes)
    case .directory:
      try host.makeDirectory(target, mode: 0o700)
      refused = try host.setAttributes(target, attributes)
    case .symlink:
      refused = try host.makeSymlink(
        target, target: try value.linkTarget(of: node), attributes)
    default:
      refused = try host.makeSpecial(target, row.kind, device: row.device, attributes)
    }
    self.refused += refused.map { (path, $0) }
    return name
  }

  private func hostAttributes(_ node: NodeID) throws(FileError) -> HostAttributes {
    let row = try value.attributes(of: node)
    return HostAttributes(
      mode: row.kind == .symlink ? nil : row.mode, uid: keepsOwners ? row.uid : nil,
      gid: keepsOwners ? row.gid : nil,
      accessed: row.accessed, modified: row.modified,
      extendedAttributes: try value.allExtendedAttributes(of: node))
  }

  // MARK: Moves

  /// What is to be done, in order: what goes away leaves from the leaves up, what comes is put from
  /// the root down, then content is exchanged, then attributes and times are set.
  func moves() -> [CommitMove] {
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

  /// The moves as they are done: each names the object that it means.
  func steps(_ moves: [CommitMove]) throws(FileError) -> [HostStep] {
    var steps: [HostStep] = []
    var linked: [[UInt8]: UInt64] = [:]
    for move in moves {
      switch move {
      case .make: continue
      case .link(let path, let name):
        let inode = try inode(at: path)
        linked[name] = inode
        steps.append(.link(path, as: name, inode: inode))
      case .add(let name, let path):
        steps.append(.add(name, at: path, inode: linked[name] ?? 0))
      case .drop(let name): steps.append(.drop(name))
      case .unname(let path): steps.append(.unname(path, inode: try inode(at: path)))
      case .take(let path, let name):
        steps.append(.take(path, as: name, inode: try inode(at: path)))
      case .put(let name, let path): steps.append(.put(name, at: path))
      case .swap(let name, let path):
        do throws(Errno) {
          let inode = try place.directory.status(ofEntry: name).inode
          steps.append(.swap(name, with: path, inode: inode))
        } catch {
          throw FileError(error)
        }
      case .dress(let path, let node):
        steps.append(.dress(path, try hostAttributes(node), former: try former(path, node)))
      }
    }
    return steps
  }

  private func inode(at path: [UInt8]) throws(FileError) -> UInt64 {
    do throws(Errno) {
      return try place.object(path).status().inode
    } catch {
      throw FileError(error)
    }
  }

  /// What the host has of what gets the attributes of a node at a path.
  private func former(_ path: [UInt8], _ node: NodeID) throws(FileError) -> HostAttributes {
    var object = plan.live.isKnown(node) ? node : nil
    if let there = try names.there(path), try value.attributes(of: node).kind == .directory,
      try plan.live.attributes(of: there).kind == .directory
    {
      object = there
    }
    guard let object, let source = plan.live.path(of: object).map({ place.basePath + $0 }),
      let row = try? host.status(source)
    else { return HostAttributes() }
    return HostAttributes(
      mode: row.kind == .symlink ? nil : row.mode, uid: row.uid, gid: row.gid,
      accessed: row.accessed, modified: row.modified,
      extendedAttributes: (try? host.extendedAttributes(of: source)) ?? [:])
  }
}
