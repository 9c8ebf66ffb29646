internal import StrataEngine

/// The requests on directories.
extension Server {
  /// A directory need not be opened where the kernel can do without: listings say where they go on.
  func openDirectory(_ request: Request, _ reply: inout Reply) throws(FileError) {
    if hasAgreed(.noOpenDirectory) { throw FileError(.noFunction) }
    guard try fork.attributes(of: try node(request)).kind == .directory else {
      throw .notDirectory
    }
    reply.put(open: 0, others.areThere ? [] : [.keepsCache, .cachesDirectory])
  }

  /// READDIR and READDIRPLUS: as many entries as there is room for, from a cookie on.
  func readDirectory(
    _ request: Request, _ reply: inout Reply, plus: Bool
  ) throws(FileError) {
    let directory = try node(request)
    let cookie = try request.long(8)
    let room = min(Int(try request.word(16)), reply.room)
    let smallest = (plus ? 128 : 0) + 32
    if cookie == 0 { reply.listed = directory }
    let entries = try fork.list(directory, after: cookie, limit: max(room / smallest, 1))
    let looks =
      plus && habits.looks(request.pid, at: request.node, fromStart: cookie == 0)
    if looks { try fork.learn(entries, in: directory) }
    var (used, files) = (0, 0)
    defer { if plus, !looks { habits.listed(files, in: request.node, by: request.pid) } }
    // Names that share a cookie are given together or not at all.
    var group = (cookie: UInt64.max, place: 0, lookups: 0)
    for entry in entries {
      if entry.cookie != group.cookie {
        group = (entry.cookie, used, reply.lookedUp.count)
      }
      let length = 24 + entry.name.count
      let size = (plus ? 128 : 0) + (length + 7) & ~7
      guard used + size <= room else {
        if group.place > 0 { takeBack(&reply, group.place, group.lookups) }
        return
      }
      // Who lists a tree looks at its directories in any case.
      let isKnown = looks || plus && entry.kind == .directory
      guard
        let node = isKnown ? try found(entry, in: directory) : try number(entry, in: directory)
      else { continue }
      if isKnown { try put(plus: entry, node, &reply) } else if plus { reply.put(zeros: 128) }
      if entry.kind != .directory { files += 1 }
      reply.put(number: node)
      reply.put(entry.cookie)
      reply.put(UInt32(entry.name.count))
      reply.put(entry.kind.modeBits >> 12)
      reply.put(entry.name)
      reply.put(zeros: size - (plus ? 128 : 0) - length)
      used += size
    }
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
      return reply.put(zeros: 128)
    }
    let number = nodes.lookUp(node)
    reply.lookedUp.append(number)
    reply.put(entry: number, attributes, entry: validity(ofEntry: attributes))
  }
}
