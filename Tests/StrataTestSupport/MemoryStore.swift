public import StrataEngine
import Synchronization

/// A store in memory that keeps what was committed, and knows what was not: a workspace can be opened
/// again over it as after the end of the process, or after its death.
public final class MemoryStore: WorkspaceStore {
  private let state = Mutex(State())

  private struct File: Hashable {
    var layer: LayerID
    var node: NodeID
  }

  private struct State: Sendable {
    var records: [UInt64: [UInt8]] = [:]
    var files: [File: [UInt8]] = [:]
    var committed: StoredWorkspace?
    var committedRecords: [UInt64: [UInt8]] = [:]
    var baseNodes: [NodeID: StoredBaseNode] = [:]
    var events: [StoredEvent] = []
    var commits = 0
    var putsUntilFailure: Int?
  }

  public init() {}

  public var commits: Int { state.withLock { $0.commits } }
  public var recordCount: Int { state.withLock { $0.committedRecords.count } }

  /// Has one put fail, after so many others.
  public func failPut(after count: Int) { state.withLock { $0.putsUntilFailure = count } }
  /// Whether that one is still to come; it comes no more.
  public func cancelFailure() -> Bool {
    state.withLock { state in
      defer { state.putsUntilFailure = nil }
      return state.putsUntilFailure != nil
    }
  }

  /// Forgets what was put and not committed.
  public func crash() { state.withLock { $0.records = $0.committedRecords } }

  public func page(_ record: UInt64) throws(FileError) -> [UInt8] {
    guard let bytes = state.withLock({ $0.records[record] }) else {
      throw FileError(.ioError, "record \(record) is missing")
    }
    return bytes
  }

  public func put(_ bytes: [UInt8], record: UInt64) throws(FileError) {
    let fails = state.withLock { state in
      guard state.putsUntilFailure != 0 else {
        state.putsUntilFailure = nil
        return true
      }
      if let count = state.putsUntilFailure { state.putsUntilFailure = count - 1 }
      state.records[record] = bytes
      return false
    }
    if fails { throw FileError(.noSpace) }
  }

  public func keptCommits() -> [BaseVersion: Int64] { [:] }

  public func forget(recordsBut kept: Set<UInt64>, _ files: [DataFileID]) {
    state.withLock { state in
      for file in files { state.files[File(layer: file.layer, node: file.node)] = nil }
    }
  }

  public func writeOpen(
    _ bytes: UnsafeRawBufferPointer, layer: LayerID, node: NodeID, at offset: Int64, isShown: Bool,
    landing: Landing?
  ) throws(FileError) {
    try write(bytes, layer: layer, node: node, at: offset)
  }

  public func read(
    layer: LayerID, node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(FileError) {
    let file = state.withLock { $0.files[File(layer: layer, node: node)] }
    guard let file else { throw FileError(.noSuchFileOrDirectory, "no such data file") }
    fill(buffer, from: file, at: offset)
  }

  public func read(
    record: UInt64, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(FileError) {
    fill(buffer, from: try page(record), at: offset)
  }

  private func fill(_ buffer: UnsafeMutableRawBufferPointer, from bytes: [UInt8], at offset: Int64)
  {
    for index in 0..<buffer.count {
      let place = Int(offset) + index
      buffer[index] = place < bytes.count ? bytes[place] : 0
    }
  }

  public func write(
    _ bytes: UnsafeRawBufferPointer, layer: LayerID, node: NodeID, at offset: Int64
  ) throws(FileError) {
    let data = Array(bytes)
    state.withLock { state in
      var file = state.files[File(layer: layer, node: node)] ?? []
      let end = Int(offset) + data.count
      if file.count < end { file += [UInt8](repeating: 0, count: end - file.count) }
      file.replaceSubrange(Int(offset)..<end, with: data)
      state.files[File(layer: layer, node: node)] = file
    }
  }

  public func copy(
    _ source: any BaseFile, _ range: Range<Int64>, layer: LayerID, node: NodeID
  ) throws(FileError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: range.count, alignment: 16)
    defer { buffer.deallocate() }
    guard try source.read(into: buffer, at: range.lowerBound) == range.count else {
      throw FileError(.ioError, "the base's file is too short")
    }
    try write(UnsafeRawBufferPointer(buffer), layer: layer, node: node, at: range.lowerBound)
  }

  public func truncate(layer: LayerID, node: NodeID, to size: Int64) throws(FileError) {
    state.withLock { state in
      var file = state.files[File(layer: layer, node: node)] ?? []
      let size = Int(size)
      guard file.count - size < Block.size else { return }
      file = file.count > size ? Array(file[..<size]) : file
      file += [UInt8](repeating: 0, count: size - file.count)
      state.files[File(layer: layer, node: node)] = file
    }
  }

  public func open() throws(FileError) -> StoredOpening? {
    state.withLock { state in
      state.committed.map { stored in
        var opening = StoredOpening()
        (opening.counters, opening.forks) = (stored.counters, stored.forks)
        opening.sideLayers = stored.sideLayers
        opening.operations = stored.operations.map {
          .init(id: $0.id, fork: $0.fork, state: $0.state)
        }
        return opening
      }
    }
  }

  public func layer(_ id: LayerID) throws(FileError) -> StoredLayer? {
    state.withLock { $0.committed?.layers.first { $0.id == id } }
  }

  public func operation(_ id: UInt64) throws(FileError) -> StoredOperation? {
    state.withLock { $0.committed?.operations.first { $0.id == id } }
  }

  public func operations(of fork: ForkID) throws(FileError) -> [StoredOperation] {
    state.withLock { $0.committed?.operations.filter { $0.fork == fork } ?? [] }
  }

  public func load() throws(FileError) -> StoredWorkspace? { state.withLock { $0.committed } }

  public func commit(_ batch: StoreBatch) throws(FileError) {
    state.withLock { state in
      var stored = state.committed ?? StoredWorkspace()
      stored.counters = batch.counters
      for fork in batch.droppedForks {
        stored.forks.removeAll { $0.id == fork }
        stored.operations.removeAll { $0.fork == fork }
      }
      stored.operations.removeAll { batch.droppedOperations.contains($0.id) }
      for fork in batch.forks {
        stored.forks.removeAll { $0.id == fork.id }
        stored.forks.append(fork)
      }
      for layer in batch.layers {
        stored.layers.removeAll { $0.id == layer.id }
        stored.layers.append(layer)
      }
      for operation in batch.operations {
        stored.operations.removeAll { $0.id == operation.id }
        stored.operations.append(operation)
      }
      stored.forks.sort { $0.id < $1.id }
      stored.layers.sort { $0.id < $1.id }
      stored.operations.sort { $0.id < $1.id }
      if !batch.sideLayers.isEmpty { stored.sideLayers = batch.sideLayers }
      state.events += batch.events
      for node in batch.baseNodes { state.baseNodes[node.id] = node }
      state.committed = stored
      state.committedRecords = state.records
      state.commits += 1
    }
  }

  public func events(of node: NodeID) throws(FileError) -> [StoredEvent] {
    state.withLock { $0.events.filter { $0.node == node }.suffix(StoredEvent.mostPerNode) }
  }

  public func rebuild() throws(FileError) -> [String] { [] }

  public func inventory() throws(FileError) -> StoreInventory {
    state.withLock { state in
      var found = StoreInventory()
      found.records = state.committedRecords.mapValues(\.count)
      for (file, bytes) in state.files {
        found.files[DataFileID(layer: file.layer, node: file.node)] = .init(
          size: Int64(bytes.count), allocated: Int64(bytes.count))
      }
      found.layers = Set((state.committed?.layers ?? []).map(\.id))
      found.baseNodes = Set(state.baseNodes.keys)
      return found
    }
  }

  public func integrity() throws(FileError) -> [String] { [] }

  public func verify(layer: LayerID, node: NodeID) throws(FileError) {}
  public func accept(record: UInt64) throws(FileError) {
    state.withLock { state in
      if state.records[record] == nil { state.records[record] = [] }
      state.committedRecords[record] = state.records[record]
    }
  }
  public func accept(layer: LayerID, node: NodeID, size: Int64) throws(FileError) {
    state.withLock { state in
      var file = state.files[File(layer: layer, node: node)] ?? []
      file += [UInt8](repeating: 0, count: max(Int(size) - file.count, 0))
      state.files[File(layer: layer, node: node)] = file
    }
  }

  public func releaseReserve() -> Bool { false }

  public func remove(_ garbage: StoreGarbage) throws(FileError) {
    state.withLock { state in
      for record in garbage.records {
        state.records[record] = nil
        state.committedRecords[record] = nil
      }
      for file in garbage.files { state.files[File(layer: file.layer, node: file.node)] = nil }
      state.committed?.operations.removeAll { garbage.operations.contains($0.id) }
      state.committed?.layers.removeAll { garbage.layers.contains($0.id) }
      state.events.removeAll { garbage.layers.contains($0.to) }
    }
  }

  public func baseNode(_ id: NodeID) throws(FileError) -> StoredBaseNode? {
    state.withLock { $0.baseNodes[id] }
  }

  public func baseNodes(numbered numbers: ClosedRange<NodeID>) throws(FileError) -> [NodeID] {
    state.withLock { $0.baseNodes.keys.filter(numbers.contains) }
  }

  public func hasBaseNode(numbered numbers: ClosedRange<UInt64>) throws(FileError) -> Bool {
    state.withLock { state in
      state.baseNodes.values.contains {
        numbers.contains($0.id.rawValue) && $0.status.identity.device == 0
      }
    }
  }

  public func baseNode(
    base: Int, _ identity: BaseIdentity
  ) throws(FileError) -> StoredBaseNode? {
    state.withLock { state in
      state.baseNodes.values.filter {
        $0.status.identity == identity && $0.places.first?.base == base
      }.max { $0.id < $1.id }
    }
  }
}
