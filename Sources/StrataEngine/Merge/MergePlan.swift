/// What a merge cannot decide by itself.
public struct MergeConflict: Equatable, Sendable {
  public enum Kind: String, Sendable {
    case content = "both have changed the content"
    case attributes = "both have changed the attributes"
    case added = "both have made it"
    case removed = "changed by one and removed by the other"
    case type = "of different types"
    case directory = "removed by one, with changes of the other in it"
    case renamed = "renamed to different places"
  }

  public var kind: Kind
  /// Where it is in our tree, or was.
  public var path: [UInt8]
}

/// How a conflict is settled.
public enum MergeChoice: Equatable, Sendable {
  case ours, theirs
  /// Content that somebody has merged.
  case content([UInt8])
}

/// What became of a merge.
public struct MergeResult: Sendable {
  /// What was taken from the other fork, by path; with the conflicts that were settled.
  public var taken: [[UInt8]] = []
  public var conflicts: [MergeConflict] = []
}

extension Workspace {
  /// The value that two forks had in common last: one is made from the other, or both from a third;
  /// or what was merged last.
  public func commonAncestor(_ ours: Fork, _ theirs: Fork) -> Namespace? {
    if let merged = ours.value.merged?.values[theirs.id] { return merged }
    if let merged = theirs.value.merged?.values[ours.id] { return merged }
    func line(_ fork: Fork) -> [(id: ForkID, origin: Namespace)] {
      var line: [(ForkID, Namespace)] = []
      var next: Fork? = fork
      while let fork = next {
        line.append((fork.id, fork.origin))
        let parent = fork.parent
        next = forks.first { $0.id == parent }
      }
      return line
    }
    let (mine, its) = (line(ours), line(theirs))
    // The fork that both lines lead to, and where the two left it: the earlier one is common.
    for (index, row) in mine.enumerated() {
      guard let other = its.firstIndex(where: { $0.id == row.id }) else { continue }
      let left = index == 0 ? nil : mine[index - 1].origin
      let right = other == 0 ? nil : its[other - 1].origin
      switch (left, right) {
      case (let left?, let right?):
        return (left.newest?.id ?? .base) <= (right.newest?.id ?? .base) ? left : right
      case (let value?, nil), (nil, let value?): return value
      case (nil, nil): return nil
      }
    }
    return nil
  }

  /// Merges what another fork has changed since the two parted into a fork, as one operation; or,
  /// if a conflict is not settled, does nothing but tell.
  /// - Parameters:
  ///   - settle: asked about each conflict; nil leaves it unsettled.
  ///   - markers: whether texts that differ are merged with conflict markers.
  public func merge(
    _ theirs: Fork, into ours: Fork, _ command: String, dryRun: Bool = false,
    markers: Bool = false, settle: (MergeConflict, MergeSides) throws(FileError) -> MergeChoice?
  ) throws(FileError) -> MergeResult {
    guard let ancestor = commonAncestor(ours, theirs) else {
      throw FileError(.invalidArgument, "the forks have nothing in common")
    }
    guard ours.value.version == theirs.value.version else {
      throw FileError(.invalidArgument, "a commit has put the forks on different bases")
    }
    let other = theirs.value
    var merge = Merge(
      ancestor: ancestor, ours: ours.value, theirs: other,
      names: (ours.name, theirs.name), markers: markers)
    try context.whole { () throws(FileError) in
      try merge.run(try diff(ancestor, ours.value), try diff(ancestor, other), settle)
    }
    if dryRun || !merge.unsettled.isEmpty {
      return MergeResult(taken: merge.taken, conflicts: merge.unsettled)
    }
    var value = merge.value
    var merged = value.merged?.values ?? [:]
    merged[theirs.id] = other
    value.merged = MergedForks(merged)
    operation(command, on: ours) { ours.replaceValue(with: value) }
    return MergeResult(taken: merge.taken)
  }
}
