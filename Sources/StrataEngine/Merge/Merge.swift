/// The contents of a file in conflict, read when they are asked for.
public struct MergeSides: Sendable {
  let ancestor: Namespace
  let ours: Namespace
  let theirs: Namespace
  let node: (ancestor: NodeID?, ours: NodeID?, theirs: NodeID?)

  /// Nil for a side that has no such file.
  public func base() throws(FileError) -> [UInt8]? { try content(node.ancestor, ancestor) }
  public func mine() throws(FileError) -> [UInt8]? { try content(node.ours, ours) }
  public func other() throws(FileError) -> [UInt8]? { try content(node.theirs, theirs) }

  private func content(_ node: NodeID?, _ value: Namespace) throws(FileError) -> [UInt8]? {
    guard let node, try value.kind(node) == .regular else { return nil }
    return try value.content(of: node, limit: .max)
  }
}

/// Brings the changes of one side into the value of the other.
///
/// Nodes are the same in both, so that what was renamed on one side and changed on the other is both.
struct Merge {
  let ancestor: Namespace
  let ours: Namespace
  let theirs: Namespace
  let names: (ours: String, theirs: String)
  let markers: Bool
  private(set) var value: Namespace
  private(set) var taken: [[UInt8]] = []
  private(set) var unsettled: [MergeConflict] = []
  private var mine: [NodeID: Change] = [:]
  private var minePaths: [[UInt8]: Change] = [:]
  private var effects: [Effect] = []

  typealias Settle = (MergeConflict, MergeSides) throws(FileError) -> MergeChoice?

  init(
    ancestor: Namespace, ours: Namespace, theirs: Namespace, names: (ours: String, theirs: String),
    markers: Bool
  ) {
    (self.ancestor, self.ours, self.theirs) = (ancestor, ours, theirs)
    (self.names, self.markers) = (names, markers)
    value = ours
  }

  mutating func run(
    _ ourChanges: [Change], _ theirChanges: [Change], _ settle: Settle
  ) throws(FileError) {
    for change in ourChanges {
      mine[change.oldNode ?? change.node] = change
      minePaths[change.path] = change
    }
    let upward = theirChanges.sorted { $1.path.lexicographicallyPrecedes($0.path) }
    // From the leaves up what goes, then what moves, then from the root down what comes.
    for change in upward where change.kind == .removed { try remove(change, settle) }
    for change in theirChanges where change.kind == .renamed { try rename(change, settle) }
    for change in theirChanges {
      switch change.kind {
      case .added: try add(change, settle)
      case .modified, .metadata, .typeChanged:
        if change.oldNode == nil { try modify(change, settle) } else { try replace(change, settle) }
      case .renamed: try modify(change, settle)
      case .removed: break
      }
    }
  }

  // MARK: The kinds of change

  private mutating func remove(_ change: Change, _ settle: Settle) throws(FileError) {
    guard let path = place(of: change.node, change.path) else { return }
    let (directory, name) = try split(path)
    guard try value.find(name, in: directory) == change.node else { return }
    let isDirectory = change.fileKind == .directory
    let isTouched = isDirectory ? try !value.isEmpty(change.node) : mine[change.node] != nil
    if isTouched {
      let kind: MergeConflict.Kind = isDirectory ? .directory : .removed
      let sides = sides(change.node, ours: change.node, theirs: nil)
      guard try choose(kind, path, sides, settle) == .theirs else { return }
      if isDirectory {
        unsettled.append(MergeConflict(kind: .directory, path: path))
        return
      }
    }
    if isDirectory {
      try value.removeDirectory(name, in: directory, isOpen: { _ in false }, &effects)
    } else {
      try value.unlink(name, in: directory, isOpen: { _ in false }, &effects)
    }
    taken.append(path)
  }

  private mutating func rename(_ change: Change, _ settle: Settle) throws(FileError) {
    guard let oldPath = change.oldPath else { return }
    let node = change.node
    if let own = mine[node], own.kind == .renamed {
      if own.path == change.path { return }
      guard try choose(.renamed, own.path, sides(node, ours: node, theirs: node), settle) == .theirs
      else { return }
    } else if mine[node]?.kind == .removed || !isAlive(node, in: value) {
      try bringBack(change, settle)
      return
    }
    guard let path = place(of: node, oldPath) else { return }
    guard let target = try targetDirectory(change.path) else {
      _ = try choose(.directory, change.path, sides(node, ours: node, theirs: node), settle)
      return
    }
    let name = Self.name(of: change.path)
    if let there = try value.find(name, in: target), there != node {
      guard
        try choose(.added, change.path, sides(nil, ours: there, theirs: node), settle) == .theirs
      else { return }
      try clear(there, name, target)
    }
    let (directory, old) = try split(path)
    try value.rename(
      Place(directory: directory, name: old), to: Place(directory: target, name: name), [],
      isOpen: { _ in false }, &effects)
    taken.append(change.path)
  }

  private mutating func add(_ change: Change, _ settle: Settle) throws(FileError) {
    guard let directory = try targetDirectory(change.path) else {
      _ = try choose(.directory, change.path, sides(nil, ours: nil, theirs: change.node), settle)
      return
    }
    let name = Self.name(of: change.path)
    if let there = try value.find(name, in: directory) {
      if there == change.node { return }
      let kinds = (try value.kind(there), change.fileKind)
      if kinds == (.directory, .directory) { return }
      if try isEqual(there, change.node) { return }
      let kind: MergeConflict.Kind = kinds.0 == kinds.1 ? .added : .type
      let sides = sides(nil, ours: there, theirs: change.node)
      guard let choice = try choose(kind, change.path, sides, settle) else { return }
      switch choice {
      case .ours: return
      case .theirs: try clear(there, name, directory)
      case .content(let bytes):
        try write(bytes, there)
        taken.append(change.path)
        return
      }
    }
    try put(change.node, name, directory)
    taken.append(change.path)
  }

  /// Another node under a name that both had.
  private mutating func replace(_ change: Change, _ settle: Settle) throws(FileError) {
    guard let old = change.oldNode, let directory = try targetDirectory(change.path) else { return }
    let name = Self.name(of: change.path)
    let there = try value.find(name, in: directory)
    if there == change.node { return }
    if let there, there == old, mine[old] == nil {
      let isDirectory = try value.kind(there) == .directory
      let isInUse = isDirectory ? try !value.isEmpty(there) : false
      guard !isInUse else {
        // Both are directories: what is in them was told apart.
        if change.fileKind == .directory { return }
        _ = try choose(.directory, change.path, sides(old, ours: there, theirs: nil), settle)
        return
      }
      try clear(there, name, directory)
    } else if let there {
      if try isEqual(there, change.node) { return }
      let sides = sides(old, ours: there, theirs: change.node)
      let kind: MergeConflict.Kind =
        try value.kind(there) == change.fileKind ? .content : .type
      guard let choice = try choose(kind, change.path, sides, settle) else { return }
      switch choice {
      case .ours: return
      case .theirs: try clear(there, name, directory)
      case .content(let bytes):
        try write(bytes, there)
        taken.append(change.path)
        return
      }
    } else if mine[old] != nil {
      let sides = sides(old, ours: nil, theirs: change.node)
      guard try choose(.removed, change.path, sides, settle) == .theirs else { return }
    }
    try put(change.node, name, directory)
    taken.append(change.path)
  }

  private mutating func modify(_ change: Change, _ settle: Settle) throws(FileError) {
    let node = change.node
    guard isAlive(node, in: value) else {
      guard mine[node] != nil else { return }
      try bringBack(change, settle)
      return
    }
    guard let path = place(of: node, change.path) else { return }
    let old = try ancestor.record(node)
    let (left, right) = (try value.record(node), try theirs.record(node))
    var merged = left
    var isChanged = false
    func pick<V: Equatable>(_ field: WritableKeyPath<Node, V>, _ isConflict: inout Bool) {
      guard right[keyPath: field] != old[keyPath: field] else { return }
      if left[keyPath: field] != old[keyPath: field],
        left[keyPath: field] != right[keyPath: field]
      {
        isConflict = true
        return
      }
      merged[keyPath: field] = right[keyPath: field]
      isChanged = true
    }
    var isConflict = false
    pick(\.mode, &isConflict)
    pick(\.uid, &isConflict)
    pick(\.gid, &isConflict)
    isConflict = try mergeAttributes(node, &merged, &isChanged) || isConflict
    if isConflict {
      let sides = sides(node, ours: node, theirs: node)
      guard let choice = try choose(.attributes, path, sides, settle) else { return }
      if choice == .theirs {
        (merged.mode, merged.uid, merged.gid) = (right.mode, right.uid, right.gid)
        merged.xattrs = right.xattrs
        isChanged = true
      }
    }
    if change.fileKind == .regular, change.isContentChanged || change.kind == .modified {
      if try !isContentChanged(old, left) {
        (merged.body, merged.size, merged.modified) = (right.body, right.size, right.modified)
        isChanged = true
      } else if try !isEqual(node, node) {
        try mergeContent(node, path, &merged, settle)
        isChanged = true
      }
    } else if merged.kind != .directory, left.modified == old.modified {
      isChanged = isChanged || merged.modified != right.modified
      merged.modified = right.modified
    }
    guard isChanged else { return }
    merged.changed = value.context.clock()
    merged.owner = value.writableTop().id
    value.nodes.insert(node, merged)
    taken.append(path)
  }

  /// Ours has removed what theirs has changed.
  private mutating func bringBack(_ change: Change, _ settle: Settle) throws(FileError) {
    let sides = sides(change.node, ours: nil, theirs: change.node)
    guard change.fileKind != .directory,
      try choose(.removed, change.path, sides, settle) == .theirs,
      let directory = try targetDirectory(change.path)
    else { return }
    let name = Self.name(of: change.path)
    guard try value.find(name, in: directory) == nil else { return }
    try put(change.node, name, directory)
    taken.append(change.path)
  }

  // MARK: Content

  private func isContentChanged(_ a: Node, _ b: Node) throws(FileError) -> Bool {
    guard a.size == b.size, case .file(let left) = a.body, case .file(let right) = b.body else {
      return true
    }
    return !left.isSame(as: right)
  }

  /// Texts by lines, other files by blocks.
  private mutating func mergeContent(
    _ node: NodeID, _ path: [UInt8], _ merged: inout Node, _ settle: Settle
  ) throws(FileError) {
    let sides = sides(node, ours: node, theirs: node)
    let right = try theirs.record(node)
    if right.size <= 8 << 20, merged.size <= 8 << 20, let base = try sides.base(),
      let mine = try sides.mine(), let other = try sides.other(),
      ![base, mine, other].contains(where: { $0.contains(0) })
    {
      let text = TextMerge(base: base, ours: mine, theirs: other, names: names)
      if text.conflicts == 0 || markers { return try write(text.result, node, &merged) }
    } else if try mergeBlocks(node, right, &merged) {
      return
    }
    switch try choose(.content, path, sides, settle) {
    case .theirs?: (merged.body, merged.size) = (right.body, right.size)
    case .content(let bytes)?: try write(bytes, node, &merged)
    case .ours?, nil: break
    }
  }

  /// Takes the other side's blocks, if the two have changed different ones and neither the size.
  private func mergeBlocks(
    _ node: NodeID, _ right: Node, _ merged: inout Node
  ) throws(FileError) -> Bool {
    let old = try ancestor.record(node)
    guard old.size == right.size, old.size == merged.size, case .file(let base) = old.body,
      case .file(var content) = merged.body, case .file(let other) = right.body
    else { return false }
    let (mine, its) = (content.changedBlocks(since: base), other.changedBlocks(since: base))
    guard mine.isDisjoint(with: its) else { return false }
    for block in its { content.take(block, from: other) }
    merged.body = .file(content)
    return true
  }

  private mutating func write(_ bytes: [UInt8], _ node: NodeID) throws(FileError) {
    var record = try value.record(node)
    try write(bytes, node, &record)
    record.owner = value.writableTop().id
    value.nodes.insert(node, record)
  }

  private mutating func write(
    _ bytes: [UInt8], _ node: NodeID, _ record: inout Node
  ) throws(FileError) {
    let layer = value.writableTop()
    var context = WriteContext(
      layer: layer, sealedThrough: value.sealedThrough, reader: BelowReader(value.context.bases))
    var content = FileContent(below: nil, owner: layer)
    if !bytes.isEmpty {
      try bytes.withBytes { data throws(FileError) in
        try content.write(data, at: 0, size: 0, unit: Block.size, &context)
      }
    }
    record.body = .file(content)
    record.size = Int64(bytes.count)
    record.modified = value.context.clock()
  }

  /// - Returns: whether both sides have given an attribute different values.
  private func mergeAttributes(
    _ node: NodeID, _ merged: inout Node, _ isChanged: inout Bool
  ) throws(FileError) -> Bool {
    let old = try ancestor.extendedAttributes(node)
    let right = try theirs.extendedAttributes(node)
    if old == right { return false }
    var values = try value.extendedAttributes(node)
    let left = values
    var isConflict = false
    for name in Set(old.keys).union(right.keys) where old[name] != right[name] {
      if left[name] != old[name], left[name] != right[name] {
        isConflict = true
      } else {
        values[name] = right[name]
      }
    }
    guard values != left else { return isConflict }
    merged.xattrs = values.isEmpty ? .empty : ExtendedAttributes(values)
    isChanged = true
    return isConflict
  }

  /// Whether our node has what theirs has.
  private func isEqual(_ a: NodeID, _ b: NodeID) throws(FileError) -> Bool {
    let (left, right) = (try value.record(a), try theirs.record(b))
    guard left.kind == right.kind, left.size == right.size else { return false }
    switch (left.body, right.body) {
    case (.symlink(let mine), .symlink(let other)): return mine.target == other.target
    case (.file, .file):
      return try value.content(of: a, limit: .max) == theirs.content(of: b, limit: .max)
    case (.special(_, let mine, _), .special(_, let other, _)): return mine == other
    default: return false
    }
  }

  // MARK: Names

  private func isAlive(_ node: NodeID, in tree: Namespace) -> Bool {
    if let record = tree.nodes[node] { return record.links > 0 }
    return tree.path(of: node) != nil
  }

  /// Where a node of theirs is in our tree: at the same path, or where we have moved it to.
  private func place(of node: NodeID, _ path: [UInt8]) -> [UInt8]? {
    if (try? value.node(at: path)) == node { return path }
    return isAlive(node, in: value) ? value.path(of: node) : nil
  }

  private func split(_ path: [UInt8]) throws(FileError) -> (NodeID, Name) {
    let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
    return (try value.node(at: Array(path[..<slash])), Self.name(of: path))
  }

  private static func name(of path: [UInt8]) -> Name {
    Name(path[((path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...])
  }

  /// Our directory for a path of theirs: the same node, wherever it is with us by now.
  private func targetDirectory(_ path: [UInt8]) throws(FileError) -> NodeID? {
    let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
    let parent = Array(path[..<slash])
    let node = try theirs.node(at: parent)
    if node == .root || (isAlive(node, in: value) && value.path(of: node) != nil) {
      return try value.kind(node) == .directory ? node : nil
    }
    // Made on both sides, it is another node with us.
    guard let twin = try? value.node(at: parent), try value.kind(twin) == .directory else {
      return nil
    }
    return twin
  }

  /// Takes away what theirs replaces.
  private mutating func clear(
    _ node: NodeID, _ name: Name, _ directory: NodeID
  ) throws(FileError) {
    if try value.kind(node) == .directory {
      try value.removeDirectory(name, in: directory, isOpen: { _ in false }, &effects)
    } else {
      try value.unlink(name, in: directory, isOpen: { _ in false }, &effects)
    }
  }

  /// Gives a node of theirs a name with us, its content shared.
  private mutating func put(
    _ node: NodeID, _ name: Name, _ directory: NodeID
  ) throws(FileError) {
    let layer = value.writableTop()
    let now = value.context.clock()
    let isThere = isAlive(node, in: value)
    var record = try isThere ? value.record(node) : theirs.record(node)
    let isDirectory = record.kind == .directory
    if isDirectory {
      record.links = 2
      record.body = .directory(below: nil)
    } else {
      record.links = isThere ? record.links + 1 : 1
    }
    (record.parent, record.name, record.owner) = (directory, name, layer.id)
    record.changed = now
    value.nodes.insert(node, record)
    value.show(node, record.kind, as: name, in: directory)
    try value.touchDirectory(directory, links: isDirectory ? 1 : 0, at: now)
  }

  // MARK: Conflicts

  private func sides(_ old: NodeID?, ours mine: NodeID?, theirs other: NodeID?) -> MergeSides {
    MergeSides(ancestor: ancestor, ours: ours, theirs: theirs, node: (old, mine, other))
  }

  private mutating func choose(
    _ kind: MergeConflict.Kind, _ path: [UInt8], _ sides: MergeSides, _ settle: Settle
  ) throws(FileError) -> MergeChoice? {
    let conflict = MergeConflict(kind: kind, path: path)
    let choice = try settle(conflict, sides)
    if choice == nil { unsettled.append(conflict) }
    return choice
  }
}

extension FileContent {
  /// Whether both are the very same blocks.
  fileprivate func isSame(as other: FileContent) -> Bool {
    guard below?.node.id == other.below?.node.id, below?.limit == other.below?.limit else {
      return false
    }
    var isSame = true
    extents.difference(from: other.extents) { _, old, new in
      guard let old, let new, old.end == new.end, old.holding.isSame(as: new.holding) else {
        isSame = false
        return
      }
    }
    return isSame
  }

  /// The blocks that are held by something else than before.
  fileprivate func changedBlocks(since old: FileContent) -> Set<UInt64> {
    var blocks: Set<UInt64> = []
    extents.difference(from: old.extents) { start, before, after in
      if let before, let after, before.end == after.end, before.holding.isSame(as: after.holding) {
        return
      }
      blocks.formUnion(start..<max(before?.end ?? 0, after?.end ?? 0))
    }
    return blocks
  }

  /// Shares a block of another content.
  fileprivate mutating func take(_ block: UInt64, from other: FileContent) {
    switch other.source(of: block) {
    case .held(.page(let page)): set(block, to: page)
    case .held(.stored(let stored)): set(block..<block + 1, to: stored)
    case .held(.zero): setZero(block..<block + 1)
    case .below: break
    }
  }
}
