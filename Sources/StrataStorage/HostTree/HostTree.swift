public import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// The host's files outside any base: what is copied out of the namespace goes there, what is
/// copied in comes from there.
///
/// Paths are as the user typed them, relative ones from the working directory, of any length.
/// What is made appears under its name in one step and complete, or not at all.
public struct HostTree: Sendable {
  /// What is to be done where the name is taken.
  public enum Existing: Sendable {
    /// EEXIST.
    case refuse
    /// The new takes the name of the old; EISDIR for a directory.
    case replace
  }

  public init() {}

  // MARK: Reading

  /// What is at the path; nil if nothing is.
  /// - Parameter follow: whether a symbolic link at the end is looked through.
  public func status(_ path: [UInt8], follow: Bool = false) throws(FileError) -> BaseStatus? {
    do throws(Errno) {
      let object = try find(path, follow: follow)
      return BaseStatus(try object.status(), birthLasts: (try? object.birthLasts()) ?? false)
    } catch {
      if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
      throw FileError(error)
    }
  }

  /// The names in a directory without `.` and `..`, in any order.
  public func list(_ path: [UInt8]) throws(FileError) -> [BaseEntry] {
    do throws(Errno) {
      let directory = try quietly { flags throws(Errno) in
        try Descriptor(path: path, [.read, .directory, flags])
      }
      return try directory.entries()
    } catch {
      throw FileError(error)
    }
  }

  public func readLink(_ path: [UInt8]) throws(FileError) -> [UInt8] {
    do throws(Errno) { return try find(path, follow: false).readLink() } catch {
      throw FileError(error)
    }
  }

  /// All extended attributes, ACLs among them.
  public func extendedAttributes(
    of path: [UInt8], follow: Bool = false
  ) throws(FileError) -> [Name: [UInt8]] {
    do throws(Errno) {
      let pairs = try find(path, follow: follow).extendedAttributes()
      return Dictionary(pairs.map { (Name($0.name), $0.value) }, uniquingKeysWith: { $1 })
    } catch {
      throw FileError(error)
    }
  }

  /// Opens a regular file for reading, symbolic links followed.
  /// - Throws: EISDIR; EINVAL for a device, FIFO or socket, which are not opened.
  public func open(_ path: [UInt8]) throws(FileError) -> any BaseFile {
    do throws(Errno) {
      let found = try find(path, follow: true)
      let (file, _) = try found.openFound { flags throws(Errno) in
        try Descriptor(path: path, flags)
      }
      return HostFile(file, birthLasts: (try? file.birthLasts()) ?? false)
    } catch {
      throw FileError(error)
    }
  }

  /// Bytes that an unprivileged user may still write to the file system that the path is on.
  public func freeBytes(at path: [UInt8]) throws(FileError) -> Int64 {
    do throws(Errno) { return try find(path, follow: true).freeBytes() } catch {
      throw FileError(error)
    }
  }

  func find(_ path: [UInt8], follow: Bool) throws(Errno) -> Descriptor {
    try Descriptor(path: path, follow ? [.path] : [.path, .noFollow])
  }
}

extension Descriptor {
  /// The names in this directory with their kinds.
  func entries() throws(Errno) -> [BaseEntry] {
    var entries: [BaseEntry] = []
    try forEachName { bytes, type, inode throws(Errno) in
      guard let kind = try kind(of: bytes, type) else { return }
      entries.append(BaseEntry(name: Name(copying: bytes), kind: kind, inode: inode))
    }
    return entries
  }

  /// `d_type` says `S_IFMT` shifted by 12, or 0 where the file system does not know.
  private func kind(
    of name: UnsafeRawBufferPointer, _ type: UInt8
  ) throws(Errno) -> FileKind? {
    if type != 0 { return FileKind(modeBits: UInt32(type) << 12) }
    do throws(Errno) {
      return FileKind(modeBits: try status(ofEntry: Array(name)).mode)
    } catch .noSuchFileOrDirectory {
      return nil
    }
  }
}
