internal import Synchronization
import SystemPackage

/// The bases as one union, and what has been looked at of it: the node numbers of base nodes, their
/// attributes and names. Shared by all forks of a workspace; not part of any value.
///
/// Node numbers belong to (base, device, inode, generation) and are never taken back, so that a
/// hard link is one node and a node keeps its number in every fork; ``BaseNumbers`` says which. Attributes and names are
/// believed within one epoch (a shell command, say) and compared with the host again, once, in the
/// next: what changed is read anew and reported to `onChange`.
///
/// Lock order: `identities`, then `byID`, then a node's own state; none is held while the host is
/// asked.
final class BaseIndex: Sendable {
  let readers: [any BaseReader]
  private let numbers: BaseNumbers
  private let identities = Mutex<[BaseKey: BaseNode]>([:])
  private let byID = Mutex<[NodeID: BaseNode]>([:])
  private let epoch = Atomic<UInt64>(1)
  private let rootNode: BaseNode
  /// The devices that the bases' roots are on.
  private let rootDevices: [UInt64]
  /// Where nodes are found that a former process has looked at; nil in memory.
  let stored = Mutex<(any WorkspaceStore)?>(nil)
  let changes = Mutex<[BaseChange]>([])
  /// Commits that were made to the bases.
  let version = Mutex<BaseVersion>(0)
  /// Reads what commits have kept.
  let keptReader = Mutex<(any BaseReader)?>(nil)
  let moves = BaseMoves()

  private struct BaseKey: Hashable {
    var base: Int
    var identity: BaseIdentity

    /// The rest hardly ever differs.
    func hash(into hasher: inout Hasher) { hasher.combine(identity.inode) }
  }

  init(_ readers: [any BaseReader], ids: IDSource) throws(FileError) {
    self.readers = readers
    var places: [BaseNode.Place] = []
    var top: BaseStatus?
    var devices: [UInt64] = []
    for (base, reader) in readers.enumerated() {
      guard let status = try reader.status(of: .empty), status.kind == .directory else {
        throw FileError(.notDirectory, reader.title)
      }
      devices.append(status.identity.device)
      places.append(.init(base: base, path: .empty, stamp: status.stamp))
      if top == nil { top = status }
      if status.isOpaque { break }
    }
    guard let top else { throw FileError(.invalidArgument, "a workspace needs a base") }
    let root = BaseNode(
      id: .root,
      state: .init(parent: .root, name: Name([]), status: top, places: places, epoch: 1))
    rootNode = root
    rootDevices = devices
    numbers = BaseNumbers(ids, devices)
    byID.withLock { $0[.root] = root }
  }

  func node(_ id: NodeID) -> BaseNode? {
    if let node = byID.withLock({ $0[id] }) { return node }
    guard let store = stored.withLock({ $0 }), let row = try? store.baseNode(id) else { return nil }
    return restore(row)
  }

  /// Forgets nothing, but compares with the host again whatever is looked at from now on.
  func startEpoch() {
    epoch.add(1, ordering: .relaxed)
    for reader in readers { reader.startEpoch() }
  }

  /// The host changes noticed since the last call.
  func takeChanges() -> [BaseChange] {
    changes.withLock { list in
      defer { list = [] }
      return list
    }
  }

  // MARK: Names

  /// The node that the bases show under a name to values of a version; nil if none does.
  @inline(__always)
  func child(
    _ name: Name, of directory: BaseNode, at version: BaseVersion
  ) throws(FileError) -> BaseNode? {
    let now = epoch.load(ordering: .relaxed)
    let known = directory.state.withLock { state in
      state.kept.isEmpty && state.epoch == now ? state.children[name] : nil
    }
    if let known { return known }
    return try moves.undisturbed { () throws(FileError) in
      for kept in directory.state.withLock({ $0.kept }) where kept.until > version {
        if let known = kept.names[name] { return known.flatMap(node) }
        if kept.isWhole { return nil }
      }
      return try child(name, of: directory)
    }
  }

  /// The same as the host has it now.
  func child(_ name: Name, of directory: BaseNode) throws(FileError) -> BaseNode? {
    try revalidate(directory)
    let (known, places) = directory.state.withLock { ($0.children[name], $0.places) }
    if let known { return known }
    let found = try findChild(name, of: directory, places)
    directory.state.withLock { $0.children[name] = .some(found) }
    return found
  }

  private func findChild(
    _ name: Name, of directory: BaseNode, _ places: [BaseNode.Place]
  ) throws(FileError) -> BaseNode? {
    if places.count == 1 {
      let (base, path) = (places[0].base, places[0].path.appending(name))
      guard let status = try readers[base].status(of: path), !status.isWhiteout else { return nil }
      // As it nearly always is.
      if status.redirect == nil, !status.hasContentBelow {
        return intern(
          name, in: directory.id, status, [.init(base: base, path: path, stamp: status.stamp)])
      }
    }
    let found = try look(for: name, in: places.map { ($0.base, $0.path) }[...])
    guard let top = found.first?.status, let last = found.last else { return nil }
    guard !last.status.hasContentBelow else {
      throw FileError(.ioError, "\(directory.name)/\(name): the content is in no lower directory")
    }
    // Of a file the first has the attributes, the last the content.
    let shown = top.kind == .directory || found.count == 1 ? found : [found[0], last]
    return intern(
      name, in: directory.id, top,
      shown.map { .init(base: $0.base, path: $0.path, stamp: $0.status.stamp) })
  }

  private typealias Spot = (base: Int, path: BasePath)

  /// What bases have under a name in a directory that is at these places: all that shows, topmost
  /// first, and for a file without content of its own all that leads to it.
  private func look(
    for name: Name, in directory: ArraySlice<Spot>
  ) throws(FileError) -> [(base: Int, path: BasePath, status: BaseStatus)] {
    var found: [(base: Int, path: BasePath, status: BaseStatus)] = []
    var (name, rest) = (name, directory)
    while let (base, parent) = rest.popFirst() {
      let path = parent.appending(name)
      guard let status = try readers[base].status(of: path) else { continue }
      if status.isWhiteout || (found.first.map { $0.status.kind != status.kind } ?? false) { break }
      found.append((base, path, status))
      if let redirect = status.redirect {
        (rest, name) = try follow(redirect, below: base, rest)
      } else if status.kind == .directory ? status.isOpaque : !status.hasContentBelow {
        break
      }
    }
    return found
  }

  /// Where the bases below one have the directory, and under which name, that a redirect leads to.
  /// - Parameter directory: where those bases have the one that the redirect is found in.
  private func follow(
    _ redirect: [UInt8], below base: Int, _ directory: ArraySlice<Spot>
  ) throws(FileError) -> (ArraySlice<Spot>, Name) {
    let names = redirect.split(separator: UInt8(ascii: "/")).map { Name($0) }
    guard let last = names.last else { return ([], Name([])) }
    guard redirect.first == UInt8(ascii: "/") else { return (directory, last) }
    var place = (base + 1..<readers.count).map { (base: $0, path: BasePath.empty) }[...]
    for name in names.dropLast() {
      place = try look(for: name, in: place).filter { $0.status.kind == .directory }.map {
        ($0.base, $0.path)
      }[...]
    }
    return (place, last)
  }

  /// Looks names up that were listed, all at once where one base shows the directory.
  func learn(_ names: [Name], of directory: BaseNode) throws(FileError) {
    try moves.undisturbed { () throws(FileError) in try learnNow(names, of: directory) }
  }

  private func learnNow(_ names: [Name], of directory: BaseNode) throws(FileError) {
    try revalidate(directory)
    let (unknown, places) = directory.state.withLock { state in
      (names.filter { state.children[$0] == nil }, state.places)
    }
    guard places.count == 1, unknown.count > 1 else { return }
    let place = places[0]
    let statuses = try readers[place.base].statuses(of: unknown, in: place.path)
    var found: [(Name, BaseNode?)] = []
    for (name, status) in zip(unknown, statuses) {
      guard let status, !status.isWhiteout else {
        found.append((name, nil))
        continue
      }
      // Leads to bases below, one by one.
      if status.redirect != nil || status.hasContentBelow { continue }
      let path = place.path.appending(name)
      found.append(
        (
          name,
          intern(
            name, in: directory.id, status,
            [.init(base: place.base, path: path, stamp: status.stamp)])
        ))
    }
    directory.state.withLock { state in
      for (name, node) in found { state.children[name] = .some(node) }
    }
  }

  private func intern(
    _ name: Name, in parent: NodeID, _ status: BaseStatus, _ places: [BaseNode.Place]
  ) -> BaseNode {
    let now = epoch.load(ordering: .relaxed)
    let key = BaseKey(base: places[0].base, identity: status.identity)
    let wanted = numbers.number(of: status.identity, inBase: key.base)
    let wasTaken = recall(key, wanted)
    let (node, isNew) = identities.withLock { known -> (BaseNode, Bool) in
      if let node = known[key], node.lastStatus.kind == status.kind {
        return (node, false)
      }
      let node = byID.withLock { byID in
        let id = known[key]?.id ?? numbers.next(wanted) { wasTaken || byID[$0] != nil }
        let node = BaseNode(
          id: id,
          state: .init(parent: parent, name: name, status: status, places: places, epoch: now))
        byID[id] = node
        return node
      }
      known[key] = node
      return (node, true)
    }
    if !isNew {
      node.state.withLock { state in
        state.status = status
        state.places = places
        state.epoch = now
        guard state.parent != parent || state.name != name else { return }
        if status.kind == .directory {
          // A directory has one place; another name of it is where the host has moved it to.
          (state.parent, state.name) = (parent, name)
          (state.children, state.listing, state.subdirectories) = ([:], nil, nil)
          return
        }
        guard !state.otherNames.contains(where: { $0 == (parent, name) }) else { return }
        state.otherNames.append((parent, name))
      }
    }
    return node
  }

  /// What numbers the entries of a directory have; nil if they must be looked at to know.
  func numbers(ofEntriesIn directory: BaseNode) -> BaseNumbers.Range? {
    // A commit gives the host's objects the numbers of the nodes that they were made from.
    guard version.withLock({ $0 }) == 0 else { return nil }
    let (places, identity) = directory.state.withLock { ($0.places, $0.status.identity) }
    return places.count == 1
      ? numbers.range(onDevice: identity.device, ofBase: places[0].base) : nil
  }

  /// The names that the bases show in a directory to values of a version, in listing order.
  func listing(
    of directory: BaseNode, at version: BaseVersion
  ) throws(FileError) -> [BaseEntry] {
    try moves.undisturbed { () throws(FileError) in
      directory.kept(at: version) == nil
        ? try listing(of: directory) : try formerListing(of: directory, at: version)
    }
  }

  private func formerListing(
    of directory: BaseNode, at version: BaseVersion
  ) throws(FileError) -> [BaseEntry] {
    let versions = directory.state.withLock { $0.kept }.filter { $0.until > version }
    var kinds: [Name: FileKind] = [:]
    let isWhole = versions.last?.isWhole == true
    if !isWhole { for entry in try listing(of: directory) { kinds[entry.name] = entry.kind } }
    for kept in versions.reversed() {
      if kept.isWhole { kinds = [:] }
      for (name, id) in kept.names {
        kinds[name] = id.flatMap(node).map {
          $0.kept(at: version)?.status.kind ?? $0.lastStatus.kind
        }
      }
    }
    return kinds.map { BaseEntry(name: $0.key, kind: $0.value) }.inListingOrder()
  }

  /// The same as the host has it now, whiteouts applied.
  func listing(of directory: BaseNode) throws(FileError) -> [BaseEntry] {
    try revalidate(directory)
    let (known, places) = directory.state.withLock { ($0.listing, $0.places) }
    if let known { return known }
    var seen: Set<Name> = []
    var merged: [BaseEntry] = []
    for place in places {
      for entry in try readers[place.base].list(place.path) {
        guard places.count == 1 || seen.insert(entry.name).inserted else { continue }
        if !entry.isWhiteout { merged.append(entry) }
      }
    }
    let listing = merged.inListingOrder()
    directory.state.withLock { $0.listing = listing }
    return listing
  }

  // MARK: What was stored

  /// A device's number that holds when the base's file system is mounted as another device: 0 for
  /// the one that the base's root is on.
  func portable(_ device: UInt64, ofBase base: Int) -> UInt64 {
    base < rootDevices.count && rootDevices[base] == device ? 0 : device &+ 1
  }

  func device(_ portable: UInt64, ofBase base: Int) -> UInt64 {
    portable == 0 && base < rootDevices.count ? rootDevices[base] : portable &- 1
  }

  /// Makes a node known that a former process has looked at. It is compared with the host before it
  /// is believed.
  private func restore(_ row: StoredBaseNode) -> BaseNode {
    // In memory it may be another object by now.
    if let known = byID.withLock({ $0[row.id] }) { return known }
    func stamp(_ stamp: BaseStamp, _ base: Int) -> BaseStamp {
      var stamp = stamp
      stamp.identity.device = device(stamp.identity.device, ofBase: base)
      return stamp
    }
    let base = row.places.first?.base ?? 0
    var status = row.status
    status.identity.device = device(status.identity.device, ofBase: base)
    // A directory above may have been moved by a commit since the row was written.
    let parents = row.id == .root ? [] : node(row.parent)?.state.withLock { $0.places } ?? []
    let places = row.places.map { place in
      let names = place.path.split(separator: UInt8(ascii: "/")).map { Name($0) }
      let parent = parents.first { $0.base == place.base }?.path
      return BaseNode.Place(
        base: place.base,
        path: parent.map { $0.appending(row.name) } ?? names.reduce(.empty) { $0.appending($1) },
        stamp: stamp(place.stamp, place.base))
    }
    if let wanted = numbers.number(of: status.identity, inBase: base), wanted != row.id,
      row.id != .root
    {
      numbers.noteException()
    }
    let kept = row.kept.map { portable($0, base) }
    let node = BaseNode(
      id: row.id,
      state: .init(
        parent: row.parent, name: row.name, status: status, places: places, epoch: 0,
        isStored: true, kept: kept))
    let key = BaseKey(base: base, identity: status.identity)
    let known = identities.withLock { known -> BaseNode in
      if status.identity == .none { return node }
      if let other = known[key], other.id == node.id { return other }
      known[key] = node
      return node
    }
    return byID.withLock { byID in
      if let other = byID[known.id] { return other }
      byID[known.id] = known
      return known
    }
  }

  /// Makes a node that a commit has made the base's known under its number.
  func adopt(_ node: BaseNode) -> BaseNode {
    let (status, base) = node.state.withLock { ($0.status, $0.places[0].base) }
    own(BaseKey(base: base, identity: status.identity), node)
    byID.withLock { $0[node.id] = node }
    return node
  }

  /// An object of the host is a node's from now on, and no other's.
  private func own(_ key: BaseKey, _ node: BaseNode) {
    numbers.noteException()
    _ = recall(key, nil)
    let former = identities.withLock { known in
      defer { known[key] = node }
      return known[key]
    }
    guard let former, former !== node else { return }
    former.state.withLock { state in
      guard state.status.identity == key.identity else { return }
      (state.status.identity, state.isStored, state.epoch) = (.none, false, 0)
    }
  }

  /// A node is another object of the host now, or in another place.
  func move(
    _ node: BaseNode, to parent: NodeID, _ name: Name, _ status: BaseStatus,
    _ places: [BaseNode.Place]
  ) {
    let isMoved = node.state.withLock { state in
      let isMoved = state.places[0].path.bytes != places[0].path.bytes
      let former = (directory: state.parent, name: state.name)
      if former != (parent, name), status.kind != .directory,
        !state.otherNames.contains(where: { $0 == former })
      {
        // A further name, if it still is one.
        state.otherNames.append(former)
      }
      (state.parent, state.name) = (parent, name)
      (state.status, state.places, state.isStored) = (status, places, false)
      (state.children, state.listing, state.subdirectories) = ([:], nil, nil)
      state.epoch = 0
      return isMoved
    }
    own(BaseKey(base: places[0].base, identity: status.identity), node)
    if isMoved, status.kind == .directory { relocate(below: node) }
  }

  /// After a directory was moved: all that was looked at below it is in another place.
  private func relocate(below directory: BaseNode) {
    var moved: Set<NodeID> = [directory.id]
    var paths: [NodeID: BasePath] = [:]
    paths[directory.id] = directory.state.withLock { $0.places[0].path }
    var waiting = Array(byID.withLock { $0.values })
    var isGrowing = true
    while isGrowing {
      isGrowing = false
      waiting.removeAll { node in
        let (parent, name) = node.state.withLock { ($0.parent, $0.name) }
        guard node.id != directory.id, moved.contains(parent), let path = paths[parent] else {
          return false
        }
        let place = path.appending(name)
        node.state.withLock { state in
          state.places[0].path = place
          state.epoch = 0
          state.isStored = false
        }
        paths[node.id] = place
        isGrowing = moved.insert(node.id).inserted || isGrowing
        return true
      }
    }
  }

  /// Finds nodes of a former process in a store from now on.
  func recall(from store: any WorkspaceStore) throws(FileError) {
    stored.withLock { $0 = store }
    if try store.hasBaseNode(numbered: BaseNumbers.exceptions) { numbers.noteException() }
    // The root is known from the start; what commits have kept of it is not.
    guard let row = try store.baseNode(.root) else { return }
    let base = row.places.first?.base ?? 0
    let kept = row.kept.map { portable($0, base) }
    rootNode.state.withLock { state in
      state.kept = kept
      state.isStored = true
    }
  }

  private func portable(_ kept: KeptNode, _ base: Int) -> KeptNode {
    var kept = kept
    kept.status.identity.device = device(kept.status.identity.device, ofBase: base)
    if let after = kept.after {
      kept.after?.identity.device = device(after.identity.device, ofBase: base)
    }
    return kept
  }

  /// Looks for an identity among what was stored, so that its node keeps its number.
  /// - Returns: whether the number that it is to have was another node's.
  private func recall(_ key: BaseKey, _ wanted: NodeID?) -> Bool {
    guard let store = stored.withLock({ $0 }), identities.withLock({ $0[key] }) == nil else {
      return false
    }
    var identity = key.identity
    identity.device = portable(identity.device, ofBase: key.base)
    if let row = try? store.baseNode(base: key.base, identity) {
      _ = restore(row)
      return false
    }
    return wanted.map { (try? store.baseNode($0)) != nil } ?? false
  }

  // MARK: Attributes

  /// What values of a version take the node to be.
  func status(
    of node: BaseNode, at version: BaseVersion
  ) throws(FileError) -> BaseStatus {
    try moves.undisturbed { () throws(FileError) in
      if let kept = node.kept(at: version) { return kept.status }
      return try status(of: node)
    }
  }

  /// The attributes as the host has them in this epoch.
  func status(of node: BaseNode) throws(FileError) -> BaseStatus {
    try revalidate(node)
    return node.lastStatus
  }

  /// What `stat` says to values of a version of a node that no layer has touched.
  func attributes(
    of node: BaseNode, at version: BaseVersion
  ) throws(FileError) -> Attributes {
    try moves.undisturbed { () throws(FileError) in try attributesNow(of: node, at: version) }
  }

  private func attributesNow(
    of node: BaseNode, at version: BaseVersion
  ) throws(FileError) -> Attributes {
    let kept = node.kept(at: version)
    let status: BaseStatus
    if let kept { status = kept.status } else { status = try self.status(of: node) }
    return Attributes(
      node: node.id, kind: status.kind, mode: status.mode,
      links: status.kind == .directory && kept == nil
        ? try directoryLinks(node, status) : status.links,
      uid: status.uid, gid: status.gid, size: status.size, blocks: status.blocks,
      device: status.device, accessed: status.accessed, modified: status.modified,
      changed: status.changed)
  }

  /// 2 and one for each subdirectory. Some hosts (btrfs, overlayfs) do not count, and no host
  /// counts across several bases; then the names are counted, once.
  private func directoryLinks(
    _ node: BaseNode, _ status: BaseStatus
  ) throws(FileError) -> UInt32 {
    let (count, known) = node.state.withLock { ($0.places.count, $0.subdirectories) }
    if count == 1, status.links >= 2 { return status.links }
    if let known { return known + 2 }
    guard let listed = try? listing(of: node) else { return max(status.links, 2) }
    let subdirectories = UInt32(listed.count { $0.kind == .directory })
    node.state.withLock { $0.subdirectories = subdirectories }
    return subdirectories + 2
  }

  /// Compares a node with the host now, as on opening a file.
  func refresh(_ id: NodeID, at version: BaseVersion) throws(FileError) {
    guard let node = node(id) else { return }
    try moves.undisturbed { () throws(FileError) in
      guard node.kept(at: version) == nil else { return }
      try compare(node, now: epoch.load(ordering: .relaxed))
    }
  }

  /// Compares with the host, once an epoch.
  private func revalidate(_ node: BaseNode) throws(FileError) {
    let now = epoch.load(ordering: .relaxed)
    if node.state.withLock({ $0.epoch }) != now { try compare(node, now: now) }
  }

  private func compare(_ node: BaseNode, now: UInt64) throws(FileError) {
    let (places, before) = node.state.withLock { ($0.places, $0.status) }
    var current: [BaseNode.Place] = []
    var top: BaseStatus?
    for place in places {
      guard let status = try readers[place.base].status(of: place.path), !status.isWhiteout,
        status.kind == before.kind
      else { continue }
      if top == nil { top = status }
      current.append(.init(base: place.base, path: place.path, stamp: status.stamp))
    }
    if top?.identity != before.identity, before.kind != .directory, try find(node, before, now) {
      return
    }
    // Of a file the content may be another base's than the attributes.
    guard let top, top.identity == before.identity,
      top.kind == .directory || current.count == places.count
    else {
      throw stale(node, was: before.identity, isNow: top?.identity)
    }
    let isSame =
      current.count == places.count && zip(current, places).allSatisfy { $0.stamp == $1.stamp }
    node.state.withLock { state in
      state.epoch = now
      state.status = top
      state.places = current
      guard !isSame else { return }
      state.children = [:]
      state.listing = nil
      state.subdirectories = nil
    }
    if !isSame {
      changes.withLock { $0.append(BaseChange(node: node, before: before, after: top)) }
    }
  }

  /// Looks for a file under the further names that it was seen under, when one is gone.
  func find(
    _ node: BaseNode, _ before: BaseStatus, _ now: UInt64
  ) throws(FileError) -> Bool {
    for (parent, name) in node.state.withLock({ $0.otherNames }) {
      guard let place = self.node(parent)?.state.withLock({ $0.places[0] }) else { continue }
      let path = place.path.appending(name)
      guard let status = try readers[place.base].status(of: path),
        status.identity == before.identity
      else { continue }
      node.state.withLock { state in
        (state.parent, state.name) = (parent, name)
        state.otherNames.removeAll { $0 == (parent, name) }
        state.places = [.init(base: place.base, path: path, stamp: status.stamp)]
        (state.status, state.epoch) = (status, now)
      }
      return true
    }
    return false
  }

  private func stale(
    _ node: BaseNode, was: BaseIdentity, isNow now: BaseIdentity?
  ) -> FileError {
    let (place, parent) = (node.state.withLock { $0.places[0] }, self.node(node.parent))
    parent?.state.withLock { $0.children[node.name] = nil }
    let path = String(decoding: place.path.bytes, as: UTF8.self)
    let seen = "the host's \(path) was inode \(was.inode)"
    return FileError(
      .staleNFSFileHandle, now.map { "\(seen), is inode \($0.inode)" } ?? "\(seen), is gone")
  }
}

/// A change of a base, made by somebody else, that was noticed on looking again.
public struct BaseChange: Sendable {
  public let node: BaseNode
  public let before: BaseStatus
  public let after: BaseStatus
}
