/// Makes the plan of a merge: first what becomes of each node, then of each name; where two answers
/// do not go together, a conflict is settled, or what ours has stays.
struct MergePlanner {
  typealias Settle = (MergeConflict, _ text: LineMerge?) throws(FileError) -> MergeChoice?

  let ancestor: Namespace
  let ours: MergeSide
  let theirs: MergeSide
  let comparison: ContentComparison
  let settle: Settle
  /// What conflict markers call the sides; nil where none are to be written.
  let labels: LineMerge.Labels?
  /// The layer that new content is written for.
  let layer: Layer
  /// The time of the merge.
  let now: Timestamp

  /// Directories that both have made under one name: theirs, and ours in its place.
  var twins: [NodeID: NodeID] = [:]
  /// What is to be done to the names of ours.
  var edits: [NodeID: NameEdit] = [:]
  /// Records as they are to be, but for names and links.
  var records: [NodeID: Node] = [:]
  /// Nodes whose story is told by another's: files that were replaced under their name.
  var replaced: Set<NodeID> = []
  /// Nodes whose names are settled: no further conflict is made of them.
  var isReported: Set<NodeID> = []
  /// Nodes that were removed from the way of theirs, once and for all.
  var evicted: Set<NodeID> = []
  /// Nodes that do not get a name that they were to get.
  var refused: Set<NodeID> = []

  var conflicts: [MergeConflict] = []
  var settled: [(conflict: MergeConflict, choice: MergeChoice)] = []
  var merged: [MergedFile] = []

  /// Names that a node loses in ours, and gets.
  struct NameEdit {
    var removes: Set<EntryKey> = []
    var adds: Set<EntryKey> = []
  }

  mutating func run() throws(FileError) {
    try pairReplaced()
    try addNewNodes()
    try mergeNames()
    try mergeNodes()
    try findAdditionsToRemoved()
    try stabilize()
  }

  // MARK: Conflicts

  /// Asks how a conflict is settled, and notes it. Nil leaves ours as it is.
  mutating func resolve(
    _ kind: MergeConflict.Kind, at key: EntryKey?, _ nodes: Nodes, _ fields: [String] = [],
    text: LineMerge? = nil
  ) throws(FileError) -> MergeChoice? {
    let value = ours.value
    let ourPath = nodes.ours.flatMap { value.path(of: $0) }
    let theirPath =
      nodes.theirs.flatMap { theirs.value.path(of: $0) }
      ?? nodes.ancestor.flatMap { ancestor.path(of: $0) }
    let place = ourPath ?? key.map { shownPath(of: $0) } ?? theirPath ?? []
    let conflict = MergeConflict(
      kind: kind, path: place, theirPath: theirPath == place ? nil : theirPath, fields: fields,
      contents: MergeContents(
        ancestor: nodes.ancestor.map { (ancestor, $0) }, ours: nodes.ours.map { (value, $0) },
        theirs: nodes.theirs.map { (theirs.value, $0) }))
    let choice = try settle(conflict, text)
    if let choice {
      settled.append((conflict, choice))
    } else {
      conflicts.append(conflict)
    }
    return choice
  }

  /// The node of a conflict on each side; nil where it is not there.
  struct Nodes {
    var ancestor: NodeID?
    var ours: NodeID?
    var theirs: NodeID?

    init(_ ancestor: NodeID?, _ ours: NodeID?, _ theirs: NodeID?) {
      (self.ancestor, self.ours, self.theirs) = (ancestor, ours, theirs)
    }
  }

  /// A path for people, in the first tree that knows the directory.
  private func shownPath(of key: EntryKey) -> [UInt8] {
    for value in [ours.value, theirs.value, ancestor] {
      if (try? value.isAlive(key.directory)) == true, value.path(of: key.directory) != nil {
        return value.path(of: key.name, in: key.directory)
      }
    }
    return [0x3F, 0x2F] + key.name.bytes
  }

  // MARK: Looking

  /// The key in ours for one of theirs.
  func translated(_ key: EntryKey) -> EntryKey {
    twins[key.directory].map { EntryKey($0, key.name) } ?? key
  }

  func isNew(_ id: NodeID) throws(FileError) -> Bool { try !ancestor.isAlive(id) }

  /// Whether a node lives beside the tree on their side: merges leave it out, as diff does.
  func isAside(_ id: NodeID) -> Bool { theirs.value.nodes[id].map { $0.side != .none } ?? false }

  /// Whether a side has changed content or attributes in a way that its removal would lose.
  func isChanged(
    _ before: NodeID, _ after: NodeID, in side: MergeSide
  ) throws(FileError) -> Bool {
    guard before != after || side.nodes.contains(before) else { return false }
    let (a, b) = (try ancestor.record(before), try side.value.record(after))
    if a.mode != b.mode || a.uid != b.uid || a.gid != b.gid || a.kind != b.kind { return true }
    if try ancestor.extendedAttributes(before) != side.value.extendedAttributes(after) {
      return true
    }
    if case .symlink(let left) = a.body, case .symlink(let right) = b.body {
      return left.target != right.target
    }
    guard let left = SizedContent(a), let right = SizedContent(b) else { return false }
    return try !comparison.isEqual(left, right)
  }
}
