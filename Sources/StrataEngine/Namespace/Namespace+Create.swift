/// What to make under a new name.
public enum NewNode: Equatable, Sendable {
  case regular
  case directory
  /// A symbolic link with its target, which is not interpreted.
  case symlink([UInt8])
  /// A device, FIFO or socket; `device` counts for the first two kinds only.
  case special(FileKind, device: UInt64)

  public var kind: FileKind {
    switch self {
    case .regular: .regular
    case .directory: .directory
    case .symlink: .symlink
    case .special(let kind, _): kind
    }
  }
}

extension Namespace {
  /// Makes a node under a name that is free.
  /// - Parameter mode: permission bits as they are to be, the umask already taken off.
  /// - Throws: EEXIST, ENOTDIR, ENOENT for a directory that was removed, ENAMETOOLONG, EINVAL.
  mutating func create(
    _ name: Name, in directory: NodeID, _ new: NewNode, mode: UInt32, side: SideLayerID,
    by caller: Caller, _ effects: inout [Effect]
  ) throws(FileError) -> NodeID {
    let parent = try checkDirectory(directory)
    try checkNew(name)
    if try find(name, in: directory) != nil { throw .exists }
    let now = context.clock()
    let hidden = try showsBelow(name, in: directory)
    let layer = writableTop()
    let id = context.ids.nextNode()
    nodes.insert(id, node(new, mode, caller, name, in: directory, parent, layer, side, now))
    show(id, new.kind, as: name, in: directory)
    try touchDirectory(directory, links: new.kind == .directory ? 1 : 0, at: now)
    layer.count { $0.created += 1 }
    if new.kind == .directory, let hidden, hidden.lastStatus.kind == .directory {
      layer.count { $0.opaques += 1 }
      effects.append(
        Effect(kind: .opaque, node: id, directory: directory, name: name, to: layer))
    }
    return id
  }

  private func node(
    _ new: NewNode, _ mode: UInt32, _ caller: Caller, _ name: Name, in directory: NodeID,
    _ parent: Node, _ layer: Layer, _ side: SideLayerID, _ now: Timestamp
  ) -> Node {
    var mode = mode & 0o7777
    let inheritsGroup = parent.mode & 0o2000 != 0
    var size: Int64 = 0
    let body: Node.Body
    switch new {
    case .regular:
      body = .file(FileContent(below: nil, owner: layer))
    case .directory:
      body = .directory(below: nil)
      if inheritsGroup { mode |= 0o2000 }
    case .symlink(let target):
      body = .symlink(SymlinkBody(target: target, below: nil))
      size = Int64(target.count)
      mode = 0o777
    case .special(let kind, let device):
      let isDevice = kind == .characterDevice || kind == .blockDevice
      body = .special(kind, device: isDevice ? device : 0, below: nil)
    }
    return Node(
      mode: mode, links: new.kind == .directory ? 2 : 1, uid: caller.uid,
      gid: inheritsGroup ? parent.gid : caller.gid, size: size, accessed: now, modified: now,
      changed: now, owner: layer.id, parent: directory, name: name, xattrs: nil, body: body,
      side: side)
  }

  /// Makes a regular file without a name, as O_TMPFILE does: with the attributes that it would have
  /// in the directory.
  mutating func createUnnamed(
    in directory: NodeID, mode: UInt32, by caller: Caller
  ) throws(FileError) -> NodeID {
    let parent = try checkDirectory(directory)
    let layer = writableTop()
    let id = context.ids.nextNode()
    var made = node(
      .regular, mode, caller, Name([]), in: directory, parent, layer, .none, context.clock())
    made.links = 0
    nodes.insert(id, made)
    return id
  }

  /// Gives a node a further name.
  /// - Parameter isRevived: whether a node without a name may get one: a file that was made so.
  /// - Throws: EPERM for a directory, EEXIST, ENOENT for a node without a name left.
  mutating func link(
    _ id: NodeID, as name: Name, in directory: NodeID, isRevived: Bool = false
  ) throws(FileError) {
    _ = try checkDirectory(directory)
    try checkNew(name)
    if try find(name, in: directory) != nil { throw .exists }
    let node = try record(id)
    guard node.kind != .directory else { throw .notPermitted }
    guard node.links > 0 || isRevived else { throw .notFound }
    let now = context.clock()
    try change(id) { node in
      node.links += 1
      node.changed = now
      (node.parent, node.name) = (directory, name)
    }
    show(id, node.kind, as: name, in: directory)
    try touchDirectory(directory, at: now)
  }
}
