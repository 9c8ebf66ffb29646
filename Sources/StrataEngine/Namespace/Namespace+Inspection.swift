/// Reading a value without a fork: what `diff -p` and `why` need of a former tree.
extension Namespace {
  /// - Throws: ESTALE for a node that is not in the tree.
  public func attributes(of node: NodeID) throws(FileError) -> Attributes { try attributes(node) }

  /// The target of a symbolic link.
  /// - Throws: EINVAL for what is none.
  public func linkTarget(of node: NodeID) throws(FileError) -> [UInt8] { try readLink(node) }

  /// All extended attributes of a node.
  public func allExtendedAttributes(of node: NodeID) throws(FileError) -> [Name: [UInt8]] {
    try extendedAttributes(node)
  }

  /// All paths to a node. Looks at every entry there is, unless it has a single name.
  public func allPaths(of node: NodeID) throws(FileError) -> [[UInt8]] {
    guard try attributes(node).links > 1, try kind(node) != .directory else {
      return [path(of: node)].compactMap { $0 }
    }
    return Array(Set(paths(of: node)))
  }

  /// The node at an absolute path without links on the way.
  /// - Throws: ENOENT, ENOTDIR.
  public func node(at path: [UInt8]) throws(FileError) -> NodeID {
    var place = NodeID.root
    for name in path.split(separator: UInt8(ascii: "/")) {
      place = try lookup(Name(name), in: place)
    }
    return place
  }

  /// The same; nil where nothing is.
  func find(at path: [UInt8]) throws(FileError) -> NodeID? {
    do throws(FileError) {
      return try node(at: path)
    } catch {
      guard [.noSuchFileOrDirectory, .notDirectory].contains(error.errno) else { throw error }
      return nil
    }
  }

  /// Whether a file's content, or a link's target, is all the base's.
  public func hasContentOfBase(_ node: NodeID) -> Bool {
    guard let record = nodes[node] else { return context.bases.node(node) != nil }
    guard let origin = record.origin else { return false }
    guard case .file(let content) = record.body else { return true }
    return content.extents.isEmpty && content.below?.limit == origin.stamp.size
      && content.below?.stamp == origin.stamp
      && record.size == origin.stamp.size
  }

  /// Whether a base that has a node shows it still.
  public func isKnown(_ node: NodeID) -> Bool {
    guard let base = context.bases.node(node) else { return false }
    return (try? context.bases.status(of: base)) != nil
  }

  /// Lends the content of a file.
  public func reader(of node: NodeID) -> NodeContent { NodeContent(value: self, node: node) }

  /// The content of a file, no more than `limit` bytes of it.
  /// - Throws: EISDIR, EINVAL for what has no content, ESTALE if a base's file has changed.
  public func content(of node: NodeID, limit: Int) throws(FileError) -> [UInt8] {
    let size = try attributes(node).size
    let count = Int(min(Int64(limit), size))
    let reader = BelowReader(context.bases)
    var failure: FileError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(FileError) {
        initialized = try read(
          node, into: UnsafeMutableRawBufferPointer(buffer), at: 0, reader)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }
}

extension Workspace {
  /// The base that a node came from, as its place in ``bases``; nil for one that a layer made.
  public func base(of node: NodeID) -> Int? { context.bases.node(node)?.base }
}
