/// What a directory of the host can hold that is to get all that a mount has. Programs are refused at the
/// call what it could not, and so nothing stands in the way of the rest.
public protocol HostLimits: AnyObject, Sendable {
  /// - Throws: EFBIG for a file that is too long.
  func check(size: Int64) throws(FileError)

  /// - Throws: EMLINK for a file with too many names.
  func check(links: UInt32) throws(FileError)

  /// - Throws: ENOSPC, E2BIG or EDQUOT for an object's extended attributes, all of them, that are too many.
  func check(extendedAttributes: [Name: [UInt8]]) throws(FileError)
}
