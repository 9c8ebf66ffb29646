/// An ordered map that is a value: a copy costs one reference, and copies share all pages until one
/// of them writes, which then copies the pages on the way to what it writes, and no others.
///
/// It is a B+tree. Its pages are the unit of sharing, of `difference`, and of what a workspace
/// stores. Not thread-safe by itself, as any value: two threads may use two copies.
struct PersistentMap<Key: PageKey, Value: Sendable>: @unchecked Sendable {
  typealias Page = MapNode<Key, Value>
  private(set) var root: Page?

  init() {}

  var isEmpty: Bool { root == nil }

  /// A map that a store holds, by the record of its root page; nothing is read yet.
  init(record: UInt64, from source: PageSource<Key, Value>) {
    guard record != 0 else { return }
    let above = Page.make(isLeaf: false, room: 1)
    above.header.source = source
    above.append(.lowest, record: record)
    root = above
  }

  /// Whether both are the same pages: then they are equal; the reverse need not hold.
  func isIdentical(to other: Self) -> Bool {
    if root === other.root { return true }
    let record = record
    return record != 0 && record == other.record
  }

  /// The record of the root page; 0 if the map is empty or not stored as it is.
  var record: UInt64 {
    guard var page = root else { return 0 }
    while !page.isLeaf, page.count == 1 {
      guard let child = page.childInMemory(0) else { return page.record(ofChild: 0) }
      page = child
    }
    return page.header.record
  }

  subscript(key: Key) -> Value? {
    guard let root else { return nil }
    // The root keeps all pages alive; on the way down none is counted.
    return withExtendedLifetime(root) {
      var page = Unmanaged.passUnretained(root)
      while let next = page._withUnsafeGuaranteedRef({ $0.child(for: key) }) { page = next }
      return page._withUnsafeGuaranteedRef { page in
        let rank = page.rank(key)
        guard rank > 0, page.isLeaf, page.keys[rank - 1] == key else { return nil }
        return page.values[rank - 1]
      }
    }
  }

  /// The pair with the greatest key that is not above `key`.
  func floor(_ key: Key) -> (key: Key, value: Value)? {
    func search(_ page: Page) -> (key: Key, value: Value)? {
      if page.isLeaf {
        let rank = page.rank(key)
        return rank == 0 ? nil : (page.keys[rank - 1], page.values[rank - 1])
      }
      for index in stride(from: page.childIndex(key), through: 0, by: -1) {
        if let found = search(page.child(index)) { return found }
      }
      return nil
    }
    return root.flatMap(search)
  }

  /// Visits pairs from `start` on in order until `body` returns false.
  ///
  /// It goes by a stack of its own: a closure that is handed down a recursion is released once too
  /// often by Swift 6.3's optimizer, with what it refers to.
  func forEach<E: Error>(
    from start: Key, _ body: (Key, Value) throws(E) -> Bool
  ) throws(E) {
    guard var page = root else { return }
    var above: [(page: Page, next: Int)] = []
    // Until the first leaf, pages may begin below the start.
    var isOnEdge = true
    while true {
      if page.isLeaf {
        var index = isOnEdge ? page.rank(start) : 0
        if isOnEdge, index > 0, page.keys[index - 1] == start { index -= 1 }
        isOnEdge = false
        while index < page.count {
          if try !body(page.keys[index], page.values[index]) { return }
          index += 1
        }
      } else {
        above.append((page, isOnEdge ? page.childIndex(start) : 0))
      }
      while let last = above.last, last.next == last.page.count { above.removeLast() }
      guard let last = above.last else { return }
      above[above.count - 1].next += 1
      page = last.page.child(last.next)
    }
  }

  /// Visits all pairs in order.
  func forEach<E: Error>(_ body: (Key, Value) throws(E) -> Void) throws(E) {
    try forEach(from: .lowest) { key, value throws(E) in
      try body(key, value)
      return true
    }
  }

  mutating func setRoot(_ page: Page?) { root = page }

  /// Lends the root out for change without a second reference to it, which would force a copy.
  mutating func modifyRoot<R, E: Error>(_ change: (inout Page) throws(E) -> R) throws(E) -> R {
    guard var page = root else { preconditionFailure("an empty map has no page to change") }
    root = nil
    defer { root = page }
    return try change(&page)
  }
}
