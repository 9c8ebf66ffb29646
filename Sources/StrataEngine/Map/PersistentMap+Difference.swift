extension PersistentMap {
  /// Visits in order every key that one of the maps lacks, or whose values sit in pages that the
  /// maps do not share; pages that both refer to are skipped whole. Whether two values in unshared
  /// pages are equal is for `body` to say.
  func difference(
    from old: Self, _ body: (_ key: Key, _ old: Value?, _ new: Value?) -> Void
  ) {
    var before = Cursor(old.root)
    var after = Cursor(root)
    while true {
      if before.skipShared(with: &after) { continue }
      switch (before.key, after.key) {
      case (nil, nil): return
      case (let key?, nil):
        body(key, before.value, nil)
        before.advance()
      case (nil, let key?):
        body(key, nil, after.value)
        after.advance()
      case (let left?, let right?):
        if left < right {
          body(left, before.value, nil)
          before.advance()
        } else if right < left {
          body(right, nil, after.value)
          after.advance()
        } else {
          body(left, before.value, after.value)
          before.advance()
          after.advance()
        }
      }
    }
  }

  /// A place between two pairs: the pages from the root to a leaf, each with the index taken.
  private struct Cursor {
    private var stack: [(page: Page, index: Int)] = []

    init(_ root: Page?) {
      if let root { descend(root) }
    }

    var key: Key? { stack.last.map { $0.page.keys[$0.index] } }
    var value: Value? { stack.last.map { $0.page.values[$0.index] } }

    private mutating func descend(_ page: Page) {
      var page = page
      stack.append((page, 0))
      while !page.isLeaf {
        page = page.child(0)
        stack.append((page, 0))
      }
      // In place of a page that cannot be read there is an empty one.
      if page.count == 0 { advance() }
    }

    mutating func advance() { advance(past: 1) }

    /// Goes behind the lowest `levels` levels' current element; 1 is the pair itself.
    private mutating func advance(past levels: Int) {
      stack.removeLast(levels - 1)
      while let (page, index) = stack.last {
        if index + 1 < page.count {
          stack[stack.count - 1].index = index + 1
          if !page.isLeaf { descend(page.child(index + 1)) }
          return
        }
        stack.removeLast()
      }
    }

    /// If both stand at the start of the same page, moves both behind the highest such page.
    mutating func skipShared(with other: inout Cursor) -> Bool {
      var levels = 0
      while levels < stack.count, levels < other.stack.count {
        let mine = stack[stack.count - 1 - levels]
        let its = other.stack[other.stack.count - 1 - levels]
        guard mine.page.isSame(as: its.page), mine.index == 0, its.index == 0 else { break }
        levels += 1
      }
      guard levels > 0 else { return false }
      advance(pastPage: levels)
      other.advance(pastPage: levels)
      return true
    }

    private mutating func advance(pastPage levels: Int) {
      if levels == stack.count { stack = [] } else { advance(past: levels + 1) }
    }
  }
}
