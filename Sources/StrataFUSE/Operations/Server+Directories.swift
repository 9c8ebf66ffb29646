internal import StrataEngine

/// The requests on directories.
extension Server {
  /// Nothing need be open to list a directory: cookies say where a listing goes on. The handle says
  /// whether the kernel keeps what is listed.
  func openDirectory(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let attributes = try fork.attributes(of: try node(request))
    guard attributes.kind == .directory else { throw .notDirectory }
    let isKept =
      opened.isKept(request.node, changed: attributes.changed, now: fork.workspace.now, nodes)
      && !others.areThere
    reply.put(
      open: isKept ? Self.kept : 0, isKept ? [.keepsCache, .cachesDirectory] : [])
  }

  private static let kept: UInt64 = 1

  /// READDIR and READDIRPLUS: as many entries as there is room for, from a cookie on.
  func readDirectory(
    _ request: Request, _ reply: inout Reply, plus: Bool
  ) throws(FileError) {
    let directory = try node(request)
    let cookie = ListingPlaces.cookie(at: try request.long(8))
    let room = min(Int(try request.word(16)), reply.room)
    if cookie == 0 { reply.listed = directory }
    let changed = try fork.attributes(of: directory).changed
    let looks =
      plus && habits.looks(request.pid, at: request.node, fromStart: cookie == 0)
    var listing = Listing(
      room: room, plus: plus, looks: looks, places: ListingPlaces(changed: changed))
    // All begin at one place, whatever has changed. So there is only what never does.
    if cookie == 0, try request.long(0) == Self.kept {
      listing.isStart = !opened.rests(changed: changed, now: fork.workspace.now)
    }
    defer { if plus, !looks { habits.listed(listing.files, in: request.node, by: request.pid) } }
    guard looks else {
      return try fork.forEachEntry(of: directory, after: cookie) { entry throws(FileError) in
        try add(entry, of: directory, &listing, &reply)
      }
    }
    // More than there is room for.
    let entries = try fork.list(directory, after: cookie, limit: room / Listing.smallest + 1)
    try fork.learn(entries, in: directory)
    for entry in entries where try !add(entry, of: directory, &listing, &reply) { return }
  }

  /// What is said of a directory in one answer.
  private struct Listing {
    /// The size of an entry with attributes and the shortest name.
    static let smallest = attributes + 32
    /// `struct fuse_entry_out`
    static let attributes = 128

    let room: Int
    /// Whether entries have room for attributes, and whether they are to have them.
    let plus: Bool
    let looks: Bool
    let places: ListingPlaces
    /// Whether there is to be one entry, and nothing else.
    var isStart = false
    var used = 0
    /// What is no directory.
    var files = 0
    /// Names at one place are given together or not at all.
    var group = (place: UInt64.max, begin: 0, lookups: 0)
  }

  /// - Returns: false if there is no room for more.
  private func add(
    _ entry: DirectoryEntry, of directory: NodeID, _ listing: inout Listing, _ reply: inout Reply
  ) throws(FileError) -> Bool {
    if listing.isStart, listing.used > 0 { return false }
    let place = listing.places.place(of: entry.cookie)
    if place != listing.group.place {
      listing.group = (place, listing.used, reply.lookedUp.count)
    }
    let size = (listing.plus ? Listing.attributes : 0) + Reply.size(ofEntry: entry.name)
    guard listing.used + size <= listing.room else {
      let group = listing.group
      if group.begin > 0 { takeBack(&reply, group.begin, group.lookups) }
      return false
    }
    // Who lists a tree looks at its directories in any case.
    let isKnown = listing.looks || listing.plus && entry.kind == .directory
    guard
      let node = isKnown ? try found(entry, in: directory) : try number(entry, in: directory)
    else { return true }
    if isKnown {
      try put(plus: entry, node, &reply)
    } else if listing.plus {
      reply.put(zeros: Listing.attributes)
    }
    if entry.kind != .directory { listing.files += 1 }
    reply.put(entry: entry.name, entry.kind, number: reply.number(of: node), cookie: place)
    listing.used += size
    return true
  }

  private func takeBack(_ reply: inout Reply, _ place: Int, _ lookups: Int) {
    reply.rewind(to: Reply.headerSize + place)
    for number in reply.lookedUp[lookups...] { forget(number, 1) }
    reply.lookedUp.removeLast(reply.lookedUp.count - lookups)
  }

  private func number(
    _ entry: DirectoryEntry, in directory: NodeID
  ) throws(FileError) -> NodeID? {
    if let number = entry.inode { return number }
    return try found(entry, in: directory)
  }

  /// Nil for what is gone since it was listed.
  private func found(
    _ entry: DirectoryEntry, in directory: NodeID
  ) throws(FileError) -> NodeID? {
    if let node = entry.node { return node }
    do throws(FileError) {
      return try fork.lookup(entry.name, in: directory)
    } catch {
      guard error.errno == .noSuchFileOrDirectory else { throw error }
      return nil
    }
  }

  private func put(
    plus entry: DirectoryEntry, _ node: NodeID, _ reply: inout Reply
  ) throws(FileError) {
    // Without a number the kernel takes the name alone, and what it knows already it keeps.
    guard !entry.name.isDot, !entry.name.isDotDot, !nodes.holds(node),
      let attributes = try? fork.attributes(of: node)
    else {
      return reply.put(zeros: Listing.attributes)
    }
    let number = nodes.lookUp(node)
    reply.lookedUp.append(number)
    reply.put(entry: number, attributes, entry: validity(ofEntry: attributes))
  }
}
