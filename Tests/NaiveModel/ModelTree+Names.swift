public import SystemPackage

/// What is new about a node to create.
public enum ModelNewNode: Sendable {
  case regular, directory
  case symlink([UInt8])
  case special(ModelKind, device: UInt64)
}

extension ModelTree {
  @discardableResult
  public mutating func create(
    _ name: [UInt8], in directory: Int, _ new: ModelNewNode, mode: UInt32, uid: UInt32 = 0,
    gid: UInt32 = 0
  ) throws(Errno) -> Int {
    let parent = try vacant(name, in: directory)
    var node = ModelNode(kind: .regular, mode: mode & 0o7777)
    (node.uid, node.gid) = (uid, gid)
    let inherits = parent.mode & 0o2000 != 0
    if inherits { node.gid = parent.gid }
    switch new {
    case .regular: break
    case .directory:
      node.kind = .directory
      node.parent = directory
      if inherits { node.mode |= 0o2000 }
    case .symlink(let target):
      guard !target.isEmpty else { throw .noSuchFileOrDirectory }
      guard target.count < 4096 else { throw .fileNameTooLong }
      (node.kind, node.mode, node.target) = (.symlink, 0o777, target)
    case .special(let kind, let device):
      node.kind = kind
      if kind == .blockDevice || kind == .characterDevice { node.device = device }
    }
    (node.accessed, node.modified, node.changed) = (now, now, now)
    let id = nextNode
    nextNode += 1
    nodes[id] = node
    nodes[directory]?.entries[name] = id
    touchDirectory(directory)
    return id
  }

  public mutating func link(_ id: Int, as name: [UInt8], in directory: Int) throws(Errno) {
    _ = try vacant(name, in: directory)
    let node = try node(id)
    guard node.kind != .directory else { throw .notPermitted }
    guard node.links > 0 else { throw .noSuchFileOrDirectory }
    nodes[id]?.links += 1
    nodes[id]?.changed = now
    nodes[directory]?.entries[name] = id
    touchDirectory(directory)
  }

  /// - Returns: the node that lost the name.
  @discardableResult
  public mutating func unlink(_ name: [UInt8], in directory: Int) throws(Errno) -> Int {
    let id = try lookup(name, in: directory)
    guard try node(id).kind != .directory else { throw .isDirectory }
    nodes[directory]?.entries[name] = nil
    touchDirectory(directory)
    dropName(of: id)
    return id
  }

  public mutating func removeDirectory(_ name: [UInt8], in directory: Int) throws(Errno) {
    let id = try lookup(name, in: directory)
    let node = try node(id)
    guard node.kind == .directory else { throw .notDirectory }
    guard node.entries.isEmpty else { throw .directoryNotEmpty }
    nodes[directory]?.entries[name] = nil
    touchDirectory(directory)
    nodes[id] = nil
  }

  /// The directory, if `name` can be made in it.
  private func vacant(_ name: [UInt8], in directory: Int) throws(Errno) -> ModelNode {
    do {
      _ = try lookup(name, in: directory)
    } catch .noSuchFileOrDirectory {
      return try self.directory(directory)
    }
    throw .fileExists
  }

  mutating func dropName(of id: Int) {
    nodes[id]?.links -= 1
    nodes[id]?.changed = now
  }
}
