public import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// The attributes to give something on the host; nil leaves one as it is.
public struct HostAttributes: Equatable, Sendable {
  /// Permission bits with set-id and sticky; not for symbolic links, which have none.
  public var mode: UInt32?
  public var uid: UInt32?
  public var gid: UInt32?
  public var accessed: Timestamp?
  public var modified: Timestamp?
  /// To set, ACLs among them; others stay.
  public var extendedAttributes: [Name: [UInt8]]

  public init(
    mode: UInt32? = nil, uid: UInt32? = nil, gid: UInt32? = nil, accessed: Timestamp? = nil,
    modified: Timestamp? = nil, extendedAttributes: [Name: [UInt8]] = [:]
  ) {
    self.mode = mode
    self.uid = uid
    self.gid = gid
    self.accessed = accessed
    self.modified = modified
    self.extendedAttributes = extendedAttributes
  }
}

extension HostAttributes {
  /// Sets them; the owner first, which takes set-id bits and capabilities away, the times last.
  ///
  /// Set-id bits are not given to a file whose owner could not be set: it would run as another one.
  /// - Returns: what the host would not take, the reason naming the attribute.
  /// - Throws: errors that are not a refusal of the attribute: ENOSPC, EIO.
  func apply(to object: Descriptor) throws(FileError) -> [FileError] {
    var refused: [FileError] = []
    func attempt(_ what: String, _ body: () throws(Errno) -> Void) throws(FileError) {
      do throws(Errno) { try body() } catch {
        guard Self.refusals.contains(error) else { throw FileError(error, what) }
        refused.append(FileError(error, what))
      }
    }
    if uid != nil || gid != nil {
      try attempt("owner") { () throws(Errno) in try object.setOwner(uid: uid, gid: gid) }
    }
    let ownerIsKept = refused.isEmpty
    for (name, value) in extendedAttributes.sorted(by: { $0.key < $1.key }) {
      try attempt("extended attribute \(name)") { () throws(Errno) in
        try object.setExtendedAttribute(name.bytes, value)
      }
    }
    if let mode {
      try attempt("mode") { () throws(Errno) in
        guard FileKind(modeBits: try object.status().mode) != .symlink else { return }
        try object.setMode(ownerIsKept ? mode : mode & ~0o6000)
      }
    }
    if accessed != nil || modified != nil {
      try attempt("times") { () throws(Errno) in
        try object.setTimes(accessed: accessed, modified: modified)
      }
    }
    return refused
  }

  private static let refusals: Set<Errno> = [
    .notPermitted, .permissionDenied, .notSupported, .invalidArgument, .outOfRange,
    .argListTooLong,
  ]
}
