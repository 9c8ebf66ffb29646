internal import StrataEngine
internal import SystemPackage

/// LOOKUP and the requests that make, move and remove names.
extension Server {
  func lookUp(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let directory = try node(request)
    do throws(FileError) {
      let found = try fork.lookup(try request.name(0), in: directory)
      if try put(entry: found, &reply) != .directory {
        habits.lookedUp(in: request.node, by: request.pid)
        opened.lookedUp(in: request.node, nodes)
      }
    } catch {
      guard error.errno == .noSuchFileOrDirectory else { throw error }
      reply.putMissing()
    }
  }

  func makeNode(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let mode = try request.word(0)
    guard let kind = FileKind(modeBits: mode == mode & 0o7777 ? mode | 0o100000 : mode) else {
      throw .invalid
    }
    let device = Reply.userDevice(try request.word(4))
    let new: NewNode = kind == .regular ? .regular : .special(kind, device: device)
    guard kind != .directory, kind != .symlink else { throw .invalid }
    try options.limits?.check(made: new)
    try make(new, try request.name(16), mode, umask: try request.word(8), request, &reply)
  }

  func makeDirectory(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let (mode, umask) = (try request.word(0), try request.word(4))
    try make(.directory, try request.name(8), mode & 0o1777, umask: umask, request, &reply)
  }

  func makeSymlink(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let (name, next) = try request.string(0)
    let target = Array(try request.string(next).0)
    guard !target.isEmpty else { throw .notFound }
    try make(.symlink(target), Name(name), 0o777, umask: 0, request, &reply)
  }

  private func make(
    _ new: NewNode, _ name: Name, _ mode: UInt32, umask: UInt32, _ request: Request,
    _ reply: inout Reply
  ) throws(FileError) {
    let directory = try node(request)
    let made = try create(new, name, in: directory, mode, umask: umask, by: caller(request))
    try put(entry: made, &reply)
  }

  /// Makes a node with the permissions that its directory has for new ones.
  func create(
    _ new: NewNode, _ name: Name, in directory: NodeID, _ mode: UInt32, umask: UInt32,
    by caller: Caller
  ) throws(FileError) -> NodeID {
    let inherited = new.kind == .symlink ? nil : try defaultACL(of: directory)
    guard let inherited else {
      return try fork.create(name, in: directory, new, mode: mode & ~umask, by: caller)
    }
    let (acl, granted) = inherited.applied(to: mode)
    let node = try fork.create(name, in: directory, new, mode: granted, by: caller)
    if let acl {
      try fork.setExtendedAttribute(node, ACL.accessName, acl.encoded, by: caller)
    }
    if new == .directory {
      try fork.setExtendedAttribute(node, ACL.defaultName, inherited.encoded, by: caller)
    }
    return node
  }

  func link(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let existing = try node(try request.long(0))
    if let limits = options.limits {
      try limits.check(links: try fork.attributes(of: existing).links + 1)
    }
    // The kernel lets only those files without a name through that were made so.
    try fork.link(
      existing, as: try request.name(8), in: try node(request), isRevived: true,
      by: caller(request))
    try put(entry: existing, &reply)
  }

  /// RENAME and RENAME2.
  func rename(_ request: Request, names: Int) throws(FileError) {
    let target = try node(try request.long(0))
    let flags = names == 16 ? try request.word(8) : 0
    // RENAME_WHITEOUT is for overlays that are made on top of file systems.
    guard flags & ~3 == 0 else { throw .invalid }
    let (name, next) = try request.string(names)
    try fork.rename(
      Name(name), in: try node(request), to: try request.name(next), in: target,
      RenameFlags(rawValue: flags), by: caller(request))
  }
}
