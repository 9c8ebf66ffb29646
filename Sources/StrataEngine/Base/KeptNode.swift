/// How many commits to the bases a value has behind it: it sees them as they were then.
public typealias BaseVersion = UInt64

/// What a node of a base was before a commit changed it, kept for the values that were there before.
public struct KeptNode: Equatable, Sendable {
  /// The number of the commit that changed it: values of smaller versions see this.
  public var until: BaseVersion
  public var parent: NodeID
  public var name: Name
  public var status: BaseStatus
  /// Where a file's content is kept, below the directory of kept objects; empty for other nodes, and
  /// for files that the commit has left in their place.
  public var file: [UInt8]
  /// The target of a symbolic link.
  public var target: [UInt8]
  public var xattrs: [Name: [UInt8]]
  /// Of a directory: names that meant something else before the commit; nil for nothing.
  public var names: [Name: NodeID?]
  /// Whether the names are all that there were, because the directory itself is gone.
  public var isWhole: Bool
  /// Of a file that was left in its place: its state behind the commit. As long as the host's file is
  /// in it, the content is what it was.
  public var after: BaseStamp?

  public init(
    until: BaseVersion, parent: NodeID, name: Name, status: BaseStatus, file: [UInt8] = [],
    target: [UInt8] = [], xattrs: [Name: [UInt8]] = [:], names: [Name: NodeID?] = [:],
    isWhole: Bool = false
  ) {
    (self.until, self.parent, self.name, self.status) = (until, parent, name, status)
    (self.file, self.target, self.xattrs) = (file, target, xattrs)
    (self.names, self.isWhole) = (names, isWhole)
  }
}
