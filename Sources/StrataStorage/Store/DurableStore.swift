public import StrataEngine
internal import StrataSystem
internal import Synchronization
internal import SystemPackage

/// The store of a workspace on disk: `store.db` for pages and rows, `data/` for blocks.
///
/// A commit first puts data on the disk, then commits one SQLite transaction with everything else.
public final class DurableStore: WorkspaceStore, @unchecked Sendable {
  /// Bytes of records that wait for a commit before they are written ahead of it.
  private static let mostPending = 32 << 20

  let core: StoreCore
  // All below only while the core's mutex is held, see `locked`.
  var database: Database { core.database }
  var files: DataFiles { core.files }
  let reserve: Reserve
  let head: StoreHead
  let root: Descriptor
  /// What a person calls the workspace.
  private let name: String
  /// Whether nothing can be written.
  let isReadOnly: Bool
  /// What commits have kept.
  private(set) var kept: KeptCommits
  /// Records that the database does not have.
  private var pending: [UInt64: [UInt8]] = [:]
  private var pendingBytes = 0
  /// What those will take of the disk, about.
  private let pendingRoom = Atomic(0)
  /// Sums up what the kernel has copied.
  private let summing = SummingThread()

  /// Opens the store in a workspace's directory, and makes it if there is none.
  /// - Parameters:
  ///   - directory: the `.strata` directory, in the process's words.
  ///   - name: what a person calls the workspace.
  ///   - isReadOnly: only to look at: nothing is written, and whatever would be is EROFS. Nobody else
  ///     may change the store meanwhile.
  /// - Throws: ENOTSUP for a newer format; EIO for what is damaged; what the disk says.
  public init(
    directory: [UInt8], name: String = "the workspace", isReadOnly: Bool = false
  ) throws(FileError) {
    self.name = name
    self.isReadOnly = isReadOnly
    let data: Descriptor
    do throws(Errno) {
      root = try Descriptor(path: directory, [.path, .directory])
      do throws(Errno) {
        if !isReadOnly { try root.makeDirectory(Array("data".utf8), mode: 0o700) }
      } catch .fileExists {}
      data = try root.open(entry: Array("data".utf8), [.read, .directory])
    } catch {
      throw FileError(error)
    }
    head = StoreHead(in: root)
    let database: Database
    if isReadOnly {
      let hasLog = (try? head.hasLog()) ?? false
      database = try Database(reading: "store.db", in: root, hasLog: hasLog)
      try Self.setUp(database)
      try Schema.check(database)
    } else {
      try head.mend()
      database = try Self.open(in: root)
      try Schema.prepare(database, forget: head.forget)
      head.make(of: database)
    }
    core = StoreCore(database, DataFiles(data, isReadOnly: isReadOnly))
    reserve = Reserve(in: root)
    kept = KeptCommits(workspace: HeldPath(directory))
    // Where the table is damaged, that is for a check to say.
    if !isReadOnly, (try? database.unsummed(after: nil)) != nil { summing.start(for: core) }
  }

  private static func setUp(_ database: Database) throws(FileError) {
    // One process owns the workspace: no other needs to see the log's index.
    try database.execute("PRAGMA locking_mode = EXCLUSIVE")
    try database.execute("PRAGMA cache_size = -8000")
  }

  static func open(in root: Descriptor) throws(FileError) -> Database {
    let database = try Database(in: root, "store.db")
    try setUp(database)
    try Schema.setUp(database)
    try database.execute("PRAGMA journal_mode = WAL")
    try database.execute("PRAGMA synchronous = FULL")
    // A path to a place for temporary files may lead anywhere.
    try database.execute("PRAGMA temp_store = MEMORY")
    try database.execute("PRAGMA wal_autocheckpoint = 4000")
    return database
  }

  /// Says by which way the base is reached that the workspace's commits may be kept in.
  public func setBase(_ base: HeldPath) throws(FileError) {
    try locked { () throws(FileError) in kept.base = base }
  }

  public func checkWritable() throws(FileError) {
    if isReadOnly { throw FileError(.readOnlyFileSystem, "\(name) can only be read") }
  }

  /// - Throws: EROFS for a store that is only looked at.
  func changing<R>(_ body: () throws(FileError) -> R) throws(FileError) -> R {
    try checkWritable()
    return try locked(body)
  }

  // Nobody uses the database any more when it is closed.
  deinit { summing.stop() }

  func locked<R>(_ body: () throws(FileError) -> R) throws(FileError) -> R {
    try core.locked(body)
  }

  func startSumming() { summing.start(for: core) }

  // MARK: Records

  public func put(_ bytes: [UInt8], record: UInt64) throws(FileError) {
    try changing { () throws(FileError) in
      pending[record] = bytes
      pendingBytes += bytes.count
      pendingRoom.add(Self.room(of: bytes), ordering: .relaxed)
      guard pendingBytes > Self.mostPending else { return }
      let records = pending
      try database.transaction { () throws(FileError) in try database.write(records) }
      forgetPending()
    }
  }

  public func page(_ record: UInt64) throws(FileError) -> [UInt8] {
    try locked { () throws(FileError) in
      if let bytes = pending[record] { return bytes }
      return try database.record(record)
    }
  }

  public func read(
    record: UInt64, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(FileError) {
    let bytes = try page(record)
    let start = Int(clamping: offset)
    let count = min(max(bytes.count - start, 0), buffer.count)
    if count > 0 { buffer.copyBytes(from: bytes[start..<start + count]) }
    if count < buffer.count {
      UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
        .initializeMemory(as: UInt8.self, repeating: 0)
    }
  }

  // MARK: Rows

  public func open() throws(FileError) -> StoredOpening? {
    try locked { () throws(FileError) in
      guard let stored = try database.opening() else { return nil }
      // What a process that died had written for layers that were never committed.
      guard !isReadOnly else { return stored }
      let orphans = try files.layers().filter { $0.rawValue > stored.counters.layer }
      try files.remove(orphans)
      return stored
    }
  }

  public func load() throws(FileError) -> StoredWorkspace? {
    try locked { () throws(FileError) in try database.workspace() }
  }

  public func layer(_ id: LayerID) throws(FileError) -> StoredLayer? {
    try locked { () throws(FileError) in
      try database.layers("WHERE id = ?", [.number(id.rawValue)]).first
    }
  }

  public func operation(_ id: UInt64) throws(FileError) -> StoredOperation? {
    try locked { () throws(FileError) in
      try database.operations("WHERE id = ?", [.number(id)]).first
    }
  }

  public func operations(of fork: ForkID) throws(FileError) -> [StoredOperation] {
    try locked { () throws(FileError) in
      try database.operations("WHERE fork = ? ORDER BY id", [.integer(Int64(fork.rawValue))])
    }
  }

  public func commit(_ batch: StoreBatch) throws(FileError) {
    try changing { () throws(FileError) in
      try files.sync()
      let records = pending
      try database.transaction { () throws(FileError) in
        try database.write(records)
        try database.write(files.checksums)
        try database.write(batch)
        try database.write(batch.events)
      }
      if files.checksums.values.contains(nil) { summing.start(for: core) }
      files.forgetChecksums()
      forgetPending()
      // Later there might be no room for it in the database.
      if !reserve.hasRoom(for: "store.db-wal", times: 3) { emptyLog() }
      reserve.make()
    }
  }

  public func forget(recordsBut kept: Set<UInt64>, _ files: [DataFileID]) throws(FileError) {
    try changing { () throws(FileError) in
      pending = pending.filter { kept.contains($0.key) }
      pendingBytes = pending.values.reduce(0) { $0 + $1.count }
      let room = pending.values.reduce(0) { $0 + Self.room(of: $1) }
      pendingRoom.store(room, ordering: .relaxed)
      for file in files {
        try self.files.remove(.init(layer: file.layer, node: file.node))
      }
    }
  }

  /// What waits is written to SQLite's log first, and then to the database.
  public var room: Int? {
    // Who writes is not to wait for a commit that has the lock.
    reserve.room.map { $0.free - $0.spared - 2 * pendingRoom.load(ordering: .relaxed) }
  }

  /// A record that does not fit beside another one has pages of its own.
  private static func room(of record: [UInt8]) -> Int {
    let page = 4096
    return record.count < page / 3
      ? record.count * 3 / 2 : (record.count + page - 1) / page * page
  }

  public func releaseReserve() -> Bool {
    (try? locked { () throws(FileError) in reserve.release() }) ?? false
  }

  public func baseNode(_ id: NodeID) throws(FileError) -> StoredBaseNode? {
    try locked { () throws(FileError) in try database.baseNode(id) }
  }

  public func baseNode(
    base: Int, _ identity: BaseIdentity
  ) throws(FileError) -> StoredBaseNode? {
    try locked { () throws(FileError) in
      try database.baseNode(base: base, identity)
    }
  }

  public func baseNodes(numbered numbers: ClosedRange<NodeID>) throws(FileError) -> [NodeID] {
    try locked { () throws(FileError) in try database.baseNodes(numbered: numbers) }
  }

  public func hasBaseNode(numbered numbers: ClosedRange<UInt64>) throws(FileError) -> Bool {
    try locked { () throws(FileError) in try database.hasBaseNode(numbered: numbers) }
  }

  public func events(of node: NodeID) throws(FileError) -> [StoredEvent] {
    try locked { () throws(FileError) in try database.events(of: node) }
  }

  // MARK: What the workspace is over

  /// The host directories that the workspace was made over, topmost first.
  public func basePaths() throws(FileError) -> [[UInt8]] {
    try locked { () throws(FileError) in try database.rows(of: .base) { $0.blob(1) } }
  }

  public func setBasePaths(_ paths: [[UInt8]]) throws(FileError) {
    try changing { () throws(FileError) in
      try database.transaction { () throws(FileError) in
        try database.remove(from: .base)
        for (place, path) in paths.enumerated() {
          try database.run(
            "INSERT INTO base(place, path) VALUES(?, ?)", [.integer(Int64(place)), .blob(path)])
        }
      }
    }
  }

  private func forgetPending() {
    pending = [:]
    pendingBytes = 0
    pendingRoom.store(0, ordering: .relaxed)
  }
}
