internal import CStrataSystem
internal import Glibc
public import SystemPackage

/// What the kernel says of an object. Times in nanoseconds since 1970.
public struct FileStatus: Equatable, Sendable {
  public var device: UInt64
  public var inode: UInt64
  /// Type and permissions, `st_mode`.
  public var mode: UInt32
  public var links: UInt32
  public var uid: UInt32
  public var gid: UInt32
  /// The number of a device node.
  public var special: UInt64
  public var size: Int64
  /// In units of 512 bytes.
  public var blocks: Int64
  public var accessed: Int64
  public var modified: Int64
  public var changed: Int64
  /// When the inode was made; 0 where the file system does not say. See
  /// ``Descriptor/birthLasts()``.
  public var born: Int64
}

extension Descriptor {
  public func status() throws(Errno) -> FileStatus {
    var raw = strata_status()
    let result = strata_status(rawValue, &raw)
    return try FileStatus(raw, result)
  }

  /// The status of a name in this directory, a symbolic link's own.
  public func status(ofEntry name: [UInt8]) throws(Errno) -> FileStatus {
    var raw = strata_status()
    let result = try checked(name).withCPath { strata_status_at(rawValue, $0, &raw) }
    return try FileStatus(raw, result)
  }

  /// Whether this file system keeps an inode's time of birth for good, so that it tells the inode
  /// from another one of the same number.
  public func birthLasts() throws(Errno) -> Bool {
    try opened(strata_birth_lasts(rawValue)) == 1
  }

  public func isSameFile(as other: Descriptor) throws(Errno) -> Bool {
    let (a, b) = (try status(), try other.status())
    return a.device == b.device && a.inode == b.inode
  }

  /// Whether this is on a proc file system, whose links lead to objects (`/proc/self/fd/1`) and not
  /// where their text says.
  public func isOnProc() throws(Errno) -> Bool { try opened(strata_is_on_proc(rawValue)) == 1 }

  /// Bytes that an unprivileged user may still write to this file system.
  public func freeBytes() throws(Errno) -> Int64 {
    var status = statvfs()
    guard fstatvfs(rawValue, &status) == 0 else { throw Errno.last }
    return Int64(clamping: UInt64(status.f_bavail) &* UInt64(status.f_frsize))
  }
}

extension FileStatus {
  init(_ raw: strata_status, _ result: Int32) throws(Errno) {
    guard result == 0 else { throw Errno(rawValue: -result) }
    device = raw.device
    inode = raw.inode
    mode = raw.mode
    links = raw.links
    uid = raw.uid
    gid = raw.gid
    special = raw.rdev
    size = raw.size
    blocks = raw.blocks
    accessed = raw.accessed
    modified = raw.modified
    changed = raw.changed
    born = raw.born
  }
}
