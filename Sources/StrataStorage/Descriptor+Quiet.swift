internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

extension Descriptor {
  /// Opens the regular file that this descriptor, opened with `.path`, refers to.
  ///
  /// Anything else is refused unopened: opening a device or a FIFO can be noticed on its other
  /// side, or wait for it.
  /// - Parameter again: opens the path a second time, for where /proc is not mounted; what is found
  ///   must be the same object.
  /// - Throws: EISDIR, ELOOP for a symbolic link, EINVAL for a special file, ESTALE.
  func openFound(
    again: (OpenFlags) throws(Errno) -> Descriptor
  ) throws(Errno) -> (file: Descriptor, status: FileStatus) {
    let status = try status()
    try status.checkIsRegular()
    do throws(Errno) {
      let file = try quietly { flags throws(Errno) in try reopen([.read, flags]) }
      return (file, status)
    } catch .noSuchFileOrDirectory {
      let file = try quietly { flags throws(Errno) in try again([.read, .nonBlocking, flags]) }
      let now = try file.status()
      guard now.device == status.device, now.inode == status.inode else {
        throw .staleNFSFileHandle
      }
      return (file, now)
    }
  }

  /// Opens the regular file that has a name in this directory. What takes its place between the look
  /// at it and the opening is opened without waiting for it, and has another stamp.
  /// - Throws: as ``openFound(again:)``.
  func openRegular(_ name: [UInt8]) throws(Errno) -> (file: Descriptor, status: FileStatus) {
    let status = try status(ofEntry: name)
    try status.checkIsRegular()
    let file = try quietly { flags throws(Errno) in
      try open(entry: name, [.read, .nonBlocking, flags])
    }
    return (file, status)
  }
}

extension FileStatus {
  fileprivate func checkIsRegular() throws(Errno) {
    switch FileKind(modeBits: mode) {
    case .regular: return
    case .directory: throw .isDirectory
    case .symlink: throw .tooManySymbolicLinkLevels
    default: throw .invalidArgument
    }
  }
}

/// Opens so that reading does not show in the access time, which only a file's owner may ask for.
func quietly(_ open: (OpenFlags) throws(Errno) -> Descriptor) throws(Errno) -> Descriptor {
  do throws(Errno) { return try open(.keepAccessTime) } catch .notPermitted {
    return try open([])
  }
}
