/// Something that both forks have changed, each in another way.
public struct MergeConflict: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    /// Content or attributes, or another file under the same name.
    case bothChanged = "both changed"
    /// One has changed what the other has removed, or what was in it.
    case changedRemoved = "changed/removed"
    /// A file of one kind against one of another.
    case type
    case directoryFile = "directory/file"
    /// The same node under two new names, or directories that would come to lie in each other.
    case renameRename = "rename/rename"
  }

  public var kind: Kind
  /// The path in our tree; where it is not there, in theirs.
  public var path: [UInt8]
  /// The path in their tree, if it is another one.
  public var theirPath: [UInt8]?
  /// What differs, of what both have: `content`, `mode`, `xattr user.tag`.
  public var fields: [String] = []
  /// What each side has there.
  public var contents: MergeContents
}

/// How a conflict is settled.
public enum MergeChoice: Equatable, Sendable {
  /// What our fork has stays.
  case ours
  /// What their fork has is taken.
  case theirs
  /// This becomes the content of the file.
  case merged([UInt8])

  public var word: String {
    switch self {
    case .ours: "ours"
    case .theirs: "theirs"
    case .merged: "merged"
    }
  }
}

/// The three versions of what a conflict is about; read only when somebody asks.
public struct MergeContents: Sendable {
  public enum Side: Sendable, CaseIterable { case ancestor, ours, theirs }

  var ancestor: (value: Namespace, node: NodeID)?
  var ours: (value: Namespace, node: NodeID)?
  var theirs: (value: Namespace, node: NodeID)?

  private subscript(side: Side) -> (value: Namespace, node: NodeID)? {
    switch side {
    case .ancestor: ancestor
    case .ours: ours
    case .theirs: theirs
    }
  }

  /// What there is; nil where the side has nothing.
  public func kind(_ side: Side) -> FileKind? { self[side].flatMap { try? $0.value.kind($0.node) } }

  /// The content of a file, or the target of a symbolic link; nil where the side has neither.
  /// - Throws: EFBIG for more than `limit` bytes, and what reading it says.
  public func bytes(_ side: Side, limit: Int = 16 << 20) throws(FileError) -> [UInt8]? {
    guard let (value, node) = self[side] else { return nil }
    switch try value.kind(node) {
    case .regular:
      guard try value.attributes(node).size <= Int64(limit) else {
        throw FileError(.fileTooLarge, "more than \(limit) bytes")
      }
      return try value.content(of: node, limit: limit)
    case .symlink: return try value.readLink(node)
    default: return nil
    }
  }
}
