internal import SystemPackage

/// A fork as one caller sees it, by paths: what the shell and plugins call.
///
/// Paths resolve as in POSIX: relative ones from `directory`, symbolic links inside the namespace
/// (an absolute target starts at the namespace's root), 40 of them at the most. Permissions are
/// checked as the kernel would for the caller; the operations themselves are the fork's.
public struct Client: Sendable {
  public let fork: Fork
  public var caller: Caller
  /// Where relative paths start.
  public var directory: NodeID

  /// `ELOOP` behind this many symbolic links, as on Linux.
  static let maximumLinks = 40
  static let maximumPathLength = 4096

  public init(_ fork: Fork, as caller: Caller, directory: NodeID = .root) {
    self.fork = fork
    self.caller = caller
    self.directory = directory
  }

  // MARK: Resolving

  /// The node that a path leads to.
  /// - Parameter follow: whether a symbolic link at the very end is followed.
  /// - Throws: ENOENT, ENOTDIR, EACCES for a directory that the caller may not search, ELOOP,
  ///   ENAMETOOLONG.
  public func resolve(_ path: [UInt8], follow: Bool = true) throws(FileError) -> NodeID {
    try find(path, follow: follow).node
  }

  /// The absolute path, without links, of what a path leads to: by the name that the path ends in,
  /// where that has several.
  /// - Throws: as ``resolve(_:follow:)``; ENOENT for what has no path.
  public func absolutePath(
    of path: [UInt8], follow: Bool = true
  ) throws(FileError) -> [UInt8] {
    let value = fork.value
    let (node, place) = try find(path, follow: follow)
    guard let path = place.flatMap({ value.path(of: node, at: $0) }) ?? value.path(of: node) else {
      throw .notFound
    }
    return path
  }

  /// The node that a path leads to, and the name that it has there; nil for the root.
  func find(
    _ path: [UInt8], follow: Bool = true
  ) throws(FileError) -> (node: NodeID, place: Place?) {
    var walk = Walk()
    let node = try resolve(path, from: directory, follow: follow, in: fork.value, &walk)
    return (node, walk.place)
  }

  private struct Walk {
    /// Symbolic links that were followed.
    var links = 0
    /// Where the last path ends.
    var place: Place?
  }

  private func resolve(
    _ path: [UInt8], from start: NodeID, follow: Bool, in value: Namespace, _ walk: inout Walk
  ) throws(FileError) -> NodeID {
    try checkLength(path)
    let slash = UInt8(ascii: "/")
    var node = path[0] == slash ? NodeID.root : start
    var kind = FileKind.directory
    var end = 0
    while let (range, next) = Client.nextName(in: path, from: end) {
      end = next
      let name = path.withUnsafeBytes { Name(copying: UnsafeRawBufferPointer(rebasing: $0[range])) }
      guard kind == .directory else { throw .notDirectory }
      try checkSearch(node)
      let found = try value.step(name, in: node)
      let isLast = range.upperBound == path.count
      if found.1 == .symlink, !isLast || follow {
        walk.links += 1
        guard walk.links <= Client.maximumLinks else { throw FileError(.tooManySymbolicLinkLevels) }
        let target = try value.readLink(found.0)
        node = try resolve(target, from: node, follow: true, in: value, &walk)
        kind = try value.kind(node)
      } else {
        if isLast { walk.place = Place(directory: node, name: name) }
        (node, kind) = found
      }
    }
    if path[path.count - 1] == slash, kind != .directory { throw .notDirectory }
    return node
  }

  /// The range of the next name in a path, and where to go on; nil at the end.
  private static func nextName(in path: [UInt8], from: Int) -> (Range<Int>, next: Int)? {
    let slash = UInt8(ascii: "/")
    var start = from
    while start < path.count, path[start] == slash { start += 1 }
    guard start < path.count else { return nil }
    var end = start
    while end < path.count, path[end] != slash { end += 1 }
    return (start..<end, end)
  }

  private func checkLength(_ path: [UInt8]) throws(FileError) {
    guard !path.isEmpty else { throw .notFound }
    guard path.count < Client.maximumPathLength else { throw FileError(.fileNameTooLong) }
    guard !path.contains(0) else { throw FileError(.invalidArgument, "a path cannot hold NUL") }
  }

  /// The names of a path, and whether it ends in a slash.
  private func split(_ path: [UInt8]) throws(FileError) -> ([Name], isDirectory: Bool) {
    try checkLength(path)
    let names = path.split(separator: UInt8(ascii: "/")).map { Name($0) }
    return (names, path[path.count - 1] == UInt8(ascii: "/"))
  }

  private func kind(_ node: NodeID) throws(FileError) -> FileKind { try fork.value.kind(node) }

  /// The directory that a path's last name is in, which need not exist itself.
  /// - Throws: as ``resolve(_:follow:)``; EBUSY for the root.
  public func resolveParent(
    _ path: [UInt8]
  ) throws(FileError) -> (directory: NodeID, name: Name) {
    let (names, _) = try split(path)
    guard let last = names.last else { throw FileError(.resourceBusy) }
    let isAbsolute = path[0] == UInt8(ascii: "/")
    let start = isAbsolute ? NodeID.root : directory
    guard names.count > 1 else {
      try checkSearch(start)
      return (start, last)
    }
    let slash = [UInt8(ascii: "/")]
    let prefix = Array(names.dropLast().map(\.bytes).joined(separator: slash))
    let parent = try resolve((isAbsolute ? slash : []) + prefix, follow: true)
    guard try kind(parent) == .directory else { throw .notDirectory }
    try checkSearch(parent)
    return (parent, last)
  }

  /// The same, where the root is its own `.`.
  func resolveLast(_ path: [UInt8]) throws(FileError) -> (directory: NodeID, name: Name) {
    if !path.isEmpty, path.allSatisfy({ $0 == UInt8(ascii: "/") }) { return (.root, Name(".")) }
    return try resolveParent(path)
  }

  // MARK: Reading

  public func attributes(
    _ path: [UInt8], follow: Bool = true
  ) throws(FileError) -> Attributes {
    try fork.attributes(of: try resolve(path, follow: follow))
  }

  /// The names in a directory, without `.` and `..`.
  public func list(_ path: [UInt8]) throws(FileError) -> [DirectoryEntry] {
    let node = try resolve(path)
    guard try kind(node) == .directory else { throw .notDirectory }
    try check(node, .read)
    return try fork.list(node).filter { !$0.name.isDot && !$0.name.isDotDot }
  }

  public func readLink(_ path: [UInt8]) throws(FileError) -> [UInt8] {
    try fork.readLink(try resolve(path, follow: false))
  }

  /// A file's whole content.
  public func read(_ path: [UInt8]) throws(FileError) -> [UInt8] {
    let file = try open(path, [.read])
    return try file.read(Int(try file.attributes().size), at: 0)
  }

  public func extendedAttributes(
    _ path: [UInt8], follow: Bool = true
  ) throws(FileError) -> [Name: [UInt8]] {
    try fork.extendedAttributes(of: try resolve(path, follow: follow))
  }
}
