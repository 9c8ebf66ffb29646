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
  private let spares = Mutex<[Spare]>([])
  private let taken = Atomic(false)

  /// Whether memory was taken since some was prepared.
  public var isWanted: Bool { taken.load(ordering: .relaxed) }

  /// Prepares some.
  public func prepare() {
    taken.store(false, ordering: .relaxed)
    while spares.withLock({ $0.count }) < Self.most, let bytes = Self.map() {
      madvise(bytes, Self.size, Self.populate)
      let spare = Spare(bytes: bytes)
      spares.withLock { $0.append(spare) }
    }
  }

  /// Gives back what was prepared.
  public func release() {
    for spare in spares.withLock({ spares in
      defer { spares = [] }
      return spares
    }) {
      Self.unmap(spare.bytes)
    }
  }

  // MARK: For runs

  private static var size: Int { PageRun.largest * Block.size }

  /// Memory for one run, nothing of what it holds known; nil if the kernel has none.
  func take() -> UnsafeMutableRawPointer? {
    taken.store(true, ordering: .relaxed)
    return spares.withLock { $0.popLast() }?.bytes ?? Self.map()
  }

  static func unmap(_ bytes: UnsafeMutableRawPointer) { munmap(bytes, size) }

  private static func map() -> UnsafeMutableRawPointer? {
    let (access, kind) = (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    guard let bytes = mmap(nil, size, access, kind, -1, 0), bytes != MAP_FAILED else { return nil }
    madvise(bytes, size, MADV_HUGEPAGE)
    return bytes
  }
}
