/// Which numbers programs see of a mount's nodes, as `st_ino` and in listings, where those are not the
/// engine's own: so that what is taken in anew has the same ones again.
public protocol NodeNumbering: AnyObject, Sendable {
  /// Always the same for a node, and no other node's.
  func number(of node: NodeID) -> UInt64
}
