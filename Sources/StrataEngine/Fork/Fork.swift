internal import Synchronization

/// A named line of work: a namespace value, and the layer that its writes go to.
///
/// The operations are those of a kernel's file system, by node and name; a path-level view with
/// permission checks is ``Client``. Any thread may call them. Each asks the policy first, without a
/// lock, then changes the value under the fork's lock, then tells the observers.
///
/// Lock order: a fork's state, then the base index. No two forks are locked at once.
public final class Fork: Sendable {
  public let id: ForkID
  public let name: String
  /// The fork that it was made from.
  public let parent: ForkID?
  /// Must outlive its forks: it holds them, they only know it.
  public unowned let workspace: Workspace
  let state: Mutex<State>
  /// Held while holders are told whether there are others; comes before the state.
  let sharing = Mutex(())
  let linkPlaces = LinkPlaces()

  struct State: Sendable {
    var world: World
    /// Counts the times the value was put in another's place, by undo for example.
    var generation = 0
    /// Former values that files are still open in; to those files they look unlinked.
    var retired: [Int: World] = [:]
    /// The value when the fork was made.
    var origin: Namespace
    var history = History()
    /// The operation under way, if any.
    var operation: UnfinishedOperation?
    /// The nodes when their blocks were handed to the store last.
    var flushed = PersistentMap<NodeID, Node>()
    /// Whether the store could not take blocks, so that values of the log may have some in memory.
    var isBehind = false
    /// The value that the store has; nil if it has none of this fork.
    var saved: Namespace?
    /// Who knows nodes by number: mounts.
    var holders: [any NodeHolder] = []
    /// Whether there were any since the operation under way began: programs have been told that what
    /// they did is done.
    var wasHeld = false
    /// Why a write of that operation was refused, if it was for want of room.
    var refusal: FileError?
    /// The value that the log has led to, while there are holders: what differs from it now, programs
    /// have done.
    var logged: Namespace? {
      didSet {
        if let outside { giveUp(outside) }
        outside = nil
      }
    }
    /// That, once the store has some of it.
    var outside: UnfinishedOperation?

    /// Lets go of a node without a name that nobody has open or holds any more. That is no change of
    /// what the fork shows, and so none for the log.
    mutating func forget(_ node: NodeID) {
      let isLogged = logged.map { world.value.isUnchanged(since: $0) } ?? false
      world.forget(node)
      if isLogged { logged = world.value }
    }

    /// Whether a node must outlive its last name.
    func isHeld(_ node: NodeID) -> Bool {
      world.open[node] != nil || holders.contains { $0.holds(node) }
    }
  }

  /// A value and how often each of its nodes is open.
  struct World: Sendable {
    var value: Namespace
    var open: [NodeID: Int] = [:]
    /// Nodes that have lost their last name (or may have) while somebody had them open or held them.
    var orphans: Set<NodeID> = []
  }

  init(_ value: Namespace, parent: ForkID?, in workspace: Workspace) {
    id = value.fork
    name = value.forkName
    self.parent = parent
    self.workspace = workspace
    // Whoever makes a fork has handed its blocks to the store before.
    state = Mutex(State(world: World(value: value), origin: value, flushed: value.nodes))
  }

  /// The tree as it is now: a snapshot that no later write changes but, where there is a store, those
  /// large ones that come before its layer is closed.
  public var value: Namespace { state.withLock { $0.world.value } }

  /// The tree as it was when the fork was made.
  public var origin: Namespace { state.withLock { $0.origin } }

  /// Whether anything was changed since the fork was made.
  public var isDirty: Bool { state.withLock { !$0.world.value.isUnchanged(since: $0.origin) } }

  // MARK: Looking

  /// - Throws: ENOENT, ENOTDIR, ENAMETOOLONG, and what the base throws.
  public func lookup(_ name: Name, in directory: NodeID) throws(FileError) -> NodeID {
    try value.lookup(name, in: directory)
  }

  /// - Throws: ESTALE for a node that is not in the fork.
  public func attributes(of node: NodeID) throws(FileError) -> Attributes {
    try value.attributes(node)
  }

  /// The entries after a cookie, `.` and `..` first.
  /// - Throws: ENOTDIR, EACCES where the base's directory may not be read.
  public func list(
    _ directory: NodeID, after cookie: UInt64 = 0, limit: Int = .max
  ) throws(FileError) -> [DirectoryEntry] {
    try value.list(directory, after: cookie, limit: limit)
  }

  /// Visits the entries after a cookie, `.` and `..` first, until `body` returns false.
  /// - Throws: ENOTDIR, EACCES where the base's directory may not be read, and what `body` throws.
  public func forEachEntry(
    of directory: NodeID, after cookie: UInt64,
    _ body: (DirectoryEntry) throws(FileError) -> Bool
  ) throws(FileError) {
    try value.forEachEntry(of: directory, after: cookie, body)
  }

  /// Asks the base for the attributes of listed entries in one go: for who looks at all of them next.
  public func learn(_ entries: [DirectoryEntry], in directory: NodeID) throws(FileError) {
    try value.learn(entries, in: directory)
  }

  /// What who lists a directory will probably list next.
  public func listedNext(after directory: NodeID) -> ListedNext? {
    value.listedNext(after: directory)
  }

  /// - Throws: EINVAL for what is no symlink.
  public func readLink(_ node: NodeID) throws(FileError) -> [UInt8] { try value.readLink(node) }

  public func extendedAttributes(of node: NodeID) throws(FileError) -> [Name: [UInt8]] {
    try value.extendedAttributes(node)
  }

  /// When a base's object was made that the node is; nil where nobody knows.
  public func birth(of node: NodeID) -> Timestamp? {
    let born = value.context.bases.node(node)?.lastStatus.born ?? 0
    return born == 0 ? nil : born
  }

  /// A path to the node; nil for one that has no name in this fork.
  public func path(of node: NodeID) -> [UInt8]? { value.path(of: node) }

  // MARK: Plugins' own data

  /// What a plugin keeps with this tree; forks and undoes like the tree.
  public func annotation(plugin: String, key: String) -> [UInt8]? {
    value.annotations?.values[plugin]?[key]
  }

  public func annotationKeys(plugin: String) -> [String] {
    value.annotations?.values[plugin].map { $0.keys.sorted() } ?? []
  }

  public func setAnnotation(plugin: String, key: String, _ data: [UInt8]?) {
    state.withLock { state in
      var values = state.world.value.annotations?.values ?? [:]
      values[plugin, default: [:]][key] = data
      state.world.value.annotations = Annotations(values)
    }
  }
}
