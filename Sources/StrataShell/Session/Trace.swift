public import StrataEngine
internal import Synchronization

/// Passes copy-on-write events on as they happen, while it is switched on.
public final class Trace: Observer {
  /// The events that tell of copy-on-write.
  public static let kinds: EventSet = EventSet([
    .copyUp, .redirect, .metadataCopy, .whiteout, .opaque,
  ])

  private let hooks: Hooks
  private let sink = Mutex<(@Sendable (Event) -> Void)?>(nil)
  private let owner = Mutex<ObjectIdentifier?>(nil)

  init(hooks: Hooks) { self.hooks = hooks }

  /// Whose it is: what other sessions' commands do is left out.
  var session: ObjectIdentifier? {
    get { owner.withLock { $0 } }
    set { owner.withLock { $0 = newValue } }
  }

  public var interest: EventSet { Trace.kinds }
  public var isOn: Bool { sink.withLock { $0 != nil } }

  /// Calls `sink` for each event from now on, in the thread in which it happens.
  public func start(_ newSink: @escaping @Sendable (Event) -> Void) {
    let wasOn = sink.withLock { sink in
      defer { sink = newSink }
      return sink != nil
    }
    if !wasOn { hooks.add(self) }
  }

  public func stop() {
    let wasOn = sink.withLock { sink in
      defer { sink = nil }
      return sink != nil
    }
    if wasOn { hooks.remove(self) }
  }

  public func observe(_ event: Event, on fork: Fork) {
    if let session, RunningCommand.isOfAnother(session) { return }
    let sink = sink.withLock { $0 }
    sink?(event)
  }
}
