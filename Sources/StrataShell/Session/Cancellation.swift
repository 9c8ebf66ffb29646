internal import Synchronization

/// The request to stop what is running, as Ctrl-C makes it. May be set from a signal handler.
public final class Cancellation: Sendable {
  private let requested = Atomic(false)

  public init() {}

  public func cancel() { requested.store(true, ordering: .relaxed) }
  public func reset() { requested.store(false, ordering: .relaxed) }
  public var isCancelled: Bool { requested.load(ordering: .relaxed) }
}
