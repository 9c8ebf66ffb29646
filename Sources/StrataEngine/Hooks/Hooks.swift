internal import Synchronization

/// The policy and the observers of a workspace, and which events any of them wants.
public final class Hooks: Sendable {
  private let state = Mutex(State())
  /// Bits of the events that the policy is to be asked about, and that observers are to be told.
  private let asked = Atomic<UInt32>(0)
  private let told = Atomic<UInt32>(0)
  private let lastEvent = Atomic<UInt64>(0)

  private struct State {
    var policy: (any Policy)?
    var observers: [any Observer] = []
  }

  init() {}

  public var policy: (any Policy)? {
    get { state.withLock { $0.policy } }
    set {
      state.withLock { $0.policy = newValue }
      refreshInterest()
    }
  }

  public func add(_ observer: any Observer) {
    state.withLock { $0.observers.append(observer) }
    refreshInterest()
  }

  public func remove(_ observer: any Observer) {
    state.withLock { state in state.observers.removeAll { $0 === observer } }
    refreshInterest()
  }

  /// To be called when the `interest` of a policy or an observer has changed.
  public func refreshInterest() {
    let (policy, observers) = state.withLock { ($0.policy, $0.observers) }
    asked.store(policy?.interest.rawValue ?? 0, ordering: .relaxed)
    let union = observers.reduce(into: EventSet()) { $0.formUnion($1.interest) }
    told.store(union.rawValue, ordering: .relaxed)
  }

  /// Whether anybody wants to know anything.
  public var isActive: Bool {
    asked.load(ordering: .relaxed) | told.load(ordering: .relaxed) != 0
  }

  @inline(__always)
  public func isAsked(_ kind: EventKind) -> Bool {
    EventSet(rawValue: asked.load(ordering: .relaxed)).contains(kind)
  }

  @inline(__always)
  public func isTold(_ kind: EventKind) -> Bool {
    EventSet(rawValue: told.load(ordering: .relaxed)).contains(kind)
  }

  /// Asks the policy about what is to come.
  public func ask(_ event: Event, on fork: Fork) throws(FileError) -> Verdict {
    guard let policy = state.withLock({ $0.policy }) else { return .proceed }
    var event = event
    event.id = nextEvent()
    return try policy.decide(event, on: fork)
  }

  /// Tells the observers what has happened.
  public func tell(_ event: Event, on fork: Fork) {
    var event = event
    event.id = nextEvent()
    for observer in state.withLock({ $0.observers }) where observer.interest.contains(event.kind) {
      observer.observe(event, on: fork)
    }
  }

  /// Has observers do what they have put off; before a layer is sealed.
  func catchUp() {
    guard told.load(ordering: .relaxed) != 0 else { return }
    for observer in state.withLock({ $0.observers }) { observer.catchUp() }
  }

  private func nextEvent() -> UInt64 { lastEvent.add(1, ordering: .relaxed).newValue }
}

/// What happens where no policy says otherwise.
public enum DefaultPolicy {
  /// Bytes from which on a file is redirected instead of copied up.
  public static let threshold: Int64 = 64 << 10

  static func firstWrite(size: Int64) -> (FirstWrite, rule: String) {
    size >= threshold
      ? (.redirect, "default: 64 KiB or more") : (.copyUp, "default: below 64 KiB")
  }
}
