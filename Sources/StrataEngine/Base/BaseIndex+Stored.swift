internal import Synchronization

/// Nodes that a former process has looked at.
extension BaseIndex {
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
  func restore(_ row: StoredBaseNode) -> BaseNode {
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

  /// Finds nodes of a former process in a store from now on.
  /// - Parameter hasCommits: whether commits may have kept something. Without any, nothing must be known
  ///   of a table that is damaged: `check` names that.
  func recall(from store: any WorkspaceStore, hasCommits: Bool) throws(FileError) {
    stored.withLock { $0 = store }
    let row: StoredBaseNode?
    do throws(FileError) {
      if try store.hasBaseNode(numbered: BaseNumbers.exceptions) { numbers.noteException() }
      row = try store.baseNode(.root)
    } catch {
      guard error.errno == .ioError, !hasCommits else { throw error }
      numbers.noteException()
      return
    }
    // The root is known from the start; what commits have kept of it is not.
    guard let row else { return }
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
  func recall(_ key: BaseKey, _ wanted: NodeID?) -> Bool {
    guard let store = stored.withLock({ $0 }), identities.withLock({ $0[key] }) == nil else {
      return false
    }
    var identity = key.identity
    identity.device = portable(identity.device, ofBase: key.base)
    if let wanted, areNumbersInodes {
      // Whatever was looked at before has its inode's number, or had it when that was another's.
      guard storedNumbers.mayHave(wanted, in: store), let row = try? store.baseNode(wanted) else {
        return false
      }
      guard row.status.identity == identity, row.places.first?.base == key.base else { return true }
      _ = restore(row)
      return false
    }
    if let row = try? store.baseNode(base: key.base, identity) {
      _ = restore(row)
      return false
    }
    return wanted.map { (try? store.baseNode($0)) != nil } ?? false
  }
}
