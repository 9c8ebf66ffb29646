/// Chooses some of the changes of a plan, with those that cannot be made apart from them: other names
/// of the same files, what changes places with them, the directories on the way, and what has been
/// moved out of a directory that goes.
struct CommitSelection {
  private let plan: CommitPlan
  private var chosen: Set<Int> = []
  private var waiting: [Int] = []
  private var byNode: [NodeID: [Int]] = [:]
  private var byPath: [[UInt8]: [Int]] = [:]

  init(_ plan: CommitPlan) {
    self.plan = plan
    for (index, change) in plan.changes.enumerated() {
      for node in [change.node, change.oldNode].compactMap({ $0 }) {
        byNode[node, default: []].append(index)
      }
      byPath[change.path, default: []].append(index)
    }
  }

  /// - Parameter isWanted: says which changes are asked for.
  mutating func run(_ isWanted: (Change) -> Bool) throws(FileError) -> [Change] {
    for (index, change) in plan.changes.enumerated()
    where !change.isOnlyIdentity && isWanted(change) {
      choose([index])
    }
    while let index = waiting.popLast() {
      let change = plan.changes[index]
      for node in [change.node, change.oldNode].compactMap({ $0 }) { choose(byNode[node] ?? []) }
      if change.kind != .removed { try chooseAbove(change.path) }
      if change.kind == .removed || change.oldNode != nil { chooseBelow(change.path, isOld: true) }
    }
    return plan.changes.enumerated().filter { chosen.contains($0.offset) }.map(\.element)
  }

  private mutating func choose(_ indices: [Int]) {
    for index in indices where chosen.insert(index).inserted { waiting.append(index) }
  }

  /// The directories that a path is in must be there, and be the fork's.
  private mutating func chooseAbove(_ path: [UInt8]) throws(FileError) {
    var rest = path[...]
    while let slash = rest.lastIndex(of: UInt8(ascii: "/")), slash > rest.startIndex {
      rest = rest[..<slash]
      let above = Array(rest)
      for index in byPath[above] ?? [] where plan.changes[index].kind != .removed {
        let change = plan.changes[index]
        if change.kind != .metadata || change.oldNode != nil { choose([index]) }
      }
      let (now, before) = (try plan.value.find(at: above), try plan.live.find(at: above))
      // Made or moved to the place of another, it is changed as a whole; so is where it was, and
      // where the other is.
      guard let now, let before, now != before else { continue }
      choose((byNode[now] ?? []) + (byNode[before] ?? []))
      let places = [above, plan.live.path(of: now), plan.value.path(of: before)]
      for place in Set(places.compactMap { $0 }) { chooseBelow(place, isOld: false) }
    }
  }

  /// - Parameter isOld: only what was there before.
  private mutating func chooseBelow(_ directory: [UInt8], isOld: Bool) {
    let prefix = directory + [UInt8(ascii: "/")]
    for (index, change) in plan.changes.enumerated() {
      let old = change.oldPath ?? (change.kind == .added ? nil : change.path)
      if old?.starts(with: prefix) == true || !isOld && change.path.starts(with: prefix) {
        choose([index])
      }
    }
  }
}
