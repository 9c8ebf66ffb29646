public import StrataEngine

/// What an object in a mount says of where it is, to who asks for the attribute by its name: clients
/// find the workspace by it whose directory the mount may cover. It is in no list.
public struct MountMark: Sendable {
  public static let attribute = Name("strata.place")

  /// A path that leads to the workspace's directory.
  public let workspace: [UInt8]
  public let fork: [UInt8]
  /// In the fork.
  public let path: [UInt8]

  init(workspace: [UInt8], fork: [UInt8], path: [UInt8]) {
    (self.workspace, self.fork, self.path) = (workspace, fork, path)
  }

  /// Nil for what is no mark.
  public init?(_ bytes: [UInt8]) {
    let parts = bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    self.init(workspace: Array(parts[0]), fork: Array(parts[1]), path: Array(parts[2]))
  }

  var bytes: [UInt8] { workspace + [0] + fork + [0] + path }
}
