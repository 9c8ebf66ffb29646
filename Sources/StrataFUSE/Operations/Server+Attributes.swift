internal import StrataEngine
internal import SystemPackage

/// GETATTR, STATX and SETATTR.
extension Server {
  func getAttributes(_ request: Request, _ reply: inout Reply) throws(FileError) {
    reply.put(attributes: try attributes(request))
  }

  /// The kernel asks this for who wants to know when something was made, once for each that it knows.
  func getStatus(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let attributes = try attributes(request)
    reply.put(status: attributes, born: fork.birth(of: attributes.node))
  }

  private func attributes(_ request: Request) throws(FileError) -> Attributes {
    let hasHandle = try request.word(0) & 1 != 0
    do throws(FileError) { return try attributes(of: request.node) } catch {
      guard hasHandle else { throw error }
      return try handles.file(try request.long(8)).attributes()
    }
  }

  /// - Throws: ESTALE.
  private func attributes(of number: UInt64) throws(FileError) -> Attributes {
    if let node = nodes.current(number) { return try fork.attributes(of: node) }
    switch nodes.former(number) {
    case .file(let file)?: return try file.attributes()
    case .attributes(let content)?:
      // The content is what it was, everything else is the node's as long as the tree has it.
      guard var attributes = try? fork.attributes(of: content.node) else { return content }
      (attributes.size, attributes.blocks) = (content.size, content.blocks)
      attributes.modified = content.modified
      return attributes
    case nil: throw FileError(.staleNFSFileHandle)
    }
  }

  func setAttributes(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let valid = SetFlags(rawValue: try request.word(0))
    let caller = caller(request)
    if valid.contains(.size) {
      let size = try request.offset(16)
      try options.limits?.check(size: size)
      let file =
        valid.contains(.handle)
        ? try handles.file(try request.long(8))
        : try fork.open(try node(request), [.write], by: caller)
      let kills = valid.contains(.killPrivileges)
      try file.truncate(to: size, drops: kills ? privileges(file.node, request) : .nothing)
    }
    guard let node = try? node(request) else {
      // What is open goes on by itself; nothing else of it can be changed.
      if valid.contains(.handle) {
        return reply.put(attributes: try handles.file(try request.long(8)).attributes())
      }
      return reply.put(attributes: try attributes(of: request.node))
    }
    if valid.isEmpty { return try dropPrivileges(node, request, &reply) }
    // What was stored before a time is set must not come behind it.
    if !valid.isDisjoint(with: [.modified, .modifiedNow]) { takeStores(to: request.node) }
    var changes = AttributeChanges()
    if valid.contains(.mode) { changes.mode = try request.word(68) & 0o7777 }
    if valid.contains(.uid) { changes.uid = try request.word(76) }
    if valid.contains(.gid) { changes.gid = try request.word(80) }
    if valid.contains(.accessed) { changes.accessed = try time(request, 32, 56) }
    if valid.contains(.modified) { changes.modified = try time(request, 40, 60) }
    if changes.uid != nil || changes.gid != nil { changes.drops = privileges(node, request) }
    let now = fork.workspace.now
    if valid.contains(.accessedNow) { changes.accessed = now }
    if valid.contains(.modifiedNow) { changes.modified = now }
    try fork.setAttributes(node, changes, by: caller)
    if let mode = changes.mode { try follow(mode, node, caller) }
    // The kernel takes what a descriptor from before a first write has for another file.
    for number in nodes.numbers(of: node) where number != request.node {
      others.send(.changed(number), on: device)
    }
    reply.put(attributes: try attributes(of: request.node))
  }

  /// A change of nothing: what the kernel asks for before a write that takes set-user-ID, and what
  /// becomes of a chown(2) that leaves both owners as they are. Where bits go, only the owner may do the
  /// latter; for the former somebody has the file open.
  private func dropPrivileges(
    _ node: NodeID, _ request: Request, _ reply: inout Reply
  ) throws(FileError) {
    let before = try fork.attributes(of: node)
    let caller = caller(request)
    let drops = privileges(node, request)
    guard
      drops.bits(of: before.mode) == 0 || before.kind == .directory || caller.isSuperuser
        || caller.uid == before.uid
        || handles.all.contains(where: { $0.file.node == node && $0.file.options.contains(.write) })
    else { throw FileError(.notPermitted) }
    var changes = AttributeChanges()
    changes.uid = before.uid
    changes.drops = drops
    try fork.setAttributes(node, changes, by: caller)
    reply.put(attributes: try fork.attributes(of: node))
  }

  /// What a change that takes privileges takes of a node's. Where the group may not execute, it asks
  /// whether the program belongs to the group, which the kernel does not say.
  func privileges(_ node: NodeID, _ request: Request) -> PrivilegeDrop {
    guard let attributes = try? fork.attributes(of: node), attributes.mode & 0o2010 == 0o2000,
      request.uid != 0, request.gid != attributes.gid,
      !Program.isTrusted(request.pid, withGroup: attributes.gid)
    else { return .usual }
    return .all
  }

  private func time(
    _ request: Request, _ seconds: Int, _ nanoseconds: Int
  ) throws(FileError) -> Timestamp {
    let whole = Int64(bitPattern: try request.long(seconds))
    let (product, isTooLarge) = whole.multipliedReportingOverflow(by: 1_000_000_000)
    if isTooLarge { return whole < 0 ? .min : .max }
    let (sum, overflows) = product.addingReportingOverflow(Int64(try request.word(nanoseconds)))
    return overflows ? .max : sum
  }
}
