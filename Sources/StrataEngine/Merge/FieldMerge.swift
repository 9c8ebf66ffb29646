/// The record of one node, put together from two sides field by field.
struct FieldMerge {
  let old: Node?
  let ours: Node
  let theirs: Node
  var result: Node
  /// Fields that each side has changed in another way; `result` has what ours says.
  var conflicts: [String] = []
  /// Whether `result` is not just ours.
  var isChanged = false
  private var extendedConflicts: [Name: [UInt8]?] = [:]
  private var takesConflicts = false

  init(old: Node?, ours: Node, theirs: Node) {
    (self.old, self.ours, self.theirs, result) = (old, ours, theirs, ours)
  }

  var mine: SizedContent? { SizedContent(ours) }

  mutating func mergeAttributes() {
    result.mode = pick(old?.mode, ours.mode, theirs.mode, "mode")
    result.uid = pick(old?.uid, ours.uid, theirs.uid, "uid")
    result.gid = pick(old?.gid, ours.gid, theirs.gid, "gid")
    result.modified = latest(old?.modified, ours.modified, theirs.modified)
    result.accessed = latest(old?.accessed, ours.accessed, theirs.accessed)
    isChanged =
      result.mode != ours.mode || result.uid != ours.uid || result.gid != ours.gid
      || result.modified != ours.modified || result.accessed != ours.accessed
  }

  private mutating func pick(
    _ old: UInt32?, _ mine: UInt32, _ its: UInt32, _ name: String
  ) -> UInt32 {
    if mine == its || its == old { return mine }
    if mine == old { return its }
    conflicts.append(name)
    return mine
  }

  /// Two changes of one file make it as new as the newer of them.
  private func latest(_ old: Timestamp?, _ mine: Timestamp, _ its: Timestamp) -> Timestamp {
    if its == old { return mine }
    return mine == old ? its : max(mine, its)
  }

  mutating func mergeExtended(
    _ old: [Name: [UInt8]]?, _ mine: [Name: [UInt8]], _ its: [Name: [UInt8]]
  ) throws(FileError) -> [Name: [UInt8]] {
    var result = mine
    for name in Set(mine.keys).union(its.keys) where mine[name] != its[name] {
      if let old, its[name] == old[name] { continue }
      if old == nil, its[name] == nil { continue }
      if old.map({ mine[name] == $0[name] }) ?? (mine[name] == nil) {
        result[name] = its[name]
        isChanged = true
      } else {
        conflicts.append("xattr \(name)")
        extendedConflicts[name] = .some(its[name])
      }
    }
    return result
  }

  /// Takes their content as it is, sharing it.
  mutating func takeContent() {
    (result.body, result.size, result.origin) = (theirs.body, theirs.size, theirs.origin)
    isChanged = true
  }

  /// Settles what is in conflict for ours: content that stays is no newer than it was.
  mutating func keepOurs() {
    if conflicts.contains("content") { result.modified = ours.modified }
  }

  /// Settles what is in conflict for theirs.
  mutating func takeTheirs() {
    for field in conflicts {
      switch field {
      case "mode": result.mode = theirs.mode
      case "uid": result.uid = theirs.uid
      case "gid": result.gid = theirs.gid
      case "content":
        takeContent()
        result.modified = theirs.modified
      default: takesConflicts = true
      }
    }
    isChanged = true
  }

  func takesTheirs(extended values: [Name: [UInt8]]) -> [Name: [UInt8]] {
    guard takesConflicts else { return values }
    var values = values
    for (name, value) in extendedConflicts { values[name] = value }
    return values
  }
}
