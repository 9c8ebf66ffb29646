extension Namespace {
  private static let dotCookie: UInt64 = 1
  private static let dotDotCookie: UInt64 = 2

  /// The entries after a cookie, `.` and `..` first, then in the fixed order of names.
  ///
  /// A cookie says a place in that order, not an entry, so it stays good whatever comes and goes:
  /// what is there all the time is listed once.
  func list(
    _ directory: NodeID, after cookie: UInt64, limit: Int
  ) throws(FileError) -> [DirectoryEntry] {
    let below = try directoryBelow(directory)
    var rows: [DirectoryEntry] = []
    if cookie < Self.dotCookie, rows.count < limit {
      rows.append(
        .init(name: ".", kind: .directory, node: directory, cookie: Self.dotCookie))
    }
    if cookie < Self.dotDotCookie, rows.count < limit {
      rows.append(
        .init(
          name: "..", kind: .directory, node: try parent(of: directory),
          cookie: Self.dotDotCookie))
    }
    guard rows.count < limit, cookie < .max else { return rows }
    let listed = try below.map { base throws(FileError) in
      try context.bases.listing(of: base, at: version)
    }
    let numbers = below.flatMap { context.bases.numbers(ofEntriesIn: $0) }
    return try context.whole {
      merge(listed ?? [], numbers, of: directory, after: cookie, limit: limit, into: &rows)
      return rows
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
    after cookie: UInt64, limit: Int, into rows: inout [DirectoryEntry]
  ) {
    var index = listed.partition { $0.name.fingerprint > cookie }
    rows.reserveCapacity(rows.count + min(limit, listed.count - index))
    func addBase(_ entry: BaseEntry) {
      rows.append(
        .init(
          name: entry.name, kind: entry.kind, node: nil, cookie: entry.name.fingerprint,
          inode: numbers?.number(of: entry.inode)))
    }
    let start = EntryKey(startOf: directory, fingerprint: cookie + 1)
    entries.forEach(from: start) { key, entry in
      guard key.directory == directory else { return false }
      while index < listed.count, listed[index].name < key.name {
        guard !isFull(rows, limit, next: listed[index].name) else { return false }
        addBase(listed[index])
        index += 1
      }
      guard !isFull(rows, limit, next: key.name) else { return false }
      if index < listed.count, listed[index].name == key.name { index += 1 }
      if let node = entry.node, let kind = entry.kind {
        rows.append(.init(name: key.name, kind: kind, node: node, cookie: key.fingerprint))
      }
      return true
    }
    while index < listed.count, !isFull(rows, limit, next: listed[index].name) {
      addBase(listed[index])
      index += 1
    }
  }

  /// Names that share a fingerprint share a cookie, so they are never parted.
  private func isFull(_ rows: [DirectoryEntry], _ limit: Int, next: Name) -> Bool {
    rows.count >= limit && rows.last?.cookie != next.fingerprint
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
