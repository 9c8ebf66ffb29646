internal import Synchronization

/// Where a fork's files have their names, of those that have several.
///
/// Nothing leads from a node to the names that layers have given it, but for the last one. So all
/// entries are gone through, once for a node; what was found then is only looked at again, until a
/// name is missing that another entry may have.
final class LinkPlaces: Sendable {
  /// Nodes of which places are kept.
  private static let capacity = 1024
  private let state = Mutex(State())

  private struct State {
    /// Not all of them need still be right.
    var places: [NodeID: [Place]] = [:]
    /// The entries that the places were found in last, and the nodes that were looked for in them.
    var entries = PersistentMap<EntryKey, Entry>()
    var searched: Set<NodeID> = []
  }

  /// The places that lead to a node.
  func places(of id: NodeID, in value: Namespace) -> [Place] {
    var places = value.seenPlaces(of: id)
    // What no layer has changed has no name from one.
    guard let node = value.nodes[id] else { return value.valid(places, of: id) }
    let (known, isComplete) = state.withLock { state in
      (
        state.places[id] ?? [],
        state.searched.contains(id) && state.entries.isIdentical(to: value.entries)
      )
    }
    places = value.valid(places + known, of: id)
    if isComplete || places.count >= Int(node.links) { return places }
    let made = value.madePlaces(of: id)
    state.withLock { state in
      if state.places.count >= Self.capacity { state = State() }
      if !state.entries.isIdentical(to: value.entries) {
        state.entries = value.entries
        state.searched = []
      }
      state.searched.insert(id)
      state.places[id] = made
    }
    return value.valid(places + made, of: id)
  }
}

extension Namespace {
  /// Where the node was put last, and where it was seen in a base; not all need still be right.
  fileprivate func seenPlaces(of id: NodeID) -> [Place] {
    let last = nodes[id].map { Place(directory: $0.parent, name: $0.name) }
    let seen = context.bases.node(id)?.seenNames ?? []
    return [last].compactMap { $0 } + seen.map { Place(directory: $0.directory, name: $0.name) }
  }

  /// Where layers have put the node. Looks at every entry there is.
  fileprivate func madePlaces(of id: NodeID) -> [Place] {
    var places: [Place] = []
    entries.forEach(from: EntryKey(startOf: .root)) { key, entry in
      if entry.node == id { places.append(Place(directory: key.directory, name: key.name)) }
      return true
    }
    return places
  }

  /// Those of the places that lead to the node, each once.
  fileprivate func valid(_ places: [Place], of id: NodeID) -> [Place] {
    var seen: Set<Place> = []
    return places.filter { place in
      seen.insert(place).inserted && (try? find(place.name, in: place.directory)) == id
    }
  }
}
