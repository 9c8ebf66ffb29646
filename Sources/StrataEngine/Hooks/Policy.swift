/// How the first write to something from below is done.
public enum FirstWrite: Equatable, Sendable {
  /// Take the whole content to the top, then write.
  case copyUp
  /// Take only the blocks written, in units of `block` bytes (a power of two, 4096 or more).
  case redirect(block: Int)

  public static let redirect = FirstWrite.redirect(block: Block.size)
}

/// What a policy makes of an event that is about to happen. To refuse, it throws a ``FileError``.
public struct Verdict: Sendable {
  /// For a first write; nil leaves it to the default.
  public var firstWrite: FirstWrite?
  /// The side layer that the node is to live in.
  public var route: SideLayerID?
  /// How a conflict of a merge is settled, or for the merge as a whole, all that nobody else settles.
  public var merge: MergeChoice?
  /// What decided, for `why`.
  public var rule: String?

  public init(
    firstWrite: FirstWrite? = nil, route: SideLayerID? = nil, merge: MergeChoice? = nil,
    rule: String? = nil
  ) {
    self.firstWrite = firstWrite
    self.route = route
    self.merge = merge
    self.rule = rule
  }

  public static let proceed = Verdict()
}

/// Chooses copy-up, redirect, route or deny. Asked before the engine takes any lock, so it may call
/// the fork itself; what it does there is not asked about again.
public protocol Policy: AnyObject, Sendable {
  /// The events it wants to be asked about; others cost one test of a bit.
  var interest: EventSet { get }

  /// - Parameter event: the event to come; for a first write its kind is the choice so far
  ///   (`copyUp` or `redirect`).
  /// - Throws: the refusal, which the operation fails with, having changed nothing.
  func decide(_ event: Event, on fork: Fork) throws(FileError) -> Verdict
}

/// Is told what has happened, after it has.
public protocol Observer: AnyObject, Sendable {
  var interest: EventSet { get }
  func observe(_ event: Event, on fork: Fork)

  /// Called before a layer is sealed, without any lock: an observer that puts off what it is told of
  /// programs does it now.
  func catchUp()
}

extension Observer {
  public func catchUp() {}
}
