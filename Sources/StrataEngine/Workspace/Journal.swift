internal import Synchronization

/// The copy-on-write events by node, so that `why` can say how a node came to be what it is.
final class Journal: Sendable {
  private static let perNode = 16
  private static let kept = EventSet([.copyUp, .redirect, .metadataCopy, .opaque])
  private let events = Mutex<[NodeID: [Event]]>([:])

  func keeps(_ kind: EventKind) -> Bool { Self.kept.contains(kind) }

  /// Keeps an event; a redirect that goes on where the last one was is added to it.
  func note(_ event: Event) {
    guard let node = event.node else { return }
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
}
