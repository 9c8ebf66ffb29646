/// The identity of a node, which programs see as `st_ino`. It stays through copy-up, rename, fork.
public struct NodeID: Hashable, Comparable, Sendable {
  public let rawValue: UInt64
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }
  public static let root = NodeID(1)
  /// Where nodes that no base has begin, when the numbers below are the host's inodes.
  public static let firstOwn: UInt64 = 1 << 40
  @inline(__always)
  public static func < (a: NodeID, b: NodeID) -> Bool { a.rawValue < b.rawValue }
}

/// A layer's number, never given twice in a workspace. 0 stands for the bases.
public struct LayerID: Hashable, Comparable, Sendable {
  public let rawValue: UInt64
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }
  public static let base = LayerID(0)
  public static func < (a: LayerID, b: LayerID) -> Bool { a.rawValue < b.rawValue }
}

/// A fork's number, never given twice in a workspace; `main` is 1.
public struct ForkID: Hashable, Comparable, Sendable {
  public let rawValue: UInt32
  public init(_ rawValue: UInt32) { self.rawValue = rawValue }
  public static let main = ForkID(1)
  public static func < (a: ForkID, b: ForkID) -> Bool { a.rawValue < b.rawValue }
}

/// A side layer's number; 0 is no side layer, that is, the fork's own top.
public struct SideLayerID: Hashable, Sendable {
  public let rawValue: UInt16
  public init(_ rawValue: UInt16) { self.rawValue = rawValue }
  public static let none = SideLayerID(0)
}
