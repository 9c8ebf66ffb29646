/// What a directory of the host can hold that is to get all that a mount has. Programs are refused at the
/// call what it could not, and so nothing stands in the way of the rest.
public protocol HostLimits: AnyObject, Sendable {
  /// - Throws: EFBIG for a file that is too long.
  func check(size: Int64) throws(FileError)

  /// To be asked before a file's content changes.
  /// - Parameter bytes: what the file is going to take at the most: all of it is written anew.
  /// - Throws: ENOSPC where there is no room for that and for what else has changed.
  func check(content bytes: Int64, of node: NodeID) throws(FileError)

  /// Bytes of what has changed and is not in the directory yet.
  var unwritten: Int64 { get }

  /// - Throws: EMLINK for a file with too many names.
  func check(links: UInt32) throws(FileError)

  /// - Throws: EPERM for what would mean something else there.
  func check(made new: NewNode) throws(FileError)

  /// - Throws: ENOSPC, E2BIG or EDQUOT for an object's extended attributes, all of them, that are too many;
  ///   ERANGE for a name that is too long there.
  func check(extendedAttributes: [Name: [UInt8]]) throws(FileError)
}
