internal import StrataEngine
internal import StrataSystem
internal import Synchronization
internal import SystemPackage

/// Large writes to data files that another thread does: who has them done goes on as soon as the bytes
/// are copied, or, where they have landed in memory that can be had, at once.
///
/// The disk takes them in the order in which they came. Whoever looks at a file, or makes it durable,
/// settles it before. A write that the disk refuses is kept: settling its file tries it again, and
/// throws what the disk says, as fsync(2) does for what a kernel writes back.
///
/// Used by one thread at a time, as the data files are.
final class WritesBehind: Sendable {
  /// What the bytes of a piece are in.
  private enum Memory {
    case buffer(UnsafeMutableRawBufferPointer)
    case landing(Landing)
  }

  // Sendable: the memory is this piece's alone.
  private struct Piece: @unchecked Sendable {
    let key: DataFiles.Key
    let file: Descriptor
    let offset: Int64
    let bytes: UnsafeRawBufferPointer
    let memory: Memory

    func write() throws(Errno) { try file.write(bytes, at: offset) }
  }

  private enum Thread { case none, resting, working }

  // Sendable: free buffers are nobody's.
  private struct State: @unchecked Sendable {
    /// In the order of writing; the thread works on the first.
    var pieces: [Piece] = []
    var free: [UnsafeMutableRawBufferPointer] = []
    /// Whether the first is one that the disk has refused. The thread rests then.
    var hasFailed = false
    var thread = Thread.none
    /// Whether somebody waits until one more is done.
    var isWaitedFor = false

    /// Whether the thread will come to what there is.
    var isBusy: Bool { thread != .none && !hasFailed && !pieces.isEmpty }

    /// Takes the memory of a piece that is done with, if it is to be used again.
    mutating func free(_ memory: Memory) {
      if case .buffer(let buffer) = memory { free.append(buffer) }
    }

    /// - Returns: whether it is to be woken.
    mutating func wake() -> Bool {
      defer { if thread == .resting { thread = .working } }
      return thread == .resting
    }
  }

  /// From this size on a write is worth it, and up to the other one it is one piece.
  static let smallest = 256 << 10
  private static let largest = 1 << 20
  private static let mostPieces = 4
  /// How long the thread waits for more to do.
  private static let milliseconds = 100

  private let state = Mutex(State())
  private let more = Alarm()
  private let done = Alarm()
  private let waiting = Atomic(0)

  deinit {
    state.withLock { state in
      for piece in state.pieces { state.free(piece.memory) }
      for buffer in state.free { buffer.deallocate() }
    }
  }

  /// Bytes that the disk does not have yet.
  var bytes: Int { waiting.load(ordering: .relaxed) }

  /// Takes bytes to be written.
  /// - Parameter landing: where they have landed.
  /// - Throws: what the disk says, also of those that came before.
  func write(
    _ bytes: UnsafeRawBufferPointer, to file: Descriptor, _ key: DataFiles.Key, at offset: Int64,
    landing: Landing? = nil
  ) throws(Errno) {
    try makeRoom()
    if let landing, landing.lend(bytes) {
      put(Piece(key: key, file: file, offset: offset, bytes: bytes, memory: .landing(landing)))
      return
    }
    var start = 0
    while start < bytes.count {
      let part = UnsafeRawBufferPointer(
        rebasing: bytes[start..<min(start + Self.largest, bytes.count)])
      let buffer = try takeBuffer()
      buffer.copyMemory(from: part)
      let copy = UnsafeRawBufferPointer(rebasing: buffer[..<part.count])
      let place = offset + Int64(start)
      put(Piece(key: key, file: file, offset: place, bytes: copy, memory: .buffer(buffer)))
      start += part.count
    }
  }

  /// Returns when the disk has all that was written to a file; nil for all files.
  /// - Throws: what the disk says.
  func settle(_ key: DataFiles.Key? = nil) throws(Errno) {
    guard bytes > 0 else { return }
    while try settleFirst({ $0.pieces.contains { key == nil || $0.key == key } }) {}
  }

  /// Forgets what was to be written to some files, which are to be removed.
  func forget(_ isGone: (DataFiles.Key) -> Bool) {
    guard bytes > 0 else { return }
    // The thread may be at any of them.
    while (try? settleFirst { $0.isBusy && $0.pieces.contains { isGone($0.key) } }) == true {}
    let wakes = state.withLock { state in
      let gone = state.pieces.filter { isGone($0.key) }
      guard !gone.isEmpty else { return false }
      state.pieces.removeAll { isGone($0.key) }
      for piece in gone { state.free(piece.memory) }
      waiting.subtract(gone.reduce(0) { $0 + $1.bytes.count }, ordering: .relaxed)
      // What is first now is tried.
      state.hasFailed = false
      return state.wake()
    }
    if wakes { more.ring() }
  }

  /// Waits until one more can be taken.
  private func makeRoom() throws(Errno) {
    while try settleFirst({ $0.hasFailed || $0.pieces.count >= Self.mostPieces }) {}
  }

  private func takeBuffer() throws(Errno) -> UnsafeMutableRawBufferPointer {
    try makeRoom()
    return state.withLock { $0.free.popLast() }
      ?? .allocate(byteCount: Self.largest, alignment: Block.size)
  }

  private func put(_ piece: Piece) {
    waiting.add(piece.bytes.count, ordering: .relaxed)
    let (starts, wakes) = state.withLock { state in
      state.pieces.append(piece)
      let starts = state.thread == .none
      if starts { state.thread = .working }
      return (starts, state.wake())
    }
    if wakes { more.ring() }
    guard starts else { return }
    let hasStarted: Void? = try? WorkerThread.start { [self] in run() }
    // Without a thread they wait for who settles them.
    if hasStarted == nil { state.withLock { $0.thread = .none } }
  }

  /// Waits for the first piece, or writes it if no thread will.
  /// - Parameter isWanted: whether there is anything to be waited for.
  /// - Returns: false, having done nothing, if there is not.
  private func settleFirst(_ isWanted: (State) -> Bool) throws(Errno) -> Bool {
    enum Way { case none, wait, write(Piece) }
    let way: Way = state.withLock { state in
      guard let first = state.pieces.first, isWanted(state) else { return .none }
      guard state.isBusy else { return .write(first) }
      state.isWaitedFor = true
      return .wait
    }
    switch way {
    case .none: return false
    case .wait: done.wait()
    case .write(let piece):
      try piece.write()
      end(piece, isWritten: true)
    }
    return true
  }

  /// The first piece is written, or was refused.
  private func end(_ piece: Piece, isWritten: Bool) {
    let (rings, wakes) = state.withLock { state in
      state.hasFailed = !isWritten
      if isWritten {
        state.free(state.pieces.removeFirst().memory)
        waiting.subtract(piece.bytes.count, ordering: .relaxed)
      }
      defer { state.isWaitedFor = false }
      return (state.isWaitedFor, isWritten && !state.pieces.isEmpty && state.wake())
    }
    if rings { done.ring() }
    if wakes { more.ring() }
  }

  private func run() {
    while true {
      let next = state.withLock { state in
        let next = state.hasFailed ? nil : state.pieces.first
        if next == nil { state.thread = .resting }
        return next
      }
      if let next {
        let result = Result { () throws(Errno) in try next.write() }
        end(next, isWritten: (try? result.get()) != nil)
        continue
      }
      more.wait(milliseconds: Self.milliseconds)
      let isOver = state.withLock { state in
        guard state.thread == .resting else { return false }
        state.thread = .none
        for buffer in state.free { buffer.deallocate() }
        state.free = []
        return true
      }
      if isOver { return }
    }
  }
}
