internal import Synchronization

/// A node of the bases that has been looked at: a locator and an identity.
///
/// A directory may be in several bases at once; then what is in it is their union, topmost first.
public final class BaseNode: Sendable {
  public let id: NodeID
  let state: Mutex<State>

  struct State: Sendable {
    /// The directory and name under which it was seen first, or that it was moved to.
    var parent: NodeID
    var name: Name
    var status: BaseStatus
    /// Where it is, topmost base first; more than one only for directories, and for files with
    /// attributes in one base and content in another one below.
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
    /// What it was before commits changed it, oldest first.
    var kept: [KeptNode] = []
  }

  /// The directory and name under which it was seen first, or that a commit has moved it to.
  public var parent: NodeID { state.withLock { $0.parent } }
  public var name: Name { state.withLock { $0.name } }

  struct Place: Sendable {
    var base: Int
    var path: BasePath
    /// The state of this base's directory that listing and children were read from.
    var stamp: BaseStamp
  }

  init(id: NodeID, state: State) {
    self.id = id
    self.state = Mutex(state)
  }

  /// The directories and names under which it was seen, the first one first.
  var seenNames: [(directory: NodeID, name: Name)] {
    state.withLock { state in
      [(state.parent, state.name)] + state.otherNames + state.kept.map { ($0.parent, $0.name) }
    }
  }

  /// What the node was to values of a version; nil if it still is what the host has.
  @inline(__always)
  func kept(at version: BaseVersion) -> KeptNode? {
    state.withLock { state in
      state.kept.isEmpty ? nil : state.kept.first { $0.until > version }
    }
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
