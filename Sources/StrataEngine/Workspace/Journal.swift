internal import Synchronization

/// The copy-on-write events by node, so that `why` can say how a node came to be what it is.
///
/// With a store, only those that it does not have yet: ``Workspace/checkpoint(tellsFailures:)`` hands
/// them over.
final class Journal: Sendable {
  /// The most events that are kept of a node, in memory and in a store.
  static let perNode = 16
  private static let kept = EventSet([.copyUp, .redirect, .metadataCopy, .opaque])
  private let events = Mutex<[NodeID: [Event]]>([:])

  func keeps(_ kind: EventKind) -> Bool { Self.kept.contains(kind) }

  /// Keeps an event; a redirect that goes on where the last one was is added to it.
  func note(_ event: Event) {
    guard let node = event.node else { return }
    var event = event
    // They hold a state of the fork.
    event.names = nil
    events.withLock { events in
      var list = events[node] ?? []
      if let last = list.last, last.kind == .redirect, event.kind == .redirect,
        last.toLayer?.id == event.toLayer?.id
      {
        list[list.count - 1].bytes = (last.bytes ?? 0) + (event.bytes ?? 0)
      } else {
        list.append(event)
        if list.count > Self.perNode { list.removeFirst() }
      }
      events[node] = list
    }
  }

  func events(of node: NodeID) -> [Event] { events.withLock { $0[node] ?? [] } }

  /// All there are, for a store; they are forgotten here.
  func take() -> [StoredEvent] {
    let taken = events.withLock { events in
      defer { events = [:] }
      return events
    }
    return taken.sorted { $0.key < $1.key }.flatMap { $0.value.compactMap(StoredEvent.init) }
  }
}

extension StoredEvent {
  /// Nil for an event that no layer has come of.
  fileprivate init?(_ event: Event) {
    guard let node = event.node, let layer = event.toLayer else { return nil }
    self.init(
      node: node, kind: event.kind, from: event.fromLayer?.id ?? .base, to: layer.id,
      bytes: event.bytes, rule: event.rule)
  }
}

extension Fork {
  /// How a node came to be what it is in this fork: its copy-on-write events, oldest first. An event
  /// counts as long as its layer is below the fork: not after an undo, and again after a redo.
  public func provenance(of node: NodeID) throws(FileError) -> [Event] {
    let stack = Dictionary(layers.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let recent = workspace.journal.events(of: node).filter { event in
      event.toLayer.map { stack[$0.id] != nil } ?? true
    }
    guard let persistence = workspace.context.persistence else { return recent }
    return try persistence.store.events(of: node).compactMap { row in
      guard let layer = stack[row.to] else { return nil }
      var event = Event(row.kind)
      (event.node, event.bytes, event.rule) = (node, row.bytes, row.rule)
      (event.fromLayer, event.toLayer, event.fork) = (stack[row.from], layer, layer.name)
      return event
    } + recent
  }
}
