internal import Synchronization

/// The names of a file that has several, as one state of its fork has them. They are looked for when
/// somebody asks.
public final class FileNames: Sendable {
  /// Whether the event's path is the name that the caller used.
  public let isUsed: Bool
  private let node: NodeID
  private let value: Namespace
  private let places: LinkPlaces
  private let found = Mutex<[[UInt8]]?>(nil)

  init(of node: NodeID, in value: Namespace, _ places: LinkPlaces, isUsed: Bool) {
    self.node = node
    self.value = value
    self.places = places
    self.isUsed = isUsed
  }

  /// The paths that are known: those that layers have made, and those of a base that somebody has
  /// looked at.
  public var known: [[UInt8]] {
    if let known = found.withLock({ $0 }) { return known }
    let paths = places.places(of: node, in: value).compactMap { value.path(of: node, at: $0) }
    found.withLock { $0 = paths }
    return paths
  }

  /// Whether a path without links on the way leads to the file; whoever asks has looked at it then.
  public func contains(_ path: [UInt8]) -> Bool { (try? value.find(at: path)) == node }
}
