internal import StrataSystem

/// A place of the host that is held open: by the path that people know, and by one that leads there
/// through the descriptor. A fork may be mounted over the first meanwhile; who serves that mount and
/// went by it would wait for itself.
public struct HeldPath: Sendable {
  /// For people, and for other processes.
  public let shown: [UInt8]
  /// For this process, as long as this is there.
  public let path: [UInt8]
  private let held: Descriptor?

  private init(shown: [UInt8], path: [UInt8], _ held: Descriptor?) {
    (self.shown, self.path, self.held) = (shown, path, held)
  }

  /// A place over which nothing is mounted.
  public init(_ path: [UInt8]) { self.init(shown: path, path: path, nil) }

  init(shown: [UInt8], _ directory: Descriptor) {
    self.init(
      shown: shown, path: Array("/proc/self/fd/\(directory.rawValue)/.".utf8), directory)
  }

  /// The same place under another path for people.
  public func shown(as path: [UInt8]) -> HeldPath { HeldPath(shown: path, path: self.path, held) }

  /// What has a name in the directory.
  public func appending(_ name: [UInt8]) -> HeldPath {
    let tail = [UInt8(ascii: "/")] + name
    return HeldPath(
      shown: shown == [UInt8(ascii: "/")] ? tail : shown + tail, path: path + tail, held)
  }

  /// The place that another path leads to, if that goes by this one's.
  func reached(by other: [UInt8]) -> HeldPath? {
    let start = shown == [UInt8(ascii: "/")] ? shown : shown + [UInt8(ascii: "/")]
    guard other.starts(with: start) else { return nil }
    return appending(Array(other[start.count...]))
  }
}
