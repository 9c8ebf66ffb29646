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
final class MapNode<Key: PageKey, Value>: ManagedBuffer<MapNodeHeader, UInt64> {
  /// Measured: fewer keys a page cost lookups, more the first write after a fork, which copies a
  /// page of each level, and of large values most of all.
  @inline(__always)
  static func maximum(isLeaf: Bool) -> Int {
    isLeaf && MemoryLayout<Value>.stride > 64 ? 16 : 32
  }

  static func make(isLeaf: Bool, room: Int) -> MapNode {
    let payload = isLeaf ? MemoryLayout<Value>.stride : MemoryLayout<MapNode>.stride
    let words = room * (8 + MemoryLayout<Key>.stride + payload) / 8
    let buffer = MapNode.create(minimumCapacity: words) { _ in
      MapNodeHeader(count: 0, room: Int32(room), isLeaf: isLeaf)
    }
    return unsafeDowncast(buffer, to: MapNode.self)
  }

  deinit {
    keys.deinitialize(count: count)
    if isLeaf { values.deinitialize(count: count) } else { children.deinitialize(count: count) }
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
  @inline(__always) var children: UnsafeMutablePointer<MapNode> {
    UnsafeMutableRawPointer(keys + room).assumingMemoryBound(to: MapNode.self)
  }

  func copy() -> MapNode { copy(room: room) }

  private func copy(room: Int) -> MapNode {
    let twin = Self.make(isLeaf: isLeaf, room: room)
    twin.digests.initialize(from: digests, count: count)
    twin.keys.initialize(from: keys, count: count)
    if isLeaf {
      twin.values.initialize(from: values, count: count)
    } else {
      twin.children.initialize(from: children, count: count)
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

  /// The child to look for a key in, without counting a reference to it; nil in a leaf.
  @inline(__always)
  func child(for key: Key) -> Unmanaged<MapNode>? {
    guard !isLeaf else { return nil }
    return UnsafeRawPointer(children + childIndex(key)).load(as: Unmanaged<MapNode>.self)
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
    openGap(children, at: index, child)
    count += 1
  }

  func remove(at index: Int) {
    closeGap(digests, at: index)
    closeGap(keys, at: index)
    if isLeaf { closeGap(values, at: index) } else { closeGap(children, at: index) }
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
      right.children.moveInitialize(from: children + index, count: moving)
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
        let key = index == 0 ? separator : right.keys[index]
        page.insert(key, child: right.children[index], at: end)
      }
    }
  }
}

/// What a page is, in front of its content.
struct MapNodeHeader {
  var count: Int32
  var room: Int32
  let isLeaf: Bool
}

/// A key of a ``PersistentMap``.
protocol PageKey: Comparable, Sendable {
  /// 64 bits in the order of the keys: of two keys the smaller has no greater digest.
  var digest: UInt64 { get }
}

extension UInt64: PageKey {
  var digest: UInt64 { self }
}

extension NodeID: PageKey {
  var digest: UInt64 { rawValue }
}
