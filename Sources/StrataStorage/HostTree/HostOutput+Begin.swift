internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

extension HostOutput {
  /// A new file that has its name from the start, in a directory that nobody else looks into.
  static func staged(_ name: [UInt8], in directory: Descriptor) throws(FileError) -> HostOutput {
    do throws(Errno) {
      return HostOutput(
        try directory.createFile(name, mode: 0o600), .within, isDurable: false)
    } catch {
      throw FileError(error)
    }
  }

  /// A new file beside the place, to take its name.
  static func beside(
    _ place: HostLocation, _ old: Descriptor?, mode: UInt32, _ existing: HostTree.Existing,
    isDurable: Bool
  ) throws(Errno) -> HostOutput {
    let temporary = HostLocation.temporaryName()
    // What was closed to others stays so while it is being written.
    let file = try place.directory.createFile(temporary, mode: old == nil ? mode & 0o7777 : 0o600)
    let output = HostOutput(
      file, .beside(place, temporary: temporary, existing), isDurable: isDurable)
    if let old { try inherit(from: old, file) }
    return output
  }

  /// Into what a link of /proc leads to: at its end, or, if it is a descriptor of this process, where
  /// that stands, so that what others write through it comes behind.
  static func into(openFile link: HostLocation) throws(Errno) -> HostOutput {
    let file = try link.directory.open(from: link.name, [.write, .append])
    if let number = Int32(String(decoding: link.name, as: UTF8.self)),
      let own = try? Descriptor(duplicating: number), (try? own.isSameFile(as: file)) == true
    {
      return HostOutput(own, .stream, isDurable: false)
    }
    return HostOutput(file, .stream, isDurable: false)
  }

  /// Over what is there, if anything is.
  static func over(
    _ place: HostLocation, _ status: FileStatus?, mode: UInt32, isDurable: Bool
  ) throws(Errno) -> HostOutput {
    guard let status else {
      return try beside(place, nil, mode: mode, .replace, isDurable: isDurable)
    }
    switch FileKind(modeBits: status.mode) {
    case .directory: throw .isDirectory
    case .regular: break
    default:
      return HostOutput(
        try place.directory.open(entry: place.name, .write), .stream, isDurable: false)
    }
    let old = try writable(place)
    do throws(Errno) {
      return try beside(place, old, mode: mode, .replace, isDurable: isDurable)
    } catch {
      switch error {
      case .permissionDenied, .notPermitted, .readOnlyFileSystem:
        // Nothing can be made in the directory, or the owner would become another one.
        let file = try place.directory.open(entry: place.name, [.write, .nonBlocking])
        return HostOutput(file, .within, isDurable: isDurable)
      default: throw error
      }
    }
  }

  /// The old file, open for writing: one that may not be written to may not be replaced.
  private static func writable(_ place: HostLocation) throws(Errno) -> Descriptor {
    do throws(Errno) {
      return try place.directory.open(entry: place.name, [.write, .nonBlocking])
    } catch .textFileBusy {
      // A program that runs keeps its old file.
      return try place.directory.open(entry: place.name, [.path])
    }
  }

  /// Owner, mode and extended attributes, as if the old file had been emptied and written to.
  private static func inherit(from old: Descriptor, _ new: Descriptor) throws(Errno) {
    let status = try old.status()
    let made = try new.status()
    if made.uid != status.uid || made.gid != status.gid {
      try new.setOwner(uid: status.uid, gid: status.gid)
    }
    let attributes = (try? old.extendedAttributes()) ?? []
    for (name, value) in attributes where name != capabilities {
      try? new.setExtendedAttribute(name, value)
    }
    // Writing takes set-id bits away.
    try new.setMode(status.mode & 0o1777)
  }

  private static let capabilities = Array("security.capability".utf8)
}
