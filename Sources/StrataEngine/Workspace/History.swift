/// One entry of the log: what one command did to one fork.
public struct Operation: Sendable {
  /// Ascending within a workspace, from 1.
  public let id: UInt64
  public let command: String
  public let time: Timestamp
  /// The fork's name.
  public let fork: String
  /// The tree before and after.
  public let before: Namespace
  public let after: Namespace
  /// What the operation's layer holds; nil if it only went back to an older value.
  public let layer: Layer?

  /// What was done in all its layers: a long operation has several when there is a store.
  public var stats: LayerStats {
    var stats = LayerStats()
    var next = layer
    while let layer = next, layer !== before.newest {
      stats += layer.stats
      next = layer.parent
    }
    return stats
  }
}

/// A fork's operations, oldest first, and those that were undone and can be done again.
struct History: Sendable {
  var done: [Operation] = []
  var undone: [Operation] = []
  /// Those that were undone and can not be done again, because something else was done instead.
  var abandoned: [Operation] = []
  /// Numbers of those that the store does not have as they are.
  var unsaved: Set<UInt64> = []
  /// Numbers of those that are to be forgotten by the store as well.
  var forgotten: [UInt64] = []
}
