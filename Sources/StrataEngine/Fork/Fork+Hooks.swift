internal import Synchronization

/// How an operation asks, changes and tells.
extension Fork {
  var hooks: Hooks { workspace.hooks }

  /// Asks the policy, if it wants to know; `fill` is called only then.
  @inline(__always)
  @discardableResult
  func ask(
    _ kind: EventKind, _ caller: Caller, _ fill: (inout Event) -> Void
  ) throws(FileError) -> Verdict {
    guard hooks.isAsked(kind) else { return .proceed }
    return try hooks.ask(event(kind, caller, fill), on: self)
  }

  @inline(__always)
  func tell(_ kind: EventKind, _ caller: Caller, _ fill: (inout Event) -> Void) {
    guard hooks.isTold(kind) else { return }
    hooks.tell(event(kind, caller, fill), on: self)
  }

  private func event(
    _ kind: EventKind, _ caller: Caller, _ fill: (inout Event) -> Void
  ) -> Event {
    var event = Event(kind)
    event.fork = name
    event.caller = caller
    event.operation = state.withLock { $0.operation?.id }
    fill(&event)
    return event
  }

  /// Says in an event which file it is about.
  /// - Parameter place: the name that the caller used; nil where that is not known.
  /// - Returns: the file's attributes, if it has any.
  @discardableResult
  func name(
    _ node: NodeID, at place: Place?, in value: Namespace, _ event: inout Event
  ) -> Attributes? {
    event.node = node
    let attributes = try? value.attributes(node)
    guard let attributes, attributes.links > 1, attributes.kind != .directory else {
      event.path = value.path(of: node) ?? []
      return attributes
    }
    let used = place.flatMap { value.path(of: node, at: $0) }
    event.path = used ?? value.path(of: node) ?? []
    event.names = FileNames(of: node, in: value, linkPlaces, isUsed: used != nil)
    return attributes
  }

  /// Changes the fork's value, then tells what came of it.
  /// - Parameter place: the name that the caller used of the file that is changed, if it is known.
  func change<R: Sendable>(
    _ caller: Caller, at place: Place? = nil, rule: String? = nil,
    _ body: (inout Namespace, (NodeID) -> Bool, inout [Effect]) throws(FileError) -> R
  ) throws(FileError) -> R {
    try change(of: nil, since: 0, caller, at: place, rule: rule, body)
  }

  /// The same in the value that a node belongs to for who opened it in that generation.
  func change<R: Sendable>(
    of node: NodeID?, since generation: Int, _ caller: Caller, at place: Place? = nil,
    rule: String? = nil,
    _ body: (inout Namespace, (NodeID) -> Bool, inout [Effect]) throws(FileError) -> R
  ) throws(FileError) -> R {
    try workspace.checkWritable()
    var effects: [Effect] = []
    let health = workspace.context.persistence?.health
    let damage = health?.count
    let result = try state.withLock { state throws(FileError) -> R in
      let failures = health?.count
      defer {
        // A change that met a page that cannot be read has gone wrong.
        if let failures, health?.count != failures, let saved = state.saved {
          state.restore(saved)
        }
      }
      let generation = node.map { state.generation(of: $0, since: generation) } ?? state.generation
      guard generation != state.generation else {
        let (open, holders) = (state.world.open, state.holders)
        var kept: [NodeID] = []
        defer { if !kept.isEmpty { state.world.orphans.formUnion(kept) } }
        func isHeld(_ node: NodeID) -> Bool {
          guard open[node] != nil || holders.contains(where: { $0.holds(node) }) else {
            return false
          }
          kept.append(node)
          return true
        }
        do throws(FileError) {
          return try body(&state.world.value, isHeld, &effects)
        } catch {
          if error.isLackOfRoom { state.refusal = error }
          throw error
        }
      }
      guard var world = state.retired.removeValue(forKey: generation) else {
        throw FileError(.staleNFSFileHandle)
      }
      defer { state.retired[generation] = world }
      return try body(&world.value, { world.open[$0] != nil }, &effects)
    }
    if let health, let failures = damage { try health.check(since: failures) }
    for effect in effects { tell(effect, caller, at: place, rule) }
    return result
  }

  private func tell(_ effect: Effect, _ caller: Caller, at place: Place?, _ rule: String?) {
    let isKept = workspace.journal.keeps(effect.kind)
    guard isKept || hooks.isTold(effect.kind) else { return }
    let value = value
    let event = event(effect.kind, caller) { event in
      event.node = effect.node
      event.bytes = effect.bytes
      event.fromLayer = effect.from
      event.toLayer = effect.to ?? value.newest
      event.rule = rule
      guard hooks.isTold(effect.kind) else { return }
      if let directory = effect.directory, let name = effect.name {
        event.path = value.path(of: name, in: directory)
      } else {
        name(effect.node, at: place, in: value, &event)
      }
      event.fileKind = try? value.kind(effect.node)
    }
    if isKept { workspace.journal.note(event) }
    if hooks.isTold(effect.kind) { hooks.tell(event, on: self) }
  }
}
