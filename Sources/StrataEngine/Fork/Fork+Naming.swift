/// The operations on names.
extension Fork {
  /// Makes a node under a name that is free.
  /// - Parameter mode: permission bits, the umask already taken off.
  /// - Throws: EEXIST, ENOTDIR, ENOENT for a removed directory, ENAMETOOLONG, EINVAL.
  public func create(
    _ name: Name, in directory: NodeID, _ new: NewNode, mode: UInt32, by caller: Caller
  ) throws(FileError) -> NodeID {
    func describe(_ event: inout Event) {
      event.path = value.path(of: name, in: directory)
      if case .symlink(let target) = new { event.path2 = target }
      event.fileKind = new.kind
      event.mode = mode
    }
    let verdict = try ask(.create, caller, describe)
    if hooks.isAsked(.opaque), new == .directory,
      let hidden = try value.showsBelow(name, in: directory),
      hidden.lastStatus.kind == .directory
    {
      try ask(.opaque, caller, describe)
    }
    let node = try change(caller, rule: verdict.rule) {
      value, _, effects throws(FileError) in
      try value.create(
        name, in: directory, new, mode: mode, side: verdict.route ?? .none, by: caller, &effects)
    }
    tell(.create, caller) { event in
      describe(&event)
      event.node = node
      event.toLayer = value.newest
      event.rule = verdict.rule
    }
    return node
  }

  /// Makes a file without a name, which is gone when nobody has it open any more unless
  /// ``link(_:as:in:isRevived:by:)`` gives it one.
  /// - Throws: ENOTDIR, ENOENT for a removed directory.
  public func createUnnamed(
    in directory: NodeID, mode: UInt32, by caller: Caller
  ) throws(FileError) -> NodeID {
    func describe(_ event: inout Event) {
      event.path = value.path(of: directory) ?? []
      event.fileKind = .regular
      event.mode = mode
    }
    try ask(.create, caller, describe)
    let node = try change(caller) { value, _, _ throws(FileError) in
      try value.createUnnamed(in: directory, mode: mode, by: caller)
    }
    state.withLock { _ = $0.world.orphans.insert(node) }
    return node
  }

  /// Gives a node a further name.
  /// - Parameter isRevived: whether a node without any may get one: who calls knows that it was made
  ///   so, and not removed.
  /// - Throws: EPERM for a directory, EEXIST, ENOENT, ENOTDIR.
  public func link(
    _ node: NodeID, as name: Name, in directory: NodeID, isRevived: Bool = false,
    by caller: Caller
  ) throws(FileError) {
    func describe(_ event: inout Event) {
      event.node = node
      event.path = value.path(of: node) ?? []
      event.path2 = value.path(of: name, in: directory)
    }
    try ask(.link, caller, describe)
    try change(caller) { value, _, effects throws(FileError) in
      try value.link(node, as: name, in: directory, isRevived: isRevived)
    }
    tell(.link, caller, describe)
  }

  /// Removes a name that is not a directory's.
  /// - Throws: ENOENT, ENOTDIR, EISDIR.
  public func unlink(
    _ name: Name, in directory: NodeID, by caller: Caller
  ) throws(FileError) {
    try remove(name, in: directory, caller) { value, isOpen, effects throws(FileError) in
      try value.unlink(name, in: directory, isOpen: isOpen, &effects)
    }
  }

  /// Removes an empty directory.
  /// - Throws: ENOENT, ENOTDIR, ENOTEMPTY, EBUSY for the root.
  public func removeDirectory(
    _ name: Name, in directory: NodeID, by caller: Caller
  ) throws(FileError) {
    try remove(name, in: directory, caller) { value, isOpen, effects throws(FileError) in
      try value.removeDirectory(name, in: directory, isOpen: isOpen, &effects)
    }
  }

  private func remove(
    _ name: Name, in directory: NodeID, _ caller: Caller,
    _ body: (inout Namespace, (NodeID) -> Bool, inout [Effect]) throws(FileError) -> Void
  ) throws(FileError) {
    let isWatched = hooks.isAsked(.remove) || hooks.isAsked(.whiteout) || hooks.isTold(.remove)
    var described = Event(.remove)
    if isWatched {
      let value = value
      let node = try value.lookup(name, in: directory)
      described.node = node
      described.path = value.path(of: name, in: directory)
      described.fileKind = try value.kind(node)
      described.size = try value.attributes(node).size
    }
    func describe(_ event: inout Event) {
      (event.node, event.path) = (described.node, described.path)
      (event.fileKind, event.size) = (described.fileKind, described.size)
    }
    try ask(.remove, caller, describe)
    if hooks.isAsked(.whiteout), try value.showsBelow(name, in: directory) != nil {
      try ask(.whiteout, caller, describe)
    }
    try change(caller, body)
    tell(.remove, caller, describe)
  }

  /// Moves a node to another name; directories of any size, from below too, in O(1).
  /// - Throws: ENOENT, EEXIST, EINVAL, ENOTDIR, EISDIR, ENOTEMPTY, EBUSY; never EXDEV.
  public func rename(
    _ name: Name, in directory: NodeID, to newName: Name, in newDirectory: NodeID,
    _ flags: RenameFlags = [], by caller: Caller
  ) throws(FileError) {
    func describe(_ event: inout Event, _ value: Namespace) {
      event.path = value.path(of: name, in: directory)
      event.path2 = value.path(of: newName, in: newDirectory)
    }
    var verdict = Verdict.proceed
    if hooks.isAsked(.rename) || hooks.isAsked(.whiteout) {
      let value = value
      let node = try value.lookup(name, in: directory)
      verdict = try ask(.rename, caller) { event in
        describe(&event, value)
        event.node = node
        event.fileKind = try? value.kind(node)
      }
      if !flags.contains(.exchange), hooks.isAsked(.whiteout),
        try value.showsBelow(name, in: directory) != nil
      {
        try ask(.whiteout, caller) { $0.path = value.path(of: name, in: directory) }
      }
    }
    var routes = try routes(of: name, in: directory, as: newName, in: newDirectory, by: caller)
    if flags.contains(.exchange) {
      routes += try self.routes(
        of: newName, in: newDirectory, as: name, in: directory, by: caller)
    }
    try change(caller, rule: verdict.rule) { value, isOpen, effects throws(FileError) in
      try value.rename(
        Place(directory: directory, name: name), to: Place(directory: newDirectory, name: newName),
        flags, isOpen: isOpen, &effects)
      for (node, side) in routes where value.nodes[node] != nil {
        try value.change(node) { $0.side = side }
      }
    }
    tell(.rename, caller) { event in
      let value = value
      describe(&event, value)
      event.node = try? value.lookup(newName, in: newDirectory)
    }
  }
}
