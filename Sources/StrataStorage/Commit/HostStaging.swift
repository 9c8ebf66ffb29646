internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// Prepares a commit: makes all new objects in the commit's directory, and the steps that bring them
/// to their places. Nothing that has a name in the base is touched, but for the link count of a file
/// that gets a further name.
struct HostStaging {
  private let place: HostCommitDirectory
  private let plan: CommitPlan
  private let keepsOwners: Bool
  private let host = HostTree()
  private var value: Namespace { plan.value }
  private var count = 0
  /// Staged names of new objects by node, for hard links.
  private var made: [NodeID: [UInt8]] = [:]
  private var takes: [(path: [UInt8], name: [UInt8])] = []
  /// Paths that leave with all that is in them by then.
  private var gone: Set<[UInt8]> = []
  /// Staged names by the path that they are for.
  private var swapNames: [[UInt8]: [UInt8]] = [:]
  private var takeNames: [[UInt8]: [UInt8]] = [:]
  /// What the changes say of paths, to be looked up.
  private let freed: Set<[UInt8]>
  private let renamedFrom: Set<[UInt8]>
  private let changesByPath: [[UInt8]: Change]
  private var puts: [(name: [UInt8], path: [UInt8])] = []
  private var links: [(path: [UInt8], name: [UInt8])] = []
  /// Inodes of what gets its staged name only when the commit runs.
  private var inodes: [[UInt8]: UInt64] = [:]
  /// Names that go away of files that live on under others: kept, they would be the same files.
  private var unnamed: Set<[UInt8]> = []
  /// Names of the base that mean something else after the commit.
  private var leaving: Set<[UInt8]> = []
  /// Files that lose all their names and get others: the new path of each by an old one.
  private var moving: [[UInt8]: [UInt8]] = [:]
  private var swaps: [(name: [UInt8], path: [UInt8])] = []
  private var dressed: [[UInt8]: NodeID] = [:]
  /// Attributes that the host would not take.
  private(set) var refused: [(path: [UInt8], error: FileError)] = []

  init(_ plan: CommitPlan, in place: HostCommitDirectory, keepsOwners: Bool = true) {
    (self.plan, self.place, self.keepsOwners) = (plan, place, keepsOwners)
    renamedFrom = Set(plan.changes.compactMap(\.oldPath))
    freed = renamedFrom.union(plan.changes.filter { $0.kind == .removed }.map(\.path))
    changesByPath = Dictionary(
      plan.changes.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
  }

  mutating func stage() throws(FileError) {
    try findOtherNames()
    try findMoving()
    // What is changed first, so that new names of it can be links to what is staged.
    for change in plan.changes where change.kind == .modified { try replace(change) }
    let order = plan.changes.sorted { $0.path.lexicographicallyPrecedes($1.path) }
    for change in order {
      switch change.kind {
      case .modified: break
      case .added:
        if isOverwriting(change) { try replace(change) } else { try add(change) }
      case .typeChanged:
        // In two steps: what is put into a new directory needs it to be there first.
        if isThere(change.path), moving[change.path] == nil {
          if try livesOn(change.oldNode ?? change.node, change.path) {
            unnamed.insert(change.path)
          } else {
            take(change.path, "old")
          }
        }
        try add(change)
      case .removed:
        guard isThere(change.path), moving[change.path] == nil else { break }
        if try livesOn(change.node, change.path) {
          unnamed.insert(change.path)
        } else {
          take(change.path, "old")
        }
      case .renamed: try move(change)
      case .metadata: dressed[change.path] = change.node
      }
      try noteDirectories(change)
    }
    try relink()
  }

  /// Looks for further names of files with several, which nobody may have looked at yet: they are to
  /// stay names of the same file.
  private func findOtherNames() throws(FileError) {
    var wanted: Set<UInt64> = []
    for change in plan.changes where change.kind != .added && change.fileKind != .directory {
      for path in [change.path, change.oldPath].compactMap({ $0 }) {
        guard let row = try? host.status(place.basePath + path), row.links > 1 else { continue }
        wanted.insert(row.identity.inode)
      }
    }
    if !wanted.isEmpty { try look(for: wanted, in: place.basePath, []) }
  }

  private func look(
    for inodes: Set<UInt64>, in directory: [UInt8], _ path: [UInt8]
  ) throws(FileError) {
    for entry in (try? host.list(directory)) ?? [] {
      let name = [UInt8(ascii: "/")] + entry.name.bytes
      if entry.kind == .directory {
        try look(for: inodes, in: directory + name, path + name)
      } else if let row = try host.status(directory + name), inodes.contains(row.identity.inode) {
        // To look at it is to know it.
        _ = try? plan.seen.node(at: path + name)
      }
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

  private func isOverwriting(_ change: Change) -> Bool {
    isThere(change.path) && !isTaken(change.path)
  }

  /// Whether a path is free by the time it is needed.
  private func isTaken(_ path: [UInt8]) -> Bool { freed.contains(path) }

  private mutating func next(_ prefix: String) -> [UInt8] {
    count += 1
    return Array("\(prefix)-\(count)".utf8)
  }

  private mutating func take(_ path: [UInt8], _ prefix: String) {
    let name = next(prefix)
    takes.append((path, name))
    takeNames[path] = name
    if prefix == "old" { gone.insert(path) }
  }

  private mutating func swap(_ name: [UInt8], _ path: [UInt8]) {
    swaps.append((name, path))
    swapNames[path] = name
  }

  private mutating func add(_ change: Change) throws(FileError) {
    puts.append((try make(change), change.path))
    if change.fileKind == .directory { dressed[change.path] = change.node }
  }

  private mutating func replace(_ change: Change) throws(FileError) {
    guard isThere(change.path) || change.kind == .renamed || isMovingAlong(change),
      moving[change.path] == nil
    else {
      // It is gone from the host, or moves away.
      return try add(change)
    }
    if let old = change.oldNode, try livesOn(old, change.path) {
      unnamed.insert(change.path)
      return try add(change)
    }
    swap(try make(change), change.path)
    if change.fileKind == .directory { dressed[change.path] = change.node }
  }

  /// Whether what is changed is in the base, below a directory that the commit moves.
  private func isMovingAlong(_ change: Change) -> Bool {
    guard change.kind == .modified, let place = plan.seen.path(of: change.oldNode ?? change.node)
    else { return false }
    return isThere(place)
  }

  /// Whether a file of the base that loses a name keeps another one, with its content.
  private func livesOn(_ node: NodeID, _ path: [UInt8]) throws(FileError) -> Bool {
    guard (try? plan.seen.attributes(of: node).kind) != .directory,
      value.hasContentOfBase(node), (try? value.attributes(of: node).links) ?? 0 > 0
    else { return false }
    // A further name that stays, or one that it is moved to.
    let names = try plan.seen.allPaths(of: node)
    return names.contains { $0 != path && isThere($0) && !leaving.contains($0) }
      || names.contains { $0 != path && (moving[$0] != nil || isRenamed($0)) }
  }

  private func isRenamed(_ path: [UInt8]) -> Bool { renamedFrom.contains(path) }

  /// Files that were made anew keep their further names.
  private mutating func relink() throws(FileError) {
    let handled = Set(plan.changes.map(\.path))
    for (node, staged) in made.sorted(by: { $0.key < $1.key }) where value.isFromBase(node) {
      for path in try value.allPaths(of: node) where !handled.contains(path) && isThere(path) {
        let name = next("new")
        try host.link(place.staged(staged), as: place.staged(name))
        swap(name, path)
        noteDirectory(of: path)
      }
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
    guard change.kind != .metadata else { return }
    for path in [change.path, change.oldPath].compactMap({ $0 }) { noteDirectory(of: path) }
  }

  private mutating func noteDirectory(of path: [UInt8]) {
    let parent = Array(path[..<(path.lastIndex(of: UInt8(ascii: "/")) ?? 0)])
    let shown = parent.isEmpty ? [UInt8(ascii: "/")] : parent
    if let node = try? value.node(at: shown) { dressed[shown] = node }
  }

  // MARK: Objects

  private mutating func make(_ change: Change) throws(FileError) -> [UInt8] {
    let name = next("new")
    let target = place.staged(name)
    if let twin = made[change.node], change.fileKind != .directory {
      try host.link(place.staged(twin), as: target)
      return name
    }
    if change.fileKind != .directory, value.hasContentOfBase(change.node),
      let original = try original(of: change)
    {
      // The same file under another name. Done later: it changes the file's link count.
      dressed[change.path] = change.node
      do throws(Errno) {
        let inode = try place.object(original).status().inode
        guard moving[original] == change.path else {
          links.append((original, name))
          inodes[name] = inode
          return name
        }
        let moved = next("moved")
        takes.append((original, moved))
        takeNames[original] = moved
        inodes[moved] = inode
        return moved
      } catch {
        throw FileError(error)
      }
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
      try output.finish()
      // Last, since a hole at the end is only made by the end.
      refused = try host.setAttributes(target, attributes)
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
    if change.fileKind != .directory { made[change.node] = name }
    return name
  }

  /// A path of the base at which a node is, so that it can be linked or moved.
  private func original(of change: Change) throws(FileError) -> [UInt8]? {
    if let moved = moving.first(where: { $0.value == change.path })?.key { return moved }
    return try plan.seen.allPaths(of: change.node).first(where: isThere)
  }

  /// A file all of whose names go away while it gets others is moved, not linked: what is kept must
  /// not be a file that lives on.
  private mutating func findMoving() throws(FileError) {
    for change in plan.changes {
      if change.kind == .removed || change.oldNode != nil { leaving.insert(change.path) }
      if let oldPath = change.oldPath { leaving.insert(oldPath) }
    }
    for change in plan.changes
    where change.kind != .removed && change.kind != .renamed && change.fileKind != .directory {
      guard change.kind == .added || change.oldNode != nil, value.hasContentOfBase(change.node)
      else { continue }
      let originals = try plan.seen.allPaths(of: change.node).filter(isThere)
      guard originals.allSatisfy(leaving.contains), !originals.contains(where: isRenamed),
        !originals.contains(where: { moving[$0] != nil }), let first = originals.first
      else { continue }
      moving[first] = change.path
    }
  }

  private func hostAttributes(_ node: NodeID) throws(FileError) -> HostAttributes {
    let row = try value.attributes(of: node)
    return HostAttributes(
      mode: row.kind == .symlink ? nil : row.mode, uid: keepsOwners ? row.uid : nil,
      gid: keepsOwners ? row.gid : nil,
      accessed: row.accessed, modified: row.modified,
      extendedAttributes: try value.allExtendedAttributes(of: node))
  }

  // MARK: Steps

  /// What is to be done, in order: what goes away leaves from the leaves up, what comes is put from
  /// the root down, then content is exchanged, then attributes and times are set.
  func steps() throws(FileError) -> [HostStep] {
    var steps = links.map { HostStep.link($0.path, as: $0.name, inode: inodes[$0.name] ?? 0) }
    var added: Set<[UInt8]> = []
    for path in unnamed.sorted(by: { $1.lexicographicallyPrecedes($0) }) {
      do throws(Errno) {
        steps.append(.unname(path, inode: try place.object(path).status().inode))
      } catch {
        throw FileError(error)
      }
    }
    for take in takes.sorted(by: { $1.path.lexicographicallyPrecedes($0.path) }) {
      // A directory goes with all that is still in it.
      if gone.contains(take.path), Self.hasAncestor(take.path, in: gone) { continue }
      do throws(Errno) {
        let inode = try place.object(take.path).status().inode
        steps.append(.take(take.path, as: take.name, inode: inode))
      } catch {
        throw FileError(error)
      }
    }
    for put in puts.sorted(by: { $0.path.lexicographicallyPrecedes($1.path) }) {
      if links.contains(where: { $0.name == put.name }) {
        steps.append(.add(put.name, at: put.path, inode: inodes[put.name] ?? 0))
        added.insert(put.name)
      } else {
        steps.append(.put(put.name, at: put.path))
      }
    }
    for swap in swaps {
      do throws(Errno) {
        let inode: UInt64
        if let known = inodes[swap.name] {
          inode = known
        } else {
          inode = try place.directory.status(ofEntry: swap.name).inode
        }
        steps.append(.swap(swap.name, with: swap.path, inode: inode))
      } catch {
        throw FileError(error)
      }
    }
    for name in added.sorted(by: { $0.lexicographicallyPrecedes($1) }) { steps.append(.drop(name)) }
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
    let change = changesByPath[path]
    let old = change?.oldPath ?? change.flatMap { plan.seen.path(of: $0.node) } ?? path
    let source = place.basePath + old
    guard let row = try? host.status(source) else { return HostAttributes() }
    return HostAttributes(
      mode: row.kind == .symlink ? nil : row.mode, uid: row.uid, gid: row.gid,
      accessed: row.accessed, modified: row.modified,
      extendedAttributes: (try? host.extendedAttributes(of: source)) ?? [:])
  }

  /// Where in the commit's directory what is at a path of the base will be; nil for what stays.
  func keeping(_ path: [UInt8]) -> [UInt8]? {
    if let name = swapNames[path] { return name }
    if unnamed.contains(path) { return nil }
    var rest = path[...]
    while true {
      if let name = takeNames[Array(rest)] {
        // What moves lives on.
        guard gone.contains(Array(rest)) else { return nil }
        if !Self.hasAncestor(Array(rest), in: gone) { return name + path[rest.endIndex...] }
      }
      guard let slash = rest.lastIndex(of: UInt8(ascii: "/")), slash > rest.startIndex else {
        return nil
      }
      rest = rest[..<slash]
    }
  }
}
