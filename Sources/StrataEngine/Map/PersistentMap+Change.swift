extension PersistentMap {
  /// Sets the value of a key.
  mutating func insert(_ key: Key, _ value: Value) {
    guard root != nil else {
      let leaf = Page.make(isLeaf: true, room: 1)
      leaf.insert(key, value, at: 0)
      setRoot(leaf)
      return
    }
    modifyRoot { page in
      guard let right = Self.insert(key, value, into: &page, isLast: true) else { return }
      let taller = Page.make(isLeaf: false, room: 4)
      taller.insert(page.keys[0], child: page, at: 0)
      taller.insert(right.keys[0], child: right, at: 1)
      page = taller
    }
  }

  /// Changes the value of a key in its place. Returns nil, having called nothing, if there is none.
  mutating func update<R, E: Error>(
    _ key: Key, _ change: (inout Value) throws(E) -> R
  ) throws(E) -> R? {
    guard self[key] != nil else { return nil }
    return try modifyRoot { page throws(E) in
      let place = Self.place(of: key, in: &page)
      defer { withExtendedLifetime(page) {} }
      return try change(&place.pointee)
    }
  }

  /// Removes a key; whether it was there.
  @discardableResult
  mutating func remove(_ key: Key) -> Bool {
    guard self[key] != nil else { return false }
    modifyRoot { Self.remove(key, from: &$0) }
    while let page = root, !page.isLeaf, page.count == 1, page.load(0) { setRoot(page.child(0)) }
    if root?.count == 0 { setRoot(nil) }
    return true
  }

  private static func makeUnique(_ page: inout Page) {
    if isKnownUniquelyReferenced(&page) {
      // It is about to differ from its record.
      page.header.record = 0
    } else {
      page = page.copy()
    }
  }

  /// Inserts below `page`; returns the page to put to its right if it had to be split.
  private static func insert(
    _ key: Key, _ value: Value, into page: inout Page, isLast: Bool
  ) -> Page? {
    makeUnique(&page)
    let index: Int
    if page.isLeaf {
      index = page.rank(key)
      if index > 0, page.keys[index - 1] == key {
        page.values[index - 1] = value
        return nil
      }
      guard page.isFull else {
        Page.reserveOne(&page)
        page.insert(key, value, at: index)
        return nil
      }
    } else {
      let child = page.childIndex(key)
      guard page.load(child) else { return nil }
      page.include(key)
      let last = isLast && child == page.count - 1
      guard let right = insert(key, value, into: &page.children[child], isLast: last) else {
        return nil
      }
      index = child + 1
      guard page.isFull else {
        Page.reserveOne(&page)
        page.insert(right.keys[0], child: right, at: index)
        return nil
      }
      return insertSplitting(&page, at: index, isLast: isLast) { target, at in
        target.insert(right.keys[0], child: right, at: at)
      }
    }
    return insertSplitting(&page, at: index, isLast: isLast) { target, at in
      target.insert(key, value, at: at)
    }
  }

  /// Splits a full page and inserts on the side that `index` falls on. Growth at the very end, as
  /// by ascending node numbers, leaves full pages behind instead of half-full ones.
  private static func insertSplitting(
    _ page: inout Page, at index: Int, isLast: Bool, _ insert: (Page, Int) -> Void
  ) -> Page {
    let middle = isLast && index == page.count ? page.count : page.count / 2
    let right = page.split(at: middle)
    if index > middle || right.count == 0 {
      insert(right, index - middle)
    } else {
      insert(page, index)
    }
    return right
  }

  /// Where the value of a key is, in pages that no other map refers to. The caller has found the
  /// key: all pages on the way are in memory.
  private static func place(of key: Key, in page: inout Page) -> UnsafeMutablePointer<Value> {
    makeUnique(&page)
    if page.isLeaf { return page.values + (page.rank(key) - 1) }
    return place(of: key, in: &page.children[page.childIndex(key)])
  }

  private static func remove(_ key: Key, from page: inout Page) {
    makeUnique(&page)
    if page.isLeaf {
      page.remove(at: page.rank(key) - 1)
      return
    }
    let index = page.childIndex(key)
    remove(key, from: &page.children[index])
    let count = page.children[index].count
    if count == 0 {
      page.remove(at: index)
    } else if count < Page.maximum(isLeaf: page.children[index].isLeaf) / 4 {
      if index + 1 < page.count {
        merge(&page, index)
      } else if index > 0 {
        merge(&page, index - 1)
      }
    }
  }

  /// Makes one page of the children `left` and `left + 1` where both together leave room to grow.
  private static func merge(_ page: inout Page, _ left: Int) {
    guard page.load(left), page.load(left + 1) else { return }
    let right = page.child(left + 1)
    guard page.children[left].count + right.count <= Page.maximum(isLeaf: right.isLeaf) * 3 / 4
    else { return }
    makeUnique(&page.children[left])
    Page.absorb(right, separator: page.keys[left + 1], into: &page.children[left])
    page.remove(at: left + 1)
  }
}
