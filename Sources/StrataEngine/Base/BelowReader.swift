internal import Synchronization

/// Reads what a file still shows of a base, and makes sure that it is one state of the host's file
/// from the first byte to the last. Keeps the file open between reads.
final class BelowReader: Sendable {
  private let bases: BaseIndex
  private let open = Mutex<(below: Below, file: any BaseFile)?>(nil)

  init(_ bases: BaseIndex) { self.bases = bases }

  /// - Throws: ESTALE, naming both states, when the host's file is not what the content was laid on.
  func read(
    _ below: Below, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(FileError) {
    let count = try reading(below) { file throws(FileError) in
      try file.read(into: buffer, at: offset)
    }
    guard count == buffer.count else { throw FileError(.ioError, "the base's file is too short") }
  }

  /// Has a store take a range into the file that a layer has of a node.
  func copy(
    _ below: Below, _ range: Range<Int64>, to store: any WorkspaceStore, _ file: DataFileID
  ) throws(FileError) {
    try reading(below) { source throws(FileError) in
      try store.copy(source, range, layer: file.layer, node: file.node)
    }
  }

  /// The first range of data in the base's file that ends behind `offset`.
  func data(of below: Below, after offset: Int64) throws(FileError) -> Range<Int64>? {
    try reading(below) { file throws(FileError) in try file.data(after: offset) }
  }

  private func reading<R>(
    _ below: Below, _ body: (any BaseFile) throws(FileError) -> R
  ) throws(FileError) -> R {
    try bases.moves.undisturbed { () throws(FileError) in
      if let known = open.withLock({ $0 }), known.below === below {
        let result = try body(known.file)
        if try known.file.stamp() == below.stamp { return result }
        // A commit may have left it in its place in another state, or taken it away.
        open.withLock { $0 = nil }
      }
      let file = try bases.open(below)
      let result = try body(file)
      try check(file, below)
      open.withLock { $0 = (below, file) }
      return result
    }
  }

  /// What was read before the state was found unchanged is of that state.
  private func check(_ file: any BaseFile, _ below: Below) throws(FileError) {
    let now = try file.stamp()
    guard now != below.stamp else { return }
    let was = below.stamp
    let reason =
      now.identity == was.identity
      ? "changed on the host: was \(was.size) bytes, modified at \(was.modified) ns, is "
        + "\(now.size) bytes, modified at \(now.modified) ns"
      : "replaced on the host: was inode \(was.identity.inode), is \(now.identity.inode)"
    throw FileError(.staleNFSFileHandle, reason)
  }
}
