/// Reading a value without a fork: what `diff -p` and `why` need of a former tree.
extension Namespace {
  /// - Throws: ESTALE for a node that is not in the tree.
  public func attributes(of node: NodeID) throws(FileError) -> Attributes { try attributes(node) }

  /// The target of a symbolic link.
  /// - Throws: EINVAL for what is none.
  public func linkTarget(of node: NodeID) throws(FileError) -> [UInt8] { try readLink(node) }

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
