internal import Synchronization

/// One written block in memory, up to 4 KiB; what lies behind its capacity reads as zeros.
///
/// Pages are shared between forks as processes share pages after fork(2): a page may be written in
/// place only by the fork whose top layer owns it, and only while no other value refers to it.
final class Page: @unchecked Sendable {
  let owner: LayerID
  let capacity: Int
  let bytes: UnsafeMutableRawPointer

  /// A page with room for at least `count` bytes, zeros behind the first `filled`, which whoever
  /// asks for it fills before anything else.
  init(owner: LayerID, count: Int, filled: Int = 0) {
    self.owner = owner
    capacity = count > Block.size / 2 ? Block.size : max((count + 63) & ~63, 64)
    bytes = .allocate(byteCount: capacity, alignment: 16)
    if filled < capacity {
      (bytes + filled).initializeMemory(as: UInt8.self, repeating: 0, count: capacity - filled)
    }
    Page.count(1)
  }

  deinit {
    bytes.deallocate()
    Page.count(-1)
  }

  /// A page with the same bytes and room for at least `count`.
  func copy(owner: LayerID, count: Int) -> Page {
    let twin = Page(owner: owner, count: max(count, capacity), filled: capacity)
    twin.bytes.copyMemory(from: bytes, byteCount: capacity)
    return twin
  }

  func write(_ source: UnsafeRawBufferPointer, at offset: Int) {
    guard let base = source.baseAddress else { return }
    (bytes + offset).copyMemory(from: base, byteCount: source.count)
  }

  /// Copies bytes out, zeros behind the capacity.
  func read(into target: UnsafeMutableRawBufferPointer, from offset: Int) {
    guard let start = target.baseAddress else { return }
    let held = min(max(capacity - offset, 0), target.count)
    if held > 0 { start.copyMemory(from: bytes + offset, byteCount: held) }
    if held < target.count {
      (start + held).initializeMemory(as: UInt8.self, repeating: 0, count: target.count - held)
    }
  }

  func zero(_ range: Range<Int>) {
    let end = min(range.upperBound, capacity)
    guard range.lowerBound < end else { return }
    (bytes + range.lowerBound).initializeMemory(
      as: UInt8.self, repeating: 0, count: end - range.lowerBound)
  }

  private static let live = Atomic<Int>(0)
  static func count(_ change: Int) { live.add(change, ordering: .relaxed) }
  /// Pages that exist in the process, those that runs have room for with them, for tests and `stats`.
  static var liveCount: Int { live.load(ordering: .relaxed) }
}
