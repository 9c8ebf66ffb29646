/// The content of a file in one value, for reading; no policy is asked.
public final class NodeContent: Sendable {
  private let value: Namespace
  private let node: NodeID
  private let below: BelowReader

  init(value: Namespace, node: NodeID) {
    (self.value, self.node) = (value, node)
    below = BelowReader(value.context.bases)
  }

  /// Fills the buffer from an offset on; less only at the end.
  public func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(FileError) -> Int {
    try value.read(node, into: buffer, at: offset, below)
  }

  /// The first range of data that ends behind an offset; nil when only a hole follows.
  public func data(after offset: Int64) throws(FileError) -> Range<Int64>? {
    try value.data(node, after: offset, below)
  }
}
