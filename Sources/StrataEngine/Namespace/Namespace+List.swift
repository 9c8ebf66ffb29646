extension Namespace {
  private static let dotCookie: UInt64 = 1
  private static let dotDotCookie: UInt64 = 2

  /// The entries after a cookie, `.` and `..` first, then in the fixed order of names.
  ///
  /// A cookie says a place in that order, not an entry, so it stays good whatever comes and goes:
  /// what is there all the time is listed once. Names that share a cookie are not parted by the limit.
  func list(
    _ directory: NodeID, after cookie: UInt64, limit: Int
  ) throws(FileError) -> [DirectoryEntry] {
    var rows: [DirectoryEntry] = []
    try forEachEntry(of: directory, after: cookie) { entry in
      guard rows.count < limit || rows.last?.cookie == entry.cookie else { return false }
      rows.append(entry)
      return true
    }
    return rows
  }

  /// Visits what ``list(_:after:limit:)`` gives until `body` returns false.
  func forEachEntry(
    of directory: NodeID, after cookie: UInt64,
    _ body: (DirectoryEntry) throws(FileError) -> Bool
  ) throws(FileError) {
    let below = try directoryBelow(directory)
    if cookie < Self.dotCookie {
      let dot = DirectoryEntry(
        name: ".", kind: .directory, node: directory, cookie: Self.dotCookie)
      guard try body(dot) else { return }
    }
    if cookie < Self.dotDotCookie {
      let dotDot = DirectoryEntry(
        name: "..", kind: .directory, node: try parent(of: directory), cookie: Self.dotDotCookie)
      guard try body(dotDot) else { return }
    }
    guard cookie < .max else { return }
    let listed = try below.map { base throws(FileError) in
      try context.bases.listing(of: base, at: version)
    }
    let numbers = below.flatMap { context.bases.numbers(ofEntriesIn: $0) }
    try context.whole { () throws(FileError) in
      try merge(listed ?? [], numbers, of: directory, after: cookie, body)
    }
  }

  /// Looks up at once what the bases show of a listing.
  func learn(_ listed: [DirectoryEntry], in directory: NodeID) throws(FileError) {
    guard let base = try directoryBelow(directory), base.kept(at: version) == nil else { return }
    try context.bases.learn(listed.compactMap { $0.node == nil ? $0.name : nil }, of: base)
  }

  func listedNext(after directory: NodeID) -> ListedNext? {
    guard let base = try? directoryBelow(directory), base.kept(at: version) == nil else {
      return nil
    }
    return context.bases.listedNext(after: base)
  }

  /// Both sides are in the order of names; an entry of a layer hides the base's of the same name.
  private func merge(
    _ listed: [BaseEntry], _ numbers: BaseNumbers.Range?, of directory: NodeID,
    after cookie: UInt64, _ body: (DirectoryEntry) throws(FileError) -> Bool
  ) throws(FileError) {
    var index = listed.partition { $0.name.fingerprint > cookie }
    var isWanted = true
    func addBases(_ belong: (Name) -> Bool) throws(FileError) {
      while isWanted, index < listed.count, belong(listed[index].name) {
        let entry = listed[index]
        isWanted = try body(
          .init(
            name: entry.name, kind: entry.kind, node: nil, cookie: entry.name.fingerprint,
            inode: numbers?.number(of: entry.inode)))
        index += 1
      }
    }
    let start = EntryKey(startOf: directory, fingerprint: cookie + 1)
    try entries.forEach(from: start) { key, entry throws(FileError) in
      guard key.directory == directory else { return false }
      try addBases { $0 < key.name }
      if index < listed.count, listed[index].name == key.name { index += 1 }
      if isWanted, let node = entry.node, let kind = entry.kind {
        isWanted = try body(
          .init(name: key.name, kind: kind, node: node, cookie: key.fingerprint))
      }
      return isWanted
    }
    try addBases { _ in true }
  }

  /// Whether the directory shows nothing but `.` and `..`.
  func isEmpty(_ directory: NodeID) throws(FileError) -> Bool {
    try list(directory, after: Self.dotDotCookie, limit: 1).isEmpty
  }
}

extension Array {
  /// The first index of which `belongs` is true, where it is false before and true from there on.
  func partition(_ belongs: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if belongs(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
