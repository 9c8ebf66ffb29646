internal import Glibc

/// Where the bytes of a large write arrive from outside: memory that becomes a file's content as it is,
/// where that can be, instead of being copied.
///
/// Whoever takes writes has one, and another one as soon as that is taken.
public final class Landing: @unchecked Sendable {
  // Sendable: used by who takes a write, and then by the run that has taken it alone.
  public static let size = PageRun.largest * Block.size / 2

  public let bytes: UnsafeMutableRawBufferPointer
  private var memory: Memory
  private let isLast: Bool
  /// How much of the memory is a file's by now, or lent to who writes it to one.
  private var taken = 0
  /// Whether any is.
  public var isTaken: Bool { taken > 0 }
  /// Whether it is in use for a moment only. What it shares memory with is, too: all will be used again.
  private var isLent = false

  /// One that takes memory only as far as bytes arrive.
  public convenience init() {
    self.init(Memory(.allocate(byteCount: Self.size, alignment: Block.size), isMapped: false), 0)
  }

  private init(_ memory: Memory, _ place: Int) {
    self.memory = memory
    isLast = !memory.isMapped || place > 0
    bytes = UnsafeMutableRawBufferPointer(start: memory.start + place, count: Self.size)
  }

  deinit {
    // What it shares memory with may be there for long.
    if memory.isMapped, !isLent, !isKnownUniquelyReferenced(&memory) { giveBack(from: 0) }
  }

  private func giveBack(from offset: Int) {
    madvise(bytes.baseAddress.map { $0 + offset }, bytes.count - offset, MADV_DONTNEED)
  }

  /// Two of them make up the memory of a largest run.
  private final class Memory {
    let start: UnsafeMutableRawPointer
    let isMapped: Bool

    init(_ start: UnsafeMutableRawPointer, isMapped: Bool) {
      (self.start, self.isMapped) = (start, isMapped)
    }

    deinit { if isMapped { MemoryAhead.shared.giveBack(start) } else { start.deallocate() } }
  }

  /// Where to go on, after all of the write is done: it may end within a block, which is copied.
  public func next() -> Landing {
    if memory.isMapped, !isLent, taken < bytes.count { giveBack(from: taken) }
    guard isLast else { return Landing(memory, Self.size) }
    guard let start = MemoryAhead.shared.take() else { return Landing() }
    return Landing(Memory(start, isMapped: true), 0)
  }

  /// Takes the memory for blocks that begin where it begins, and are most of it.
  /// - Returns: nil if they are not.
  func take(for blocks: UnsafeRawBufferPointer) -> UnsafeMutableRawPointer? {
    guard !isTaken, let start = bytes.baseAddress, blocks.baseAddress == UnsafeRawPointer(start),
      blocks.count >= Self.size / 4 * 3
    else { return nil }
    taken = blocks.count
    return start
  }

  /// Lends the memory of these bytes, until this is let go, to who writes them to a store.
  /// - Returns: false if they are not in it, or not most of it.
  public func lend(_ blocks: UnsafeRawBufferPointer) -> Bool {
    guard take(for: blocks) != nil else { return false }
    isLent = true
    return true
  }
}
