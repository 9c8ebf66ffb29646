internal import Glibc
internal import Synchronization

/// Memory for the largest runs, had from the kernel before it is needed: the kernel clears it first,
/// which takes about as long as filling it.
///
/// Who answers programs has another thread prepare some while a large file is written.
public final class MemoryAhead: Sendable {
  public static let shared = MemoryAhead()

  private static let most = 2
  /// MADV_POPULATE_WRITE, since Linux 5.14: all of it is there, and may be written.
  private static let populate: Int32 = 23

  // Sendable: memory that nobody uses.
  private struct Spare: @unchecked Sendable { let bytes: UnsafeMutableRawPointer }
  private struct State {
    var spares: [Spare] = []
    /// Whether somebody prepares some, and releases it later.
    var isPrepared = false
  }
  private let state = Mutex(State())
  private let taken = Atomic(false)

  /// Whether memory was taken since some was prepared.
  public var isWanted: Bool { taken.load(ordering: .relaxed) }

  /// Prepares some.
  public func prepare() {
    taken.store(false, ordering: .relaxed)
    state.withLock { $0.isPrepared = true }
    while state.withLock({ $0.spares.count }) < Self.most, let bytes = Self.map() {
      madvise(bytes, Self.size, Self.populate)
      giveBack(bytes)
    }
  }

  /// Gives back what was prepared.
  public func release() {
    let spares = state.withLock { state in
      defer { state = State() }
      return state.spares
    }
    for spare in spares { Self.unmap(spare.bytes) }
  }

  // MARK: For runs

  private static var size: Int { PageRun.largest * Block.size }

  /// Memory for one run, nothing of what it holds known; nil if the kernel has none.
  func take() -> UnsafeMutableRawPointer? {
    taken.store(true, ordering: .relaxed)
    return state.withLock { $0.spares.popLast() }?.bytes ?? Self.map()
  }

  /// Gives back what was taken: it is used again where more of it is wanted.
  func giveBack(_ bytes: UnsafeMutableRawPointer) {
    let spare = Spare(bytes: bytes)
    let isKept = state.withLock { state in
      guard state.isPrepared, state.spares.count < Self.most else { return false }
      state.spares.append(spare)
      return true
    }
    if !isKept { Self.unmap(bytes) }
  }

  static func unmap(_ bytes: UnsafeMutableRawPointer) { munmap(bytes, size) }

  private static func map() -> UnsafeMutableRawPointer? {
    let (access, kind) = (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    guard let bytes = mmap(nil, size, access, kind, -1, 0), bytes != MAP_FAILED else { return nil }
    madvise(bytes, size, MADV_HUGEPAGE)
    return bytes
  }
}
