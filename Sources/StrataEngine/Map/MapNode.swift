internal import Synchronization

/// One page of a ``PersistentMap``: a leaf with keys and values, or an inner page with children.
///
/// ```
/// inner   keys[i] <= every key below children[i] < keys[i + 1]
/// leaf    keys[i] < keys[i + 1], values[i] belongs to keys[i]
/// ```
/// It is one allocation: a header, the digests of the keys, the keys, and the values or children.
/// Searching goes by the digests, which lie close together right behind the header, because what a
/// lookup costs is the lines of memory that it touches.
///
/// A page that more than one map refers to is never changed: a writer copies it first, and with it
/// the pages on the way up to its root. Room is taken as it is needed, so that the map of a file
/// with one block is one small allocation.
///
/// A child that was not looked at since the workspace was opened is not in memory: its slot has the
/// number of its record, and whoever first needs it puts the page there.
final class MapNode<Key: PageKey, Value: Sendable>:
  ManagedBuffer<MapNodeHeader<Key, Value>, UInt64>
{
  /// Measured: fewer keys a page cost lookups, more the first write after a fork, which copies a
  /// page of each level, and of large values most of all.
  @inline(__always)
  static func maximum(isLeaf: Bool) -> Int {
    isLeaf && MemoryLayout<Value>.stride > 64 ? 16 : 32
  }

  static func make(isLeaf: Bool, room: Int) -> MapNode {
    let payload = isLeaf ? MemoryLayout<Value>.stride : MemoryLayout<UInt>.stride
    let words = room * (8 + MemoryLayout<Key>.stride + payload) / 8
    let buffer = MapNode.create(minimumCapacity: words) { _ in
      MapNodeHeader<Key, Value>(count: 0, room: Int32(room), isLeaf: isLeaf)
    }
    return unsafeDowncast(buffer, to: MapNode.self)
  }

  deinit {
    keys.deinitialize(count: count)
    if isLeaf {
      values.deinitialize(count: count)
    } else {
      for index in 0..<count { Slot.release(slots[index]) }
    }
  }

  @inline(__always) var isLeaf: Bool { header.isLeaf }
  @inline(__always) var room: Int { Int(header.room) }
  @inline(__always) var isFull: Bool { count == Self.maximum(isLeaf: isLeaf) }
  private(set) var count: Int {
    @inline(__always) get { Int(header.count) }
    @inline(__always) set { header.count = Int32(newValue) }
  }

  @inline(__always) private var digests: UnsafeMutablePointer<UInt64> {
    withUnsafeMutablePointerToElements { $0 }
  }
  @inline(__always) var keys: UnsafeMutablePointer<Key> {
    UnsafeMutableRawPointer(digests + room).assumingMemoryBound(to: Key.self)
  }
  @inline(__always) var values: UnsafeMutablePointer<Value> {
    UnsafeMutableRawPointer(keys + room).assumingMemoryBound(to: Value.self)
  }
  /// The children, each a reference to a page or the number of its record, see ``Slot``.
  @inline(__always) private var slots: UnsafeMutablePointer<UInt> {
    UnsafeMutableRawPointer(keys + room).assumingMemoryBound(to: UInt.self)
  }

  /// To change a child in its place; only for one that ``load(_:)`` has found in memory.
  @inline(__always) var children: UnsafeMutablePointer<MapNode> {
    UnsafeMutableRawPointer(slots).assumingMemoryBound(to: MapNode.self)
  }

  /// What a slot says: a counted reference, or with the lowest bit set a record's number.
  enum Slot {
    @inline(__always) static func isRecord(_ slot: UInt) -> Bool { slot & 1 != 0 }
    static func record(_ slot: UInt) -> UInt64 { UInt64(slot >> 1) }
    static func ofRecord(_ id: UInt64) -> UInt { UInt(id) << 1 | 1 }
    static func page(_ slot: UInt) -> Unmanaged<MapNode>? {
      UnsafeRawPointer(bitPattern: slot).map { Unmanaged.fromOpaque($0) }
    }
    static func retaining(_ page: MapNode) -> UInt {
      UInt(bitPattern: Unmanaged.passRetained(page).toOpaque())
    }
    static func retain(_ slot: UInt) { if !isRecord(slot) { _ = page(slot)?.retain() } }
    static func release(_ slot: UInt) { if !isRecord(slot) { page(slot)?.release() } }
  }

  /// Another thread may be putting a page into the slot; pages are read as it has left them.
  @inline(__always)
  private func slot(_ index: Int) -> UInt {
    UnsafeMutableRawPointer(slots + index).assumingMemoryBound(to: Atomic<UInt>.self)
      .pointee.load(ordering: .acquiring)
  }

  /// The record of a child, or of a page of it in memory; 0 for a page that is in no store.
  func record(ofChild index: Int) -> UInt64 {
    let slot = slot(index)
    if Slot.isRecord(slot) { return Slot.record(slot) }
    return Slot.page(slot)?._withUnsafeGuaranteedRef { $0.header.record } ?? 0
  }

  /// A child in memory; nil for one that was not looked at.
  func childInMemory(_ index: Int) -> MapNode? {
    let slot = slot(index)
    return Slot.isRecord(slot) ? nil : Slot.page(slot)?.takeUnretainedValue()
  }

  /// Makes sure that a child is in memory. Returns false for one that cannot be read, which its
  /// source notes.
  @inline(__always)
  func load(_ index: Int) -> Bool {
    let slot = slot(index)
    return !Slot.isRecord(slot) || fetch(index, slot) != nil
  }

  @inline(never)
  private func fetch(_ index: Int, _ slot: UInt) -> Unmanaged<MapNode>? {
    guard let page = header.source?.page(Slot.record(slot)) else { return nil }
    let loaded = Slot.retaining(page)
    let (isMine, current) = UnsafeMutableRawPointer(slots + index)
      .assumingMemoryBound(to: Atomic<UInt>.self).pointee
      .compareExchange(expected: slot, desired: loaded, ordering: .acquiringAndReleasing)
    if !isMine { Slot.release(loaded) }
    return Slot.page(isMine ? loaded : current)
  }

  /// A child; an empty leaf in place of one that cannot be read, which its source notes.
  func child(_ index: Int) -> MapNode {
    let slot = slot(index)
    let page = Slot.isRecord(slot) ? fetch(index, slot) : Slot.page(slot)
    return page?.takeUnretainedValue() ?? .make(isLeaf: true, room: 1)
  }

  /// Whether both are one page, in memory or in the store.
  func isSame(as other: MapNode) -> Bool {
    self === other || (header.record != 0 && header.record == other.header.record)
  }

  func copy() -> MapNode { copy(room: room) }

  private func copy(room: Int) -> MapNode {
    let twin = Self.make(isLeaf: isLeaf, room: room)
    twin.digests.initialize(from: digests, count: count)
    twin.keys.initialize(from: keys, count: count)
    if isLeaf {
      twin.values.initialize(from: values, count: count)
    } else {
      for index in 0..<count {
        let slot = slot(index)
        Slot.retain(slot)
        (twin.slots + index).initialize(to: slot)
      }
      twin.header.source = header.source
    }
    twin.count = count
    return twin
  }

  /// Replaces a page without room by a larger one.
  static func reserveOne(_ page: inout MapNode) {
    guard page.count == page.room else { return }
    let wider = min(max(page.room * 2, 4), maximum(isLeaf: page.isLeaf))
    page = page.copy(room: wider)
  }

  /// The number of keys that are not above `key`.
  @inline(__always)
  func rank(_ key: Key) -> Int {
    let digest = key.digest
    // Counting all is faster than halving: no branch to guess, no load that waits for another.
    var low = 0
    for index in 0..<count { low &+= digests[index] <= digest ? 1 : 0 }
    while low > 0, digests[low &- 1] == digest, key < keys[low &- 1] { low &-= 1 }
    return low
  }

  /// The child whose keys include `key`.
  @inline(__always)
  func childIndex(_ key: Key) -> Int { max(rank(key) &- 1, 0) }

  /// Makes the first child the place of a key that is below all others.
  func include(_ key: Key) {
    guard count > 0, key < keys[0] else { return }
    keys[0] = key
    digests[0] = key.digest
  }

  /// The child to look for a key in, without counting a reference to it; nil in a leaf, and for a
  /// child that cannot be read.
  @inline(__always)
  func child(for key: Key) -> Unmanaged<MapNode>? {
    guard !isLeaf else { return nil }
    let index = childIndex(key)
    let slot = slot(index)
    return Slot.isRecord(slot) ? fetch(index, slot) : Slot.page(slot)
  }

  private func openGap<T>(_ array: UnsafeMutablePointer<T>, at index: Int, _ element: T) {
    (array + index + 1).moveInitialize(from: array + index, count: count - index)
    (array + index).initialize(to: element)
  }

  private func closeGap<T>(_ array: UnsafeMutablePointer<T>, at index: Int) {
    (array + index).deinitialize(count: 1)
    (array + index).moveInitialize(from: array + index + 1, count: count - index - 1)
  }

  func insert(_ key: Key, _ value: Value, at index: Int) {
    assert(count < room)
    openGap(digests, at: index, key.digest)
    openGap(keys, at: index, key)
    openGap(values, at: index, value)
    count += 1
  }

  func insert(_ key: Key, child: MapNode, at index: Int) {
    assert(count < room)
    openGap(digests, at: index, key.digest)
    openGap(keys, at: index, key)
    openGap(slots, at: index, Slot.retaining(child))
    count += 1
  }

  /// Puts a child that is not in memory at the end.
  func append(_ key: Key, record: UInt64) {
    assert(count < room)
    openGap(digests, at: count, key.digest)
    openGap(keys, at: count, key)
    openGap(slots, at: count, Slot.ofRecord(record))
    count += 1
  }

  func remove(at index: Int) {
    closeGap(digests, at: index)
    closeGap(keys, at: index)
    if isLeaf {
      closeGap(values, at: index)
    } else {
      Slot.release(slots[index])
      closeGap(slots, at: index)
    }
    count -= 1
  }

  /// Moves everything from `index` on into a new page to the right.
  func split(at index: Int) -> MapNode {
    let moving = count - index
    let right = Self.make(isLeaf: isLeaf, room: Self.maximum(isLeaf: isLeaf))
    right.digests.moveInitialize(from: digests + index, count: moving)
    right.keys.moveInitialize(from: keys + index, count: moving)
    if isLeaf {
      right.values.moveInitialize(from: values + index, count: moving)
    } else {
      right.slots.moveInitialize(from: slots + index, count: moving)
      right.header.source = header.source
    }
    right.count = moving
    count = index
    return right
  }

  /// Copies the content of the page to the right, whose separator is `separator`, to the end.
  static func absorb(_ right: MapNode, separator: Key, into page: inout MapNode) {
    for index in 0..<right.count {
      reserveOne(&page)
      let end = page.count
      if page.isLeaf {
        page.insert(right.keys[index], right.values[index], at: end)
      } else {
        let slot = right.slot(index)
        Slot.retain(slot)
        let key = index == 0 ? separator : right.keys[index]
        page.openGap(page.digests, at: end, key.digest)
        page.openGap(page.keys, at: end, key)
        page.openGap(page.slots, at: end, slot)
        page.count += 1
        if page.header.source == nil { page.header.source = right.header.source }
      }
    }
  }
}

/// What a page is, in front of its content.
struct MapNodeHeader<Key: PageKey, Value: Sendable> {
  var count: Int32
  var room: Int32
  let isLeaf: Bool
  /// The store's record of the page as it is; 0 if there is none.
  var record: UInt64 = 0
  /// Where children that are not in memory come from.
  var source: PageSource<Key, Value>?

  init(count: Int32, room: Int32, isLeaf: Bool) {
    (self.count, self.room, self.isLeaf) = (count, room, isLeaf)
  }
}
