/// One difference between two trees.
public struct Change: Equatable, Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case added, removed
    /// The content, and maybe the attributes too.
    case modified
    /// Attributes or extended attributes only.
    case metadata
    /// The same node under another path; its content may have changed as well.
    case renamed
    /// Another kind of node under the same path.
    case typeChanged = "type_changed"
  }

  public var kind: Kind
  /// The path in the new tree; in the old one for what was removed.
  public var path: [UInt8]
  /// The path in the old tree, for a rename.
  public var oldPath: [UInt8]?
  public var node: NodeID
  public var fileKind: FileKind
  public var oldFileKind: FileKind?
  /// The node's number in the old tree, where another node is there now.
  public var oldNode: NodeID?
  public var oldSize: Int64?
  public var newSize: Int64?
  /// For a rename: whether the content differs too.
  public var isContentChanged: Bool

  /// Bytes of content that differ at the most: of blocks that the trees do not share.
  public var bytes: Int64
  /// Whether there only is another directory in the place of one that looks the same: no change to
  /// whoever looks at paths.
  public internal(set) var isOnlyIdentity = false
}
