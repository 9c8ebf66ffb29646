internal import Synchronization

/// Opening files, and what is kept for those that are open.
extension Fork {
  /// Opens a node's content.
  /// - Throws: EISDIR for a directory, ENXIO for what is no regular file, ELOOP for a symlink, and
  ///   what the policy says.
  public func open(
    _ node: NodeID, _ options: OpenOptions, drops: PrivilegeDrop? = nil, by caller: Caller
  ) throws(FileError) -> OpenFile {
    try open(node, at: nil, options, drops: drops, by: caller)
  }

  /// - Parameter place: the name that the caller used; nil where that is not known.
  func open(
    _ node: NodeID, at place: Place?, _ options: OpenOptions, drops: PrivilegeDrop? = nil,
    by caller: Caller
  ) throws(FileError) -> OpenFile {
    let value = value
    switch try value.kind(node) {
    case .regular: break
    case .directory: throw .isDirectory
    case .symlink: throw FileError(.tooManySymbolicLinkLevels)
    default: throw FileError(.noSuchAddressOrDevice)
    }
    func describe(_ event: inout Event) {
      let attributes = name(node, at: place, in: value, &event)
      event.fileKind = .regular
      event.size = attributes?.size
      event.mode = attributes?.mode
    }
    try ask(.open, caller, describe)
    let generation = state.withLock { state in
      state.world.open[node, default: 0] += 1
      return state.generation
    }
    let file = OpenFile(node, at: place, options, in: self, generation: generation, by: caller)
    if value.nodes[node] == nil {
      try workspace.context.bases.refresh(node, at: value.version)
    }
    if options.contains(.truncate) {
      try file.truncate(to: 0, drops: drops)
    }
    tell(.open, caller, describe)
    return file
  }

  /// Whether a file is open in the tree that the fork shows, and not in a former one.
  public func isCurrent(_ file: OpenFile) -> Bool {
    state.withLock { $0.generation(of: file.node, since: file.generation) == $0.generation }
  }

  /// Everything acknowledged so far is durable when this returns; in memory there is nothing to do.
  public func sync() throws(FileError) { try workspace.sync() }

  func close(_ node: NodeID, _ generation: Int) {
    state.withLock { state in
      let generation = state.generation(of: node, since: generation)
      guard generation == state.generation else {
        guard var world = state.retired.removeValue(forKey: generation) else { return }
        _ = world.close(node)
        if !world.open.isEmpty { state.retired[generation] = world }
        return
      }
      if state.world.close(node), !state.isHeld(node) { state.forget(node) }
    }
  }

  /// The value that a node belongs to for who opened it in that generation.
  func value(of node: NodeID, since generation: Int) throws(FileError) -> Namespace {
    let value = state.withLock { state in
      let generation = state.generation(of: node, since: generation)
      return generation == state.generation ? state.world.value : state.retired[generation]?.value
    }
    guard let value else { throw FileError(.staleNFSFileHandle) }
    return value
  }

  /// Copy-up or redirect, as the default has it or the policy will.
  func decide(
    _ node: NodeID, at place: Place?, in value: Namespace, from: Layer?, by caller: Caller
  ) throws(FileError) -> (FirstWrite, rule: String) {
    let attributes = try value.attributes(node)
    let (choice, rule) = DefaultPolicy.firstWrite(size: attributes.size)
    let kind: EventKind = choice == .copyUp ? .copyUp : .redirect
    guard hooks.isAsked(.copyUp) || hooks.isAsked(.redirect) else { return (choice, rule) }
    var event = Event(kind)
    event.fork = name
    event.caller = caller
    event.operation = state.withLock { $0.operation?.id }
    name(node, at: place, in: value, &event)
    event.fileKind = .regular
    event.size = attributes.size
    event.mode = attributes.mode
    event.bytes = attributes.size
    event.fromLayer = from
    event.toLayer = value.top
    let verdict = try hooks.ask(event, on: self)
    if let side = verdict.route {
      try change(caller) { value, _, _ throws(FileError) in
        try value.change(node) { $0.side = side }
      }
    }
    return (verdict.firstWrite ?? choice, verdict.rule ?? rule)
  }

  /// Puts another value in the fork's place. Files that are open keep the former one, but for those
  /// that are the same in both.
  func replaceValue(with value: Namespace) { state.withLock { $0.replace(with: value) } }
}

extension Fork.State {
  mutating func replace(with value: Namespace) {
    let sealedThrough = max(world.value.sealedThrough, value.sealedThrough)
    restore(value)
    world.value.sealedThrough = sealedThrough
    if logged != nil { logged = world.value }
  }

  /// The generation whose value a node belongs to for who opened it in an earlier one: where another
  /// value has left it as it was, that one.
  func generation(of node: NodeID, since generation: Int) -> Int {
    var generation = generation
    while generation < self.generation, retired[generation]?.open[node] == nil { generation += 1 }
    return generation
  }

  /// Puts another value in the place of what there is. Files that are open keep the former one, but for
  /// those that are the same in both.
  mutating func restore(_ value: Namespace) {
    // Its open files go on in it, and what others have of it stays as it is.
    world.value.seal()
    var next = Fork.World(value: value)
    for node in world.open.keys where world.value.hasSame(node, as: value) {
      next.open[node] = world.open.removeValue(forKey: node)
      if world.orphans.remove(node) != nil { next.orphans.insert(node) }
    }
    if !world.open.isEmpty { retired[generation] = world }
    generation += 1
    world = next
    world.value.seal()
    // What was kept has its blocks in the store, unless that could not take them.
    if !isBehind { flushed = value.nodes }
  }
}

extension Fork.World {
  /// - Returns: whether the node may have no name and is open no more.
  fileprivate mutating func close(_ node: NodeID) -> Bool {
    guard let count = open[node] else { return false }
    open[node] = count > 1 ? count - 1 : nil
    return count == 1 && orphans.contains(node)
  }

  /// Lets go of a node that nobody has open or holds any more.
  mutating func forget(_ node: NodeID) {
    orphans.remove(node)
    value.forget(node)
  }
}

extension Namespace {
  /// Whether a file that has a name is in another value just as it is here.
  fileprivate func hasSame(_ node: NodeID, as other: Namespace) -> Bool {
    guard other.path(of: node) != nil else { return false }
    switch (nodes[node], other.nodes[node]) {
    case (nil, nil): return version == other.version
    case (let mine?, let its?):
      guard case .file(let content) = mine.body, case .file(let others) = its.body else {
        return false
      }
      return mine.attributes(node) == its.attributes(node) && mine.side == its.side
        && content.extents.isIdentical(to: others.extents)
        && content.below?.stamp == others.below?.stamp
        && content.below?.limit == others.below?.limit
    default: return false
    }
  }
}
