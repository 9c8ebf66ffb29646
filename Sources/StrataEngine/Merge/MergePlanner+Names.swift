extension MergePlanner {
  // MARK: New nodes

  /// Takes what they have made, directories before what is in them.
  mutating func addNewNodes() throws(FileError) {
    var byDirectory: [NodeID: [(key: EntryKey, node: NodeID)]] = [:]
    for (key, step) in theirs.steps {
      guard let node = step.new, try isNew(node), try !ours.value.isAlive(node) else { continue }
      byDirectory[key.directory, default: []].append((key, node))
    }
    var waiting: [NodeID] = []
    for directory in byDirectory.keys.sorted() {
      let isOurs = try ours.value.isAlive(directory)
      let isOld = try !isNew(directory)
      if isOurs || isOld { waiting.append(directory) }
    }
    while let directory = waiting.popLast() {
      let rows = byDirectory[directory] ?? []
      for (key, node) in rows.sorted(by: { $0.key < $1.key }) {
        guard !isAside(node), !replaced.contains(node) else { continue }
        let target = translated(key)
        if try theirs.value.kind(node) == .directory {
          waiting.append(node)
          if let twin = try ours.value.node(under: target), try isNew(twin),
            try ours.value.kind(twin) == .directory
          {
            twins[node] = twin
            try mergeRecords(ancestor: nil, ours: twin, theirs: node)
            continue
          }
        }
        edits[node, default: NameEdit()].adds.insert(target)
      }
    }
  }

  // MARK: Names of nodes that were there before

  mutating func mergeNames() throws(FileError) {
    let concerned = Set(theirs.lost.keys).union(theirs.gained.keys)
    for node in concerned.sorted() where !replaced.contains(node) && !isAside(node) {
      let isThere = try ours.has(node)
      if try isNew(node), !isThere { continue }
      let (lost, gained) = names(ofTheir: node)
      if try isNew(node) {
        edits[node] = NameEdit(adds: gained.subtracting(try ourNames(among: gained, of: node)))
      } else if try !theirs.has(node) {
        if isThere { try mergeRemoval(of: node, lost) }
      } else if !isThere {
        try reportRemovedByUs(node)
      } else {
        try mergeMove(of: node, lost, gained)
      }
    }
  }

  private func names(ofTheir node: NodeID) -> (lost: Set<EntryKey>, gained: Set<EntryKey>) {
    let (lost, gained) = theirs.names(of: node)
    return (lost, Set(gained.map(translated)))
  }

  func ourNames(
    among keys: Set<EntryKey>, of node: NodeID
  ) throws(FileError) -> Set<EntryKey> {
    var found: Set<EntryKey> = []
    for key in keys where try ours.value.node(under: key) == node { found.insert(key) }
    return found
  }

  /// They have removed what we still have.
  private mutating func mergeRemoval(
    of node: NodeID, _ lost: Set<EntryKey>
  ) throws(FileError) {
    let own = ours.names(of: node)
    let all = try ourNames(among: lost.union(own.gained), of: node)
    var isKept = !own.gained.isEmpty || !own.lost.isEmpty
    if !isKept { isKept = try isChanged(node, node, in: ours) }
    guard isKept else {
      edits[node] = NameEdit(removes: all)
      return
    }
    isReported.insert(node)
    // Something else of theirs may have come under the name.
    let key = lost.filter { theirs.steps[$0]?.new != nil }.min()
    let successor = key.flatMap { theirs.steps[$0]?.new }
    let kind = try conflictKind(node, ours, successor, theirs)
    let choice = try resolve(
      kind, at: key ?? lost.min(), Nodes(node, node, successor), try fields(node, kind))
    if choice == .theirs {
      edits[node] = NameEdit(removes: all)
      return
    }
    if let key, let successor { drop(successor, translated(key)) }
    if case .merged(let bytes) = choice { try give(bytes, to: node) }
  }

  /// We have removed what they have changed or renamed.
  mutating func reportRemovedByUs(_ node: NodeID) throws(FileError) {
    guard isReported.insert(node).inserted else { return }
    let key = ours.lost[node]?.filter { ours.steps[$0]?.new != nil }.min()
    let successor = key.flatMap { ours.steps[$0]?.new }
    let kind = try conflictKind(node, theirs, successor, ours)
    let choice = try resolve(
      kind, at: key, Nodes(node, successor, node), try fields(node, kind))
    switch choice {
    case nil, .ours: break
    case .theirs:
      if let key, let successor { try evict(successor, from: key) }
      try bringBack(node)
    case .merged(let bytes):
      if let successor {
        try give(bytes, to: successor)
      } else {
        try bringBack(node)
        try give(bytes, to: node)
      }
    }
  }

  private func fields(
    _ node: NodeID, _ kind: MergeConflict.Kind
  ) throws(FileError) -> [String] {
    guard kind == .bothChanged, try ancestor.kind(node) == .regular else { return [] }
    return ["content"]
  }

  /// What it is that one side has changed a node and the other has put something in its place.
  private func conflictKind(
    _ node: NodeID, _ side: MergeSide, _ successor: NodeID?, _ other: MergeSide
  ) throws(FileError) -> MergeConflict.Kind {
    guard let successor else { return .changedRemoved }
    return Self.kind(try side.value.kind(node), try other.value.kind(successor))
  }

  static func kind(_ a: FileKind, _ b: FileKind) -> MergeConflict.Kind {
    if a == b { return .bothChanged }
    return a == .directory || b == .directory ? .directoryFile : .type
  }

  /// Puts a node that we have removed where they have it.
  mutating func bringBack(_ node: NodeID) throws(FileError) {
    guard let (directory, name) = theirs.value.placement(of: node) else { return }
    edits[node] = NameEdit(adds: [translated(EntryKey(directory, name))])
    isReported.insert(node)
  }

  private mutating func mergeMove(
    of node: NodeID, _ lost: Set<EntryKey>, _ gained: Set<EntryKey>
  ) throws(FileError) {
    let own = ours.names(of: node)
    var edit = NameEdit(removes: lost.subtracting(own.lost), adds: gained.subtracting(own.gained))
    let isBothMoved =
      !lost.isDisjoint(with: own.lost) && !gained.isEmpty && !own.gained.isEmpty
      && gained != own.gained
    let isDirectory = try ancestor.kind(node) == .directory
    if isBothMoved || (isDirectory && !own.lost.isEmpty && gained != own.gained) {
      isReported.insert(node)
      guard try resolve(.renameRename, at: nil, Nodes(node, node, node)) == .theirs else { return }
      edit.removes.formUnion(own.gained.subtracting(gained))
      edit.adds.formUnion(own.lost.subtracting(lost))
    }
    edit.removes = try ourNames(among: edit.removes, of: node)
    if !edit.removes.isEmpty || !edit.adds.isEmpty { edits[node] = edit }
  }

  // MARK: What we have put into what they have removed

  mutating func findAdditionsToRemoved() throws(FileError) {
    for (key, step) in ours.steps.sorted(by: { $0.key < $1.key }) {
      guard let node = step.new, !isReported.contains(node), !replaced.contains(node),
        try !isNew(key.directory), try ours.value.isAlive(key.directory),
        try !theirs.value.isAlive(key.directory)
      else { continue }
      isReported.insert(node)
      let before = try isNew(node) ? nil : node
      let after = try theirs.has(node) ? node : nil
      guard
        try resolve(.changedRemoved, at: key, Nodes(before, node, after)) == .theirs
      else { continue }
      try evict(node, from: key)
    }
  }

  /// Takes what we have under a name away, with all that is in it; what they have elsewhere goes
  /// where they have it.
  mutating func evict(_ node: NodeID, from key: EntryKey) throws(FileError) {
    guard evicted.insert(node).inserted else { return }
    var edit = NameEdit(removes: try ourNames(among: [key], of: node))
    if try !isNew(node), try theirs.has(node) {
      let (own, its) = (ours.names(of: node), names(ofTheir: node))
      edit.adds = own.lost.subtracting(its.lost).union(its.gained).subtracting([key])
    } else if try ours.value.kind(node) == .directory {
      for row in try ours.value.list(node, after: 2, limit: .max) {
        let inside = EntryKey(node, row.name)
        guard let child = try ours.value.node(under: inside) else { continue }
        try evict(child, from: inside)
      }
    }
    edits[node] = edit
  }

  /// Makes bytes the content of a file.
  mutating func give(_ bytes: [UInt8], to node: NodeID) throws(FileError) {
    var record: Node
    if let known = records[node] {
      record = known
    } else {
      record = try ours.has(node) ? ours.value.record(node) : theirs.value.record(node)
    }
    guard let former = SizedContent(record) else {
      throw FileError(.invalidArgument, "merged content is for files only")
    }
    try record.become(bytes, from: former, comparison, layer)
    records[node] = record
    let place = ours.value.path(of: node) ?? theirs.value.path(of: node) ?? []
    merged.append(MergedFile(path: place, node: node, way: .given))
  }
}
