/// Names that lead to another node than before: to whoever knows paths only, a change of what is
/// there.
extension MergePlanner {
  /// Many programs change a file by writing another and renaming it over the first. Where the other
  /// side has changed that first one, both are one file that both have changed; where it has removed
  /// it, that is a conflict as well.
  mutating func pairReplaced() throws(FileError) {
    let mine = try replacements(in: ours)
    let its = try replacements(in: theirs)
    for key in Set(mine.keys).union(its.keys).sorted() {
      guard let old = (mine[key] ?? its[key])?.old else { continue }
      let (our, their) = (mine[key]?.new ?? old, its[key]?.new ?? old)
      let isOurs = try ours.value.node(under: key) == our
      let isTheirs = try theirs.value.node(under: key) == their
      if isOurs, isTheirs {
        try pair(old, our, their)
      } else if !isOurs, mine[key] == nil {
        try settle(their, inPlaceOf: old, removedByUsAt: key)
      } else if !isTheirs, its[key] == nil {
        try settle(our, inPlaceOf: old, removedByThemAt: key)
      }
    }
  }

  private func replacements(
    in side: MergeSide
  ) throws(FileError) -> [EntryKey: (old: NodeID, new: NodeID)] {
    var found: [EntryKey: (old: NodeID, new: NodeID)] = [:]
    for (key, step) in side.steps {
      guard let old = step.old, let new = step.new, try isNew(new), try !side.value.isAlive(old),
        side.gained[new]?.count == 1, side.value.nodes[new]?.side == SideLayerID.none
      else { continue }
      let former = try ancestor.record(old)
      guard former.kind == .directory || former.links == 1 else { continue }
      found[key] = (old, new)
    }
    return found
  }

  private mutating func pair(
    _ old: NodeID, _ our: NodeID, _ their: NodeID
  ) throws(FileError) {
    for (value, node) in [(ancestor, old), (ours.value, our), (theirs.value, their)] {
      guard try value.kind(node) == .regular, try value.record(node).links == 1 else { return }
    }
    if our == old, try !isChanged(old, old, in: ours) { return }
    if their == old, try !isChanged(old, old, in: theirs) { return }
    replaced.formUnion([old, our, their])
    try mergeRecords(ancestor: old, ours: our, theirs: their)
  }

  private mutating func settle(
    _ new: NodeID, inPlaceOf old: NodeID, removedByUsAt key: EntryKey
  ) throws(FileError) {
    guard try ours.value.node(under: key) == nil, try !ours.has(old) else { return }
    guard try isChanged(old, new, in: theirs) else {
      replaced.insert(new)
      return
    }
    isReported.formUnion([old, new])
    switch try resolve(.changedRemoved, at: key, Nodes(old, nil, new)) {
    case nil, .ours: replaced.insert(new)
    case .theirs: break
    case .merged(let bytes): try give(bytes, to: new)
    }
  }

  private mutating func settle(
    _ new: NodeID, inPlaceOf old: NodeID, removedByThemAt key: EntryKey
  ) throws(FileError) {
    guard try theirs.value.node(under: key) == nil, try !theirs.has(old) else { return }
    guard try isChanged(old, new, in: ours) else { return try evict(new, from: key) }
    isReported.formUnion([old, new])
    switch try resolve(.changedRemoved, at: key, Nodes(old, new, nil)) {
    case nil, .ours: break
    case .theirs: try evict(new, from: key)
    case .merged(let bytes): try give(bytes, to: new)
    }
  }
}
