/// Blocks of a large write in memory, one behind the other in one piece.
///
/// It is shared between forks as a ``Page`` is, and by the same rule. The extents that refer to it show
/// parts of it, each at the place in the file where it was written; a write into the midst of a run
/// that may not be changed makes other blocks, and leaves what the extents still show of it.
///
/// The largest ones are as large as the pages that x86-64 and arm64 have beside those of 4 KiB, and are
/// taken from the kernel as one: a fault for each 4 KiB costs several times what copying them does
/// (`Documentation/admin-guide/mm/transhuge.rst`).
final class PageRun: @unchecked Sendable {
  /// Blocks of the largest run.
  static let largest = (2 << 20) / Block.size

  let owner: LayerID
  /// The file's block that it begins with, and how many there is room for.
  let first: UInt64
  let room: Int
  private let bytes: UnsafeMutableRawPointer
  private let isMapped: Bool
  /// What the bytes belong to, if they have come by it.
  private let landing: Landing?

  init(owner: LayerID, first: UInt64, room: Int) {
    (self.owner, self.first, self.room, landing) = (owner, first, room, nil)
    let count = room * Block.size
    if room == Self.largest, let mapped = MemoryAhead.shared.take() {
      (bytes, isMapped) = (mapped, true)
    } else {
      (bytes, isMapped) = (.allocate(byteCount: count, alignment: 16), false)
    }
    Page.count(room)
  }

  /// Of what has landed, which is the blocks from `first` on. There is no more room in it than those
  /// take.
  init(
    owner: LayerID, first: UInt64, count: Int, in landing: Landing,
    at bytes: UnsafeMutableRawPointer
  ) {
    (self.owner, self.first, room, self.landing) = (owner, first, count, landing)
    (self.bytes, isMapped) = (bytes, false)
    Page.count(room)
  }

  deinit {
    Page.count(-room)
    guard landing == nil else { return }
    if isMapped { MemoryAhead.unmap(bytes) } else { bytes.deallocate() }
  }

  /// The number of the first block behind it.
  var end: UInt64 { first + UInt64(room) }

  private func place(of offset: Int64) -> UnsafeMutableRawPointer {
    bytes + Int(offset - Int64(first) * Int64(Block.size))
  }

  /// Writes bytes at an offset of the file.
  func write(_ source: UnsafeRawBufferPointer, at offset: Int64) {
    guard let base = source.baseAddress else { return }
    place(of: offset).copyMemory(from: base, byteCount: source.count)
  }

  /// Copies bytes out from an offset of the file on.
  func read(into target: UnsafeMutableRawBufferPointer, at offset: Int64) {
    guard !target.isEmpty else { return }
    target.copyMemory(from: UnsafeRawBufferPointer(start: place(of: offset), count: target.count))
  }

  func withBytes(of blocks: Range<UInt64>, _ body: (UnsafeRawBufferPointer) -> Void) {
    let start = place(of: Int64(blocks.lowerBound) * Int64(Block.size))
    body(UnsafeRawBufferPointer(start: start, count: blocks.count * Block.size))
  }

  /// One of its blocks by itself.
  func page(_ block: UInt64, owner: LayerID) -> Page {
    let page = Page(owner: owner, count: Block.size, filled: Block.size)
    read(into: page.buffer(Block.size), at: Int64(block) * Int64(Block.size))
    return page
  }
}
