internal import StrataEngine
internal import SystemPackage

/// GETATTR and SETATTR.
extension Server {
  func getAttributes(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let hasHandle = try request.word(0) & 1 != 0
    let attributes: Attributes
    if let node = nodes.current(request.node) {
      attributes = try fork.attributes(of: node)
    } else if hasHandle {
      attributes = try handles.file(try request.long(8)).attributes()
    } else {
      attributes = try former(request.node).attributes()
    }
    reply.put(attributes: attributes)
  }

  private func former(_ number: UInt64) throws(FileError) -> NodeTable.Former {
    guard let file = nodes.former(number) else { throw FileError(.staleNFSFileHandle) }
    return file
  }

  func setAttributes(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let valid = SetFlags(rawValue: try request.word(0))
    let caller = caller(request)
    if valid.contains(.size) {
      let size = try request.offset(16)
      let kills = valid.contains(.killPrivileges)
      if valid.contains(.handle) {
        try truncate(try handles.file(try request.long(8)), size, kills)
      } else {
        try truncate(try fork.open(try node(request), [.write], by: caller), size, kills)
      }
    }
    guard let node = nodes.current(request.node) else {
      // What is open goes on by itself; nothing else of it can be changed.
      if valid.contains(.handle) {
        return reply.put(attributes: try handles.file(try request.long(8)).attributes())
      }
      return reply.put(attributes: try former(request.node).attributes())
    }
    if valid.isEmpty { return try dropPrivileges(node, caller, &reply) }
    var changes = AttributeChanges()
    if valid.contains(.mode) { changes.mode = try request.word(68) & 0o7777 }
    if valid.contains(.uid) { changes.uid = try request.word(76) }
    if valid.contains(.gid) { changes.gid = try request.word(80) }
    if valid.contains(.accessed) { changes.accessed = try time(request, 32, 56) }
    if valid.contains(.modified) { changes.modified = try time(request, 40, 60) }
    let now = fork.workspace.now
    if valid.contains(.accessedNow) { changes.accessed = now }
    if valid.contains(.modifiedNow) { changes.modified = now }
    try fork.setAttributes(node, changes, by: caller)
    if let mode = changes.mode { try follow(mode, node, caller) }
    reply.put(attributes: try fork.attributes(of: node))
  }

  /// A change of nothing: what the kernel asks for before a write that takes set-user-ID, and what
  /// becomes of a chown(2) that leaves both owners as they are. Where there are such bits, only the
  /// owner may do the latter; for the former somebody has the file open.
  private func dropPrivileges(
    _ node: NodeID, _ caller: Caller, _ reply: inout Reply
  ) throws(FileError) {
    let before = try fork.attributes(of: node)
    guard
      before.mode & 0o6000 == 0 || before.kind == .directory || caller.isSuperuser
        || caller.uid == before.uid
        || handles.all.contains(where: { $0.file.node == node && $0.file.options.contains(.write) })
    else { throw FileError(.notPermitted) }
    var changes = AttributeChanges()
    changes.uid = before.uid
    try fork.setAttributes(node, changes, by: caller)
    reply.put(attributes: try fork.attributes(of: node))
  }

  private func truncate(
    _ file: OpenFile, _ size: Int64, _ kills: Bool
  ) throws(FileError) {
    try file.truncate(to: size, dropsPrivileges: kills)
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
