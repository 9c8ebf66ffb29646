public import SystemPackage

/// A file system at one moment: the simplest thing that does what POSIX and Linux say.
///
/// It is a plain value: to fork is to copy it. Times are those of ``now``, which the caller sets
/// before each operation. The caller of every operation is root with no umask.
public struct ModelTree: Sendable {
  public static let root = 1
  public static let maximumName = 255

  public internal(set) var nodes: [Int: ModelNode]
  /// The time of the operation that is about to be done.
  public var now: Int64 = 0
  /// The number for the next node; the owner of several trees keeps it above all of them.
  public var nextNode: Int

  /// Counts what was changed; calls that find nothing to do are none.
  public internal(set) var changes = 0

  init(nodes: [Int: ModelNode], nextNode: Int) {
    self.nodes = nodes
    self.nextNode = nextNode
  }

  /// The node of that number.
  /// - Throws: ESTALE if this tree has none.
  public func node(_ id: Int) throws(Errno) -> ModelNode {
    guard let node = nodes[id] else { throw .staleNFSFileHandle }
    return node
  }

  func directory(_ id: Int) throws(Errno) -> ModelNode {
    let node = try node(id)
    guard node.kind == .directory else { throw .notDirectory }
    return node
  }

  public func lookup(_ name: [UInt8], in directory: Int) throws(Errno) -> Int {
    let parent = try self.directory(directory)
    if name == Self.dot { return directory }
    if name == Self.dotDot { return parent.parent }
    guard name.count <= Self.maximumName else { throw .fileNameTooLong }
    guard let found = parent.entries[name] else { throw .noSuchFileOrDirectory }
    return found
  }

  /// `st_nlink`: two and one for each subdirectory, for a directory.
  public func linkCount(_ id: Int) throws(Errno) -> Int {
    let node = try node(id)
    guard node.kind == .directory else { return node.links }
    guard node.parent != 0 else { return 0 }
    return 2 + node.entries.values.count(where: { nodes[$0]?.kind == .directory })
  }

  public func readLink(_ id: Int) throws(Errno) -> [UInt8] {
    let node = try node(id)
    guard node.kind == .symlink else { throw .invalidArgument }
    return node.target
  }

  /// Lets a node go that has no name and that nobody has open any more.
  public mutating func forget(_ id: Int) { nodes[id] = nil }

  static let dot: [UInt8] = [UInt8(ascii: ".")]
  static let dotDot: [UInt8] = [UInt8(ascii: "."), UInt8(ascii: ".")]
}

extension ModelTree {
  mutating func touchDirectory(_ id: Int) {
    changes += 1
    nodes[id]?.modified = now
    nodes[id]?.changed = now
  }

  /// Whether `ancestor` is `id` or above it.
  func isInside(_ id: Int, _ ancestor: Int) -> Bool {
    var place = id
    while place != ancestor {
      guard let node = nodes[place], node.parent != place, node.parent != 0 else { return false }
      place = node.parent
    }
    return true
  }
}
