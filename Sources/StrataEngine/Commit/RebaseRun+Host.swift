/// What the host has made of a node since.
extension RebaseRun {
  enum Fate {
    /// It is there; maybe in another state, or another place.
    case here(BaseStatus)
    /// Another object of the same kind is in its place.
    case replaced(BaseNode)
    case gone
  }

  mutating func fate(of base: BaseNode) throws(FileError) -> Fate {
    if let status = try status(of: base) { return .here(status) }
    let last = base.lastStatus.kind
    let names = base.state.withLock { $0.places[0].path.names }
    var place = bases.node(.root)
    for name in names {
      guard let directory = place, directory.lastStatus.kind == .directory else { return .gone }
      place = try child(name, of: directory)
    }
    guard let place, place.id != base.id, place.lastStatus.kind == last else { return .gone }
    return .replaced(place)
  }

  /// The status now, wherever in its directory the host has moved it to; nil if it is not there.
  private mutating func status(of base: BaseNode) throws(FileError) -> BaseStatus? {
    if let status = try ifThere({ () throws(FileError) in try bases.status(of: base) }) {
      return status
    }
    guard base.id != .root, let parent = bases.node(base.parent),
      try status(of: parent) != nil, searched.insert(parent.id).inserted
    else { return nil }
    // To look at it under its new name is to find it.
    for entry in try bases.listing(of: parent) { _ = try child(entry.name, of: parent) }
    let status = try ifThere { () throws(FileError) in try bases.status(of: base) }
    if status != nil { found.insert(base.id) }
    return status
  }

  func child(_ name: Name, of directory: BaseNode) throws(FileError) -> BaseNode? {
    try ifThere { () throws(FileError) in try bases.child(name, of: directory) } ?? nil
  }

  private func ifThere<R>(_ body: () throws(FileError) -> R) throws(FileError) -> R? {
    do throws(FileError) {
      return try body()
    } catch {
      guard error.errno == .staleNFSFileHandle else { throw error }
      return nil
    }
  }

  /// Whether the base shows a node under its name, although the fork has removed or renamed it: the
  /// host has moved it.
  func isShown(_ base: BaseNode) throws(FileError) -> Bool {
    let key = EntryKey(base.parent, base.name)
    guard base.id != .root, new.entries[key] == nil, new.nodes[base.parent]?.links != 0 else {
      return false
    }
    guard let parent = bases.node(base.parent) else { return false }
    return try child(base.name, of: parent)?.id == base.id
  }

  /// Whether the host has made the same change, at whatever time: then it is none of the fork's any
  /// more.
  /// - Parameter former: when the host's was modified before; if it is so still, a time that only the
  ///   fork has set is a change of its own. Nil where the host had nothing there.
  func isSame(
    _ id: NodeID, _ node: Node, as base: BaseNode, former: Timestamp?
  ) throws(FileError) -> Bool {
    let now = base.lastStatus
    guard now.modified == node.modified || now.modified != former else { return false }
    guard now.kind == node.kind, now.mode == node.mode, now.uid == node.uid, now.gid == node.gid,
      now.links == node.links
    else { return false }
    for key in names[id, default: []] where new.entries[key]?.node == id {
      guard let directory = bases.node(key.directory),
        try child(key.name, of: directory)?.id == base.id
      else { return false }
    }
    let place = base.state.withLock { $0.places[0] }
    if let own = node.xattrs?.values {
      guard try bases.readers[place.base].extendedAttributes(of: place.path) == own else {
        return false
      }
    }
    switch node.body {
    case .file(let content):
      // Who has changed the attributes alone has what the host has in it.
      if let below = content.below, content.extents.isEmpty,
        below.limit == below.stamp.size, node.size == below.limit
      {
        return true
      }
      guard node.size == now.size else { return false }
      return try isSameContent(id, place, size: now.size)
    case .symlink(let link):
      return try bases.readers[place.base].readLink(place.path) == link.target
    case .special(_, let device, _): return device == now.device
    case .directory: return false
    }
  }

  private func isSameContent(
    _ id: NodeID, _ place: BaseNode.Place, size: Int64
  ) throws(FileError) -> Bool {
    let file = try bases.readers[place.base].open(place.path)
    let reader = old.reader(of: id)
    func bytes(
      _ count: Int, _ read: (UnsafeMutableRawBufferPointer) throws(FileError) -> Int
    ) throws(FileError) -> [UInt8] {
      var failure: FileError?
      let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        do throws(FileError) {
          initialized = try read(UnsafeMutableRawBufferPointer(buffer))
        } catch {
          failure = error
        }
      }
      if let failure { throw failure }
      return bytes
    }
    var offset: Int64 = 0
    while offset < size {
      let count = Int(min(size - offset, 1 << 16))
      let own = try ifThere { () throws(FileError) in
        try bytes(count) { buffer throws(FileError) in try reader.read(into: buffer, at: offset) }
      }
      let theirs = try bytes(count) { buffer throws(FileError) in
        try file.read(into: buffer, at: offset)
      }
      guard own == theirs else { return false }
      offset += Int64(count)
    }
    return true
  }
}
