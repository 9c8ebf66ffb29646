/// What a workspace needs to outlive the process: a place for pages, blocks and rows.
///
/// What is put with ``put(_:record:)`` and ``write(_:layer:node:at:)`` is there to be read at once, and
/// for good once a ``commit(_:)`` that came later has returned. A commit is one transaction: data is
/// on the disk before the rows that lead to it, and either all rows of a batch are there or none.
public protocol WorkspaceStore: PageStore, BlockStore {
  /// - Throws: EROFS for a store that is only looked at.
  func checkWritable() throws(FileError)

  /// What a workspace begins with, and nothing that can be read when it is looked at; nil for a store
  /// that is new.
  func open() throws(FileError) -> StoredOpening?

  /// All rows that were committed; nil for a store that is new.
  func load() throws(FileError) -> StoredWorkspace?

  /// Rows as they are looked at; nil for one that is not there.
  func layer(_ id: LayerID) throws(FileError) -> StoredLayer?
  func operation(_ id: UInt64) throws(FileError) -> StoredOperation?
  func operations(of fork: ForkID) throws(FileError) -> [StoredOperation]

  /// Gives a record its bytes. They are written with the next commit.
  func put(_ bytes: [UInt8], record: UInt64) throws(FileError)

  /// Writes whole blocks to the file that a layer has of a node.
  func write(
    _ bytes: UnsafeRawBufferPointer, layer: LayerID, node: NodeID, at offset: Int64
  ) throws(FileError)

  /// The same for blocks of a layer that is still open: they may be written over later. What the disk
  /// has room for may reach it behind the call; if it refuses that then, whoever reads the file or
  /// commits is told.
  /// - Parameters:
  ///   - isShown: whether somebody reads what the file has in their place now. If not, that is given up
  ///     where the call throws, if it can be.
  ///   - landing: where the bytes have landed: what is written behind the call may be taken from there.
  func writeOpen(
    _ bytes: UnsafeRawBufferPointer, layer: LayerID, node: NodeID, at offset: Int64, isShown: Bool,
    landing: Landing?
  ) throws(FileError)

  /// Takes a range of a base's file, from a whole block on, to the same place in that file: without
  /// the process reading it, where the host can do that.
  /// - Throws: EIO for a file that ends before the range does.
  func copy(
    _ source: any BaseFile, _ range: Range<Int64>, layer: LayerID, node: NodeID
  ) throws(FileError)

  /// Sets the length of that file, so that it is what a program would see; no block is cut off.
  func truncate(layer: LayerID, node: NodeID, to size: Int64) throws(FileError)

  func commit(_ batch: StoreBatch) throws(FileError)

  /// Forgets what no commit will lead to any more of what was put and written since the last one: all
  /// records but some, and files.
  func forget(recordsBut kept: Set<UInt64>, _ files: [DataFileID]) throws(FileError)

  /// The events of a node that were committed, oldest first: the newest few of all.
  func events(of node: NodeID) throws(FileError) -> [StoredEvent]

  // MARK: Looking after it

  /// What is there, for ``Workspace/check(repair:)`` and ``Workspace/collectGarbage(_:)``.
  func inventory() throws(FileError) -> StoreInventory

  /// Bytes that each commit has kept of what it has replaced on the host.
  func keptCommits() throws(FileError) -> [BaseVersion: Int64]

  /// What is wrong with the database itself, in its own words; empty if nothing is.
  func integrity() throws(FileError) -> [String]

  /// Makes a database of which something is wrong anew, from what can be read of it.
  /// - Returns: what was done, a line each; empty if nothing was wrong.
  func rebuild() throws(FileError) -> [String]

  /// Whether a data file holds what was written to it.
  /// - Throws: EIO if it does not, ENOENT if it is gone.
  func verify(layer: LayerID, node: NodeID) throws(FileError)

  /// Makes what can be read of a damaged record its content: its bytes if there are any, or none.
  func accept(record: UInt64) throws(FileError)

  /// Makes what can be read of a damaged data file its content: it gets `size` bytes at the least,
  /// and a checksum of what it holds.
  func accept(layer: LayerID, node: NodeID, size: Int64) throws(FileError)

  /// Removes what nothing leads to any more; on a full disk, too. Operations go first.
  func remove(_ garbage: StoreGarbage) throws(FileError)

  /// Bytes of content that the disk has room for, beside what is put and written already and what it
  /// takes to save that; nil where nobody knows.
  var room: Int? { get }

  /// Gives up room that is kept for undo and gc on a full disk; it is taken again when it can be.
  /// - Returns: whether there was any.
  func releaseReserve() -> Bool

  /// A base's node that was committed, by its number or by what it is.
  func baseNode(_ id: NodeID) throws(FileError) -> StoredBaseNode?
  func baseNode(base: Int, _ identity: BaseIdentity) throws(FileError) -> StoredBaseNode?

  /// Which of some numbers base nodes have that were committed.
  func baseNodes(numbered numbers: ClosedRange<NodeID>) throws(FileError) -> [NodeID]

  /// Whether a node on the device of its base's root has one of some numbers.
  func hasBaseNode(numbered numbers: ClosedRange<UInt64>) throws(FileError) -> Bool
}

extension WorkspaceStore {
  public var room: Int? { nil }
  public func checkWritable() throws(FileError) {}
}
