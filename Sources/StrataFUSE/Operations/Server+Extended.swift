internal import StrataEngine
internal import SystemPackage

/// The requests on extended attributes.
extension Server {
  /// XATTR_CREATE, XATTR_REPLACE; and of the extension, to take set-group-ID.
  private static let create: UInt32 = 1
  private static let replace: UInt32 = 2
  private static let killsGroup: UInt32 = 1

  func setExtended(_ request: Request) throws(FileError) {
    let isExtended = hasAgreed(.extendedSetXattr)
    let size = Int(try request.word(0))
    let flags = try request.word(4)
    let (name, next) = try request.string(isExtended ? 16 : 8)
    guard next + size <= request.body.count else { throw .invalid }
    let value = Array(request.body[next..<next + size])
    let mode: XattrMode =
      flags & Self.create != 0 ? .create : flags & Self.replace != 0 ? .replace : .any
    let node = try node(request)
    let caller = caller(request)
    if Name(name) == ACL.accessName {
      let kills = isExtended ? try request.word(8) & Self.killsGroup != 0 : false
      return try setAccessACL(value, of: node, kills, caller)
    }
    if let limits = options.limits {
      var all = try fork.extendedAttributes(of: node)
      all[Name(name)] = value
      try limits.check(extendedAttributes: all)
    }
    try fork.setExtendedAttribute(node, Name(name), value, mode, by: caller)
  }

  /// An access control list that is not there is taken away without complaint, as on the host.
  func removeExtended(_ request: Request) throws(FileError) {
    let (node, name) = (try node(request), try request.name(0))
    let isList = name == ACL.accessName || name == ACL.defaultName
    if isList, try fork.extendedAttributes(of: node)[name] == nil { return }
    try fork.removeExtendedAttribute(node, name, by: caller(request))
  }

  func getExtended(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let size = Int(try request.word(0))
    let name = try request.name(8)
    if name == MountMark.attribute, let workspace = mark.withLock({ $0 }) {
      let mark = MountMark(
        workspace: workspace, fork: Array(fork.name.utf8),
        path: fork.path(of: try node(request)) ?? [UInt8(ascii: "/")])
      return try answer(mark.bytes, size, &reply)
    }
    try name.checkAsExtendedAttribute()
    guard let value = try extended(request)[name] else {
      throw FileError(.noData)
    }
    try answer(value, size, &reply)
  }

  func listExtended(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let size = Int(try request.word(0))
    let names = try extended(request).keys.sorted()
    let isPrivileged = request.uid == 0
    var list: [UInt8] = []
    for name in names {
      if !isPrivileged, name.bytes.starts(with: Array("trusted.".utf8)) { continue }
      list += name.bytes + [0]
    }
    try answer(list, size, &reply)
  }

  private func extended(_ request: Request) throws(FileError) -> [Name: [UInt8]] {
    try fork.extendedAttributes(of: NodeTable.node(request.node))
  }

  /// With a size of 0 the size is asked for.
  private func answer(
    _ bytes: [UInt8], _ size: Int, _ reply: inout Reply
  ) throws(FileError) {
    if size == 0 {
      reply.put(UInt32(bytes.count))
      reply.put(UInt32(0))
    } else if bytes.count > size {
      throw FileError(.outOfRange)
    } else {
      reply.put(bytes)
    }
  }
}
