internal import Synchronization
import SystemPackage

/// The bases as one union, and what has been looked at of it: the node numbers of base nodes, their
/// attributes and names. Shared by all forks of a workspace; not part of any value.
///
/// Node numbers belong to (base, device, inode, generation) and are never taken back, so that a
/// hard link is one node and a node keeps its number in every fork; ``BaseNumbers`` says which.
/// Attributes and names are believed within one epoch (a shell command, say) and compared with the host
/// again, once, in the next: what changed is read anew and reported to ``takeChanges()``.
///
/// Lock order: `identities`, then `byID`, then a node's own state; none is held while the host is
/// asked.
final class BaseIndex: Sendable {
  let readers: [any BaseReader]
  let numbers: BaseNumbers
  let identities = Mutex<[BaseKey: BaseNode]>([:])
  let byID = Mutex<[NodeID: BaseNode]>([:])
  let epoch = Atomic<UInt64>(1)
  let rootNode: BaseNode
  /// The devices that the bases' roots are on.
  let rootDevices: [UInt64]
  /// Where nodes are found that a former process has looked at; nil in memory.
  let stored = Mutex<(any WorkspaceStore)?>(nil)
  let storedNumbers = StoredNumbers()
  let changes = Mutex<[BaseChange]>([])
  /// Commits that were made to the bases.
  let version = Mutex<BaseVersion>(0)
  /// Reads what commits have kept.
  let keptReader = Mutex<(any BaseReader)?>(nil)
  let moves = BaseMoves()

  struct BaseKey: Hashable {
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

  func intern(
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

  /// Whether whatever can have its inode's number has it. A commit gives the host's objects the numbers
  /// of the nodes that they were made from.
  var areNumbersInodes: Bool { !numbers.hasException && version.withLock { $0 } == 0 }

  /// What numbers the entries of a directory have; nil if they must be looked at to know.
  func numbers(ofEntriesIn directory: BaseNode) -> BaseNumbers.Range? {
    guard areNumbersInodes else { return nil }
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
}

/// A change of a base, made by somebody else, that was noticed on looking again.
public struct BaseChange: Sendable {
  public let node: BaseNode
  public let before: BaseStatus
  public let after: BaseStatus
}
