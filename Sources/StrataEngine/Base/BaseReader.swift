/// What the engine needs from a read-only tree: a host directory, an image layer, a test's table.
///
/// A reader keeps no cache of what it says (the engine does, in ``BaseIndex``) beyond one epoch, and
/// never follows a symbolic link. It is called from any thread.
public protocol BaseReader: AnyObject, Sendable {
  /// For people: the host directory's path, the image's name.
  var title: String { get }

  /// Whatever was held on to so that questions are answered faster is to be looked at anew.
  func startEpoch()

  /// What is at the path now; nil if nothing is. `.empty` is the base's root.
  /// - Throws: the host's error, EACCES for a directory on the way that may not be searched.
  func status(of path: BasePath) throws(FileError) -> BaseStatus?

  /// The same for names in one directory.
  func statuses(
    of names: [Name], in directory: BasePath
  ) throws(FileError) -> [BaseStatus?]

  /// The names in a directory in any order, without `.` and `..`.
  func list(_ path: BasePath) throws(FileError) -> [BaseEntry]

  /// The target of a symbolic link, as bytes.
  func readLink(_ path: BasePath) throws(FileError) -> [UInt8]

  /// All extended attributes, ACLs among them (`system.posix_acl_access`).
  func extendedAttributes(of path: BasePath) throws(FileError) -> [Name: [UInt8]]

  /// Opens a regular file for reading.
  func open(_ path: BasePath) throws(FileError) -> any BaseFile

  /// Gives the body a descriptor of a regular file through which nobody can ever write into it, not
  /// through a mapping either, if it is in that state.
  /// - Returns: nil where there is no such descriptor, without having called the body.
  func withReadOnlyDescriptor<R>(
    of path: BasePath, _ stamp: BaseStamp, _ body: (Int32) -> R
  ) -> R?
}

extension BaseReader {
  public func startEpoch() {}

  public func statuses(
    of names: [Name], in directory: BasePath
  ) throws(FileError) -> [BaseStatus?] {
    var found: [BaseStatus?] = []
    for name in names { found.append(try status(of: directory.appending(name))) }
    return found
  }

  public func withReadOnlyDescriptor<R>(
    of path: BasePath, _ stamp: BaseStamp, _ body: (Int32) -> R
  ) -> R? { nil }
}

/// An open file of a base. Closed when it is let go.
public protocol BaseFile: AnyObject, Sendable {
  /// What the open object is at this moment (`fstat`): changes when the host changes the file.
  func stamp() throws(FileError) -> BaseStamp

  /// Reads up to `buffer.count` bytes at `offset`; fewer only at the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileError) -> Int

  /// The first range of data that ends behind `offset` (`SEEK_DATA`, `SEEK_HOLE`); nil when only a
  /// hole follows.
  func data(after offset: Int64) throws(FileError) -> Range<Int64>?

  /// Gives the body a descriptor to read the file by, for the kernel to copy from; nil where there is
  /// none.
  func withDescriptor<R>(_ body: (Int32) -> R) -> R?
}

extension BaseFile {
  public func withDescriptor<R>(_ body: (Int32) -> R) -> R? { nil }
}

/// Where in a base something is: the names from the base's root.
public final class BasePath: Sendable {
  public let parent: BasePath?
  public let name: Name

  private init(parent: BasePath?, name: Name) {
    self.parent = parent
    self.name = name
  }

  public static let empty = BasePath(parent: nil, name: Name([]))
  public func appending(_ name: Name) -> BasePath { BasePath(parent: self, name: name) }

  /// The names from the root down; empty for the root itself.
  public var names: [Name] {
    var names: [Name] = []
    var place = self
    while let parent = place.parent {
      names.append(place.name)
      place = parent
    }
    return names.reversed()
  }

  /// `a/b/c`, without a slash in front; `.` for the root.
  public var bytes: [UInt8] {
    guard parent != nil else { return [UInt8(ascii: ".")] }
    var bytes: [UInt8] = []
    for name in names {
      if !bytes.isEmpty { bytes.append(UInt8(ascii: "/")) }
      bytes += name.bytes
    }
    return bytes
  }
}

/// Which object of the host something is, for good: another one at the same place has another.
public struct BaseIdentity: Hashable, Sendable {
  public var device: UInt64
  public var inode: UInt64
  /// Tells a recycled inode number from its former owner, where the file system says; else 0.
  public var generation: UInt64

  public init(device: UInt64, inode: UInt64, generation: UInt64 = 0) {
    self.device = device
    self.inode = inode
    self.generation = generation
  }

  /// No object's: of a node whose object has become another node's.
  static let none = BaseIdentity(device: 0, inode: 0)
}

/// In which state an object of the host is: differs after any change of its content or attributes.
public struct BaseStamp: Hashable, Sendable {
  public var identity: BaseIdentity
  public var size: Int64
  public var modified: Timestamp
  public var changed: Timestamp

  public init(identity: BaseIdentity, size: Int64, modified: Timestamp, changed: Timestamp) {
    self.identity = identity
    self.size = size
    self.modified = modified
    self.changed = changed
  }
}

/// What a base says of one of its objects.
public struct BaseStatus: Equatable, Sendable {
  public var identity: BaseIdentity
  public var kind: FileKind
  public var mode: UInt32
  public var links: UInt32
  public var uid: UInt32
  public var gid: UInt32
  public var size: Int64
  /// In units of 512 bytes.
  public var blocks: Int64
  public var device: UInt64
  public var accessed: Timestamp
  public var modified: Timestamp
  public var changed: Timestamp
  /// The base hides what bases below it hold at this place (a whiteout of an image layer).
  public var isWhiteout: Bool
  /// A directory that shows nothing of bases below.
  public var isOpaque: Bool
  /// Where the bases below have the directory that this one is laid over, or the file that has this
  /// one's content: another name in the same directory, or an absolute path; nil for the same place.
  public var redirect: [UInt8]?
  /// A file with attributes only, whose content is a base's below.
  public var hasContentBelow = false
  /// When it was made; 0 where the base does not say.
  public var born: Timestamp = 0

  public init(
    identity: BaseIdentity, kind: FileKind, mode: UInt32, links: UInt32 = 1, uid: UInt32 = 0,
    gid: UInt32 = 0, size: Int64 = 0, blocks: Int64 = 0, device: UInt64 = 0,
    accessed: Timestamp = 0, modified: Timestamp = 0, changed: Timestamp = 0,
    isWhiteout: Bool = false, isOpaque: Bool = false
  ) {
    self.identity = identity
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
    self.isWhiteout = isWhiteout
    self.isOpaque = isOpaque
  }

  public var stamp: BaseStamp {
    BaseStamp(identity: identity, size: size, modified: modified, changed: changed)
  }
}

extension [BaseEntry] {
  /// The entries in the order of their names.
  func inListingOrder() -> [BaseEntry] {
    // What the order goes by first is computed once a name.
    let places = indices.map { (fingerprint: self[$0].name.fingerprint, index: $0) }
    return places.sorted { a, b in
      a.fingerprint != b.fingerprint
        ? a.fingerprint < b.fingerprint : self[a.index].name < self[b.index].name
    }.map { self[$0.index] }
  }
}

/// One name in a directory of a base.
public struct BaseEntry: Equatable, Sendable {
  public var name: Name
  public var kind: FileKind
  /// As the listing has it; 0 if it has none.
  public var inode: UInt64
  public var isWhiteout: Bool

  public init(name: Name, kind: FileKind, inode: UInt64 = 0, isWhiteout: Bool = false) {
    self.name = name
    self.kind = kind
    self.inode = inode
    self.isWhiteout = isWhiteout
  }
}
