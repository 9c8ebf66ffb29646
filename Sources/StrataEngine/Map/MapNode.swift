/// One page of a ``PersistentMap``: a leaf with keys and values, or an inner page with children.
///
/// ```
/// inner   keys[i] <= every key below children[i] < keys[i + 1]     (keys[0] is not looked at)
/// leaf    keys[i] < keys[i + 1], values[i] belongs to keys[i]
/// ```
/// A page that more than one map refers to is never changed: a writer copies it first, and with it
/// the pages on the way up to its root. Room is taken as it is needed, so that the map of a file
/// with one block is one small allocation.
final class MapNode<Key: Comparable, Value> {
  /// The most keys of a page; measured: 16 costs lookups, 64 costs the first write after a fork.
  static var maximum: Int { 32 }

  private(set) var count = 0
  private(set) var capacity = 0
  private(set) var keys: UnsafeMutablePointer<Key>
  private(set) var values: UnsafeMutablePointer<Value>
  private(set) var children: UnsafeMutablePointer<MapNode>
  let isLeaf: Bool

  init(isLeaf: Bool, capacity: Int) {
    self.isLeaf = isLeaf
    self.capacity = capacity
    keys = .allocate(capacity: capacity)
    values = .allocate(capacity: isLeaf ? capacity : 0)
    children = .allocate(capacity: isLeaf ? 0 : capacity)
  }

  deinit {
    keys.deinitialize(count: count)
    keys.deallocate()
    if isLeaf { values.deinitialize(count: count) } else { children.deinitialize(count: count) }
    values.deallocate()
    children.deallocate()
  }

  func copy() -> MapNode {
    let twin = MapNode(isLeaf: isLeaf, capacity: capacity)
    twin.keys.initialize(from: keys, count: count)
    if isLeaf {
      twin.values.initialize(from: values, count: count)
    } else {
      twin.children.initialize(from: children, count: count)
    }
    twin.count = count
    return twin
  }

  /// The number of keys that are not above `key`.
  @inline(__always)
  func rank(_ key: Key) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low &+ high) >> 1
      if key < keys[middle] { high = middle } else { low = middle &+ 1 }
    }
    return low
  }

  /// The child whose keys include `key`.
  @inline(__always)
  func childIndex(_ key: Key) -> Int { max(rank(key) &- 1, 0) }

  private func reserveOne() {
    guard count == capacity else { return }
    let wider = min(max(capacity * 2, 4), Self.maximum)
    keys = Self.moved(keys, count, to: wider)
    if isLeaf {
      values = Self.moved(values, count, to: wider)
    } else {
      children = Self.moved(children, count, to: wider)
    }
    capacity = wider
  }

  private static func moved<T>(
    _ source: UnsafeMutablePointer<T>, _ count: Int, to capacity: Int
  ) -> UnsafeMutablePointer<T> {
    let target = UnsafeMutablePointer<T>.allocate(capacity: capacity)
    target.moveInitialize(from: source, count: count)
    source.deallocate()
    return target
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
    reserveOne()
    openGap(keys, at: index, key)
    openGap(values, at: index, value)
    count += 1
  }

  func insert(_ key: Key, child: MapNode, at index: Int) {
    reserveOne()
    openGap(keys, at: index, key)
    openGap(children, at: index, child)
    count += 1
  }

  func remove(at index: Int) {
    closeGap(keys, at: index)
    if isLeaf { closeGap(values, at: index) } else { closeGap(children, at: index) }
    count -= 1
  }

  /// Moves everything from `index` on into a new page to the right.
  func split(at index: Int) -> MapNode {
    let moving = count - index
    let right = MapNode(isLeaf: isLeaf, capacity: Self.maximum)
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

  /// Copies the content of the page to the right, whose first separator is `separator`, to the end.
  func absorb(_ right: MapNode, separator: Key) {
    for index in 0..<right.count {
      if isLeaf {
        insert(right.keys[index], right.values[index], at: count)
      } else {
        insert(index == 0 ? separator : right.keys[index], child: right.children[index], at: count)
      }
    }
  }
}
