internal import Synchronization

/// A node of the bases that has been looked at: a locator and an identity.
///
/// A directory may be in several bases at once; then what is in it is their union, topmost first.
public final class BaseNode: Sendable {
  public let id: NodeID
  /// The directory and name under which it was seen first.
  public let parent: NodeID
  public let name: Name
  let state: Mutex<State>

  struct State: Sendable {
    var status: BaseStatus
    /// Where it is, topmost base first; more than one only for directories.
    var places: [Place]
    /// The epoch in which `status` was last compared with the host.
    var epoch: UInt64
    /// Whether the workspace's store has it.
    var isStored = false
    /// Further names of a hard link that it was seen under.
    var otherNames: [(directory: NodeID, name: Name)] = []
    /// Which names were looked up, and what was there.
    var children: [Name: BaseNode?] = [:]
    var listing: [BaseEntry]?
    /// Subdirectories, where the host's link count does not tell them.
    var subdirectories: UInt32?
  }

  struct Place: Sendable {
    var base: Int
    var path: BasePath
    /// The state of this base's directory that listing and children were read from.
    var stamp: BaseStamp
  }

  init(id: NodeID, parent: NodeID, name: Name, state: State) {
    self.id = id
    self.parent = parent
    self.name = name
    self.state = Mutex(state)
  }

  /// The directories and names under which it was seen, the first one first.
  var seenNames: [(directory: NodeID, name: Name)] {
    [(parent, name)] + state.withLock { $0.otherNames }
  }

  /// As last seen; ``BaseIndex/status(of:)`` looks again.
  public var lastStatus: BaseStatus { state.withLock { $0.status } }

  /// The number of the topmost base that holds it, from 0.
  public var base: Int { state.withLock { $0.places[0].base } }
}

/// What content or attributes that are still a base's were read from.
final class Below: Sendable {
  let node: BaseNode
  /// The state of the host's file on which own blocks were laid; another state is ESTALE.
  let stamp: BaseStamp
  /// Bytes of it that show; less than its size after a truncation.
  let limit: Int64

  init(node: BaseNode, stamp: BaseStamp, limit: Int64) {
    self.node = node
    self.stamp = stamp
    self.limit = limit
  }
}
