internal import Synchronization
internal import SystemPackage

/// Forks over one set of bases, with their hooks and their log.
public final class Workspace: Sendable {
  public let hooks = Hooks()
  let context: NamespaceContext
  let journal = Journal()
  let state = Mutex(State())
  struct State: Sendable {
    var forks: [ForkID: Fork] = [:]
    var forksByName: [String: Fork] = [:]
    var lastOperation: UInt64 = 0
    /// The numbers of the operations under way; one that comes to nothing is given again.
    private var underWay: Set<UInt64> = []
    var sideLayers: [SideLayer] = []
    /// Forks that were dropped since the last checkpoint.
    var dropped: [ForkID] = []
    var savedSideLayers = 0
    /// Nodes of the bases that a commit has changed since the last checkpoint.
    var changedBaseNodes: Set<NodeID> = []
    /// Why a fork's last operation could not be kept, until somebody is told.
    var failures: [ForkID: FileError] = [:]
    /// Whether something was done that makes room or takes back: the next checkpoint may use the
    /// reserve of the store for it.
    var mayUseReserve = false

    /// A number that no other operation has, those of other forks at the same time included.
    mutating func beginOperation() -> UInt64 {
      let id = max(lastOperation, underWay.max() ?? 0) + 1
      underWay.insert(id)
      return id
    }

    mutating func endOperation(_ id: UInt64, isLogged: Bool) {
      underWay.remove(id)
      if isLogged { note(id) }
    }

    /// A log has the number: it is given to no other operation.
    mutating func note(_ id: UInt64) { lastOperation = max(lastOperation, id) }

    mutating func add(_ fork: Fork) {
      forks[fork.id] = fork
      forksByName[fork.name] = fork
    }
  }

  /// Opens a workspace over bases, topmost first. Nothing is read but the bases' roots, and of a
  /// store the rows of forks and the numbers of operations.
  /// - Parameters:
  ///   - store: what makes it durable; nil keeps everything in memory.
  ///   - keepsInodes: whether nodes of bases have the host's inode numbers. A store goes on as it was
  ///     made.
  ///   - clock: nanoseconds since 1970 for everything that is made or changed.
  /// - Throws: ENOTDIR for a base that is no directory, EINVAL for none, and what the store says.
  public init(
    bases: [any BaseReader], store: (any WorkspaceStore)? = nil, keepsInodes: Bool = false,
    clock: @escaping @Sendable () -> Timestamp
  ) throws(FileError) {
    let ids = IDSource(keepsInodes: keepsInodes)
    let index = try BaseIndex(bases, ids: ids)
    let persistence = store.map { Persistence($0, bases: index, ids: ids) }
    context = NamespaceContext(bases: index, ids: ids, persistence: persistence, clock: clock)
    if let persistence {
      let stored = try persistence.store.open()
      try index.recall(
        from: persistence.store, hasCommits: stored.map { $0.counters.version > 0 } ?? false)
      if let stored {
        try restore(stored, from: persistence)
        return
      }
    }
    let value = Namespace(context: context, fork: ids.nextFork(), name: "main")
    let main = Fork(value, parent: nil, in: self)
    state.withLock { $0.add(main) }
    try checkpoint()
  }

  /// The bases, topmost first.
  public var bases: [any BaseReader] { context.bases.readers }

  /// Now, by the workspace's clock.
  public var now: Timestamp { context.clock() }

  /// Whether anything can be changed in it.
  /// - Throws: EROFS for a workspace on disk that can only be read.
  public func checkWritable() throws(FileError) { try context.persistence?.store.checkWritable() }

  // MARK: Forks

  /// All forks, oldest first.
  public var forks: [Fork] { state.withLock { $0.forks.values.sorted { $0.id < $1.id } } }

  /// The first fork. It cannot be dropped.
  public var main: Fork {
    guard let main = state.withLock({ $0.forks[.main] }) else {
      preconditionFailure("a workspace has its main fork from the start to the end")
    }
    return main
  }

  public func fork(named name: String) -> Fork? { state.withLock { $0.forksByName[name] } }

  /// Makes a fork, in O(1): parent and child share everything until one of them writes.
  /// - Parameter operation: the operation after which the child begins; the newest if nil.
  /// - Throws: EEXIST for a name that is taken, EINVAL for one that no fork may have, ENOENT for an
  ///   operation that the parent's log does not hold.
  @discardableResult
  public func fork(
    _ parent: Fork, named name: String, at operation: UInt64? = nil, by caller: Caller = .superuser
  ) throws(FileError) -> Fork {
    guard Self.isValidForkName(name) else {
      throw FileError(.invalidArgument, saying: "a fork's name has letters, digits and . _ - only")
    }
    if fork(named: name) != nil { throw .exists }
    try checkWritable()
    func describe(_ event: inout Event) { event.path2 = Array(name.utf8) }
    try parent.ask(.fork, caller, describe)
    if operation == nil {
      for holder in parent.state.withLock({ $0.holders }) { holder.writeBack() }
      hooks.catchUp()
    }
    let child = Fork(
      try value(of: parent, at: operation, forking: name), parent: parent.id, in: self)
    let isTaken = state.withLock { state in
      if state.forksByName[name] != nil { return true }
      state.add(child)
      return false
    }
    if isTaken { throw .exists }
    parent.tell(.fork, caller, describe)
    return child
  }

  /// Makes a fork that shows the bases as they are, and nothing of any other fork.
  /// - Throws: EEXIST.
  public func bareFork(named name: String) throws(FileError) -> Fork {
    let value = Namespace(context: context, fork: context.ids.nextFork(), name: name)
    return try add(Fork(value, parent: nil, in: self))
  }

  /// Makes a fork that stays as another one is now, to be read from and dropped: policies and
  /// observers hear nothing of it.
  /// - Throws: EEXIST, and what the store says.
  public func snapshot(of fork: Fork, named name: String) throws(FileError) -> Fork {
    var value = try fork.state.withLock { state throws(FileError) in
      try state.flush()
      return state.world.value
    }
    return try add(Fork(value.makeFork(named: name), parent: fork.id, in: self))
  }

  private func add(_ fork: Fork) throws(FileError) -> Fork {
    try state.withLock { state throws(FileError) in
      if state.forksByName[fork.name] != nil { throw .exists }
      state.add(fork)
      return fork
    }
  }

  private func value(
    of parent: Fork, at operation: UInt64?, forking name: String
  ) throws(FileError) -> Namespace {
    guard let operation else {
      return try parent.state.withLock { state throws(FileError) in
        try state.flush()
        var child = state.world.value.makeFork(named: name)
        for node in state.world.orphans { child.forget(node) }
        return child
      }
    }
    guard let found = parent.operation(operation) else {
      throw FileError(
        .noSuchFileOrDirectory, saying: "operation \(operation) is not in the log of \(parent.name)"
      )
    }
    var value = found.after
    return value.makeFork(named: name)
  }

  /// Drops a fork, and with it whatever only it refers to.
  /// - Throws: EBUSY for `main` and for one that is mounted or has a run, ENOENT for one that was
  ///   dropped already.
  public func drop(_ fork: Fork) throws(FileError) {
    guard fork.id != .main else { throw FileError(.resourceBusy, saying: "main cannot be dropped") }
    if fork.state.withLock({ !$0.holders.isEmpty }) {
      throw FileError(
        .resourceBusy, saying: "fork \(fork.name) is mounted, or a program runs in it")
    }
    try checkWritable()
    let isKnown = state.withLock { state in
      guard state.forks.removeValue(forKey: fork.id) != nil else { return false }
      state.forksByName[fork.name] = nil
      state.dropped.append(fork.id)
      state.mayUseReserve = true
      return true
    }
    guard isKnown else { throw .notFound }
  }

  /// Whether a fork may have a name: 1 to 100 letters, digits and `.`, `_`, `-`, neither `.` nor `-` first.
  public static func isValidForkName(_ name: String) -> Bool {
    guard !name.isEmpty, name.utf8.count <= 100, !name.hasPrefix("-"), !name.hasPrefix(".") else {
      return false
    }
    return name.utf8.allSatisfy { byte in
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte)
    }
  }

  // MARK: The host

  /// Looks at the bases again instead of trusting what was seen: called before each command.
  public func startEpoch() { context.bases.startEpoch() }

  /// What others have changed in the bases, as far as it was noticed since the last call: paths
  /// inside the base.
  public func takeBaseChanges() -> [BaseChange] { context.bases.takeChanges() }

  /// The hook behind fsync: a workspace on disk makes everything acknowledged durable.
  func sync() throws(FileError) { try checkpoint() }
}
