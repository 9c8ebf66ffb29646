internal import Synchronization

/// The request to stop what is running, as Ctrl-C makes it. May be set from a signal handler.
public final class Cancellation: Sendable {
  private let count = Atomic(0)

  public init() {}

  public func cancel() { count.add(1, ordering: .relaxed) }
  public func reset() { count.store(0, ordering: .relaxed) }
  public var isCancelled: Bool { times > 0 }
  /// How often it was asked for: who asks again means that once was not enough.
  public var times: Int { count.load(ordering: .relaxed) }
}
