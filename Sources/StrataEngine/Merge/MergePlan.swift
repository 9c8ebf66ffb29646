/// What merging a fork into another comes to. Nothing is changed by making one.
public struct MergePlan: Sendable {
  /// The name of the fork that is merged.
  public let fork: String
  /// The values that the plan was made of.
  public let ours: Namespace
  public let theirs: Namespace
  /// The newest value that both have come from.
  public let ancestor: Namespace
  /// Ours with everything of theirs that could be taken; what is in conflict is as ours has it.
  public let result: Namespace
  /// What nobody has settled.
  public let conflicts: [MergeConflict]
  /// What was settled, and how.
  public let settled: [(conflict: MergeConflict, choice: MergeChoice)]
  /// Files whose content was put together from both sides.
  public let merged: [MergedFile]
  /// Keys of the maps that were looked at: what the plan has cost.
  public let keysVisited: Int

  /// Whether it would change anything.
  public var isEmpty: Bool {
    result.nodes.isIdentical(to: ours.nodes) && result.entries.isIdentical(to: ours.entries)
  }
}

/// A file whose content comes from both sides.
public struct MergedFile: Equatable, Sendable {
  public enum Way: String, Sendable {
    case blocks, lines
    /// By lines, with both sides of what is in conflict between markers.
    case markers
    /// As whoever settled the conflict has said.
    case given
  }
  public var path: [UInt8]
  public var node: NodeID
  public var way: Way
}

/// How conflicts are to be settled where nobody else says.
public struct MergeSettling: Sendable {
  /// For all of them.
  public var all: MergeChoice?
  /// For these paths and all below them.
  public var ours: [[UInt8]] = []
  public var theirs: [[UInt8]] = []
  /// Whether lines in conflict are to be written between markers, into the file.
  public var writesMarkers = false

  public init() {}

  /// What the options say of a conflict; nil leaves it open.
  func choice(for conflict: MergeConflict) -> MergeChoice? {
    func isNamed(_ tops: [[UInt8]]) -> Bool {
      let paths = [conflict.path, conflict.theirPath].compactMap { $0 }
      return tops.contains { top in
        paths.contains {
          top == [0x2F] || $0 == top || $0.starts(with: top + [0x2F])
        }
      }
    }
    if isNamed(ours) { return .ours }
    if isNamed(theirs) { return .theirs }
    return all
  }
}
