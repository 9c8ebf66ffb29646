/// What a node is.
public enum FileKind: UInt8, Sendable, CaseIterable {
  case regular, directory, symlink, characterDevice, blockDevice, fifo, socket

  /// The `S_IFMT` bits of `st_mode`.
  public var modeBits: UInt32 {
    switch self {
    case .fifo: 0o010000
    case .characterDevice: 0o020000
    case .directory: 0o040000
    case .blockDevice: 0o060000
    case .regular: 0o100000
    case .symlink: 0o120000
    case .socket: 0o140000
    }
  }

  public init?(modeBits: UInt32) {
    guard let kind = Self.allCases.first(where: { $0.modeBits == modeBits & 0o170000 }) else {
      return nil
    }
    self = kind
  }
}

/// Nanoseconds since 1970-01-01 UTC.
public typealias Timestamp = Int64

/// What `stat` tells of a node.
public struct Attributes: Equatable, Sendable {
  public var node: NodeID
  public var kind: FileKind
  /// Permission bits with set-id and sticky, `st_mode & 07777`.
  public var mode: UInt32
  public var links: UInt32
  public var uid: UInt32
  public var gid: UInt32
  /// Bytes; for a symlink the length of its target.
  public var size: Int64
  /// Allocated space in units of 512 bytes, what is still shared with a base included.
  public var blocks: Int64
  /// Device number of a character or block device, as `makedev` gives it.
  public var device: UInt64
  public var accessed: Timestamp
  public var modified: Timestamp
  public var changed: Timestamp

  public init(
    node: NodeID, kind: FileKind, mode: UInt32, links: UInt32 = 1, uid: UInt32 = 0,
    gid: UInt32 = 0, size: Int64 = 0, blocks: Int64 = 0, device: UInt64 = 0,
    accessed: Timestamp = 0, modified: Timestamp = 0, changed: Timestamp = 0
  ) {
    self.node = node
    self.kind = kind
    self.mode = mode
    self.links = links
    self.uid = uid
    self.gid = gid
    self.size = size
    self.blocks = blocks
    self.device = device
    self.accessed = accessed
    self.modified = modified
    self.changed = changed
  }
}

/// The attributes to change; nil leaves one as it is.
public struct AttributeChanges: Equatable, Sendable {
  public var mode: UInt32?
  public var uid: UInt32?
  public var gid: UInt32?
  public var size: Int64?
  public var accessed: Timestamp?
  public var modified: Timestamp?
  /// What goes with a change of owners.
  public var drops = PrivilegeDrop.usual

  public init(
    mode: UInt32? = nil, uid: UInt32? = nil, gid: UInt32? = nil, size: Int64? = nil,
    accessed: Timestamp? = nil, modified: Timestamp? = nil
  ) {
    self.mode = mode
    self.uid = uid
    self.gid = gid
    self.size = size
    self.accessed = accessed
    self.modified = modified
  }
}

/// What a change of content or owners takes of a file's set-user-ID and set-group-ID.
public enum PrivilegeDrop: Sendable {
  case nothing
  /// Set-user-ID, and set-group-ID where the group may execute.
  case usual
  /// Both: who changes it is no member of the file's group.
  case all

  /// The bits that go from a mode.
  public func bits(of mode: UInt32) -> UInt32 {
    switch self {
    case .nothing: 0
    case .usual: mode & (mode & 0o0010 != 0 ? 0o6000 : 0o4000)
    case .all: mode & 0o6000
    }
  }
}

/// One row of a directory listing.
public struct DirectoryEntry: Equatable, Sendable {
  public var name: Name
  public var kind: FileKind
  /// Known for all that was looked at; nil for a base's entry that nobody has asked about.
  public var node: NodeID?
  /// Where to go on: the listing after this entry.
  public var cookie: UInt64
  /// The number of such an entry, where a look at the listing tells it.
  public var inode: NodeID?

  public init(
    name: Name, kind: FileKind, node: NodeID?, cookie: UInt64, inode: NodeID? = nil
  ) {
    self.name = name
    self.kind = kind
    self.node = node
    self.cookie = cookie
    self.inode = inode ?? node
  }
}

/// In whose name an operation is done.
public struct Caller: Equatable, Sendable {
  public var uid: UInt32
  public var gid: UInt32
  /// Supplementary groups.
  public var groups: [UInt32]
  /// Bits taken from the mode of what is created.
  public var umask: UInt32
  public var pid: Int32
  /// The shell command line or the program's name, for events.
  public var command: String
  /// Whether it is a program in a mount, for which observers need not be done at once.
  public var isProgram: Bool

  public init(
    uid: UInt32 = 0, gid: UInt32 = 0, groups: [UInt32] = [], umask: UInt32 = 0o022,
    pid: Int32 = 0, command: String = "", isProgram: Bool = false
  ) {
    self.uid = uid
    self.gid = gid
    self.groups = groups
    self.umask = umask
    self.pid = pid
    self.command = command
    self.isProgram = isProgram
  }

  public var isSuperuser: Bool { uid == 0 }
  public func isMember(of group: UInt32) -> Bool { gid == group || groups.contains(group) }

  /// What a change by the caller takes of a file of a group.
  func drop(from group: UInt32) -> PrivilegeDrop {
    isSuperuser ? .nothing : isMember(of: group) ? .usual : .all
  }

  /// Root with no umask: for tests and for what the engine's host does itself.
  public static let superuser = Caller(umask: 0)
}
