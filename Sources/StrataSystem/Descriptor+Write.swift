internal import CStrataSystem
internal import Glibc
public import SystemPackage

extension Descriptor {
  /// Writes all the bytes at `offset`.
  /// - Throws: the error that stopped it, ENOSPC too if the kernel took part of them.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(Errno) {
    try writeAll(bytes) { start, count, done in
      pwrite(rawValue, start, count, off_t(offset) + off_t(done))
    }
  }

  public func write(_ bytes: [UInt8], at offset: Int64) throws(Errno) {
    let result = bytes.withUnsafeBytes { bytes -> Result<Void, Errno> in
      do throws(Errno) { return .success(try write(bytes, at: offset)) } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// Writes all the bytes where the descriptor stands: to a pipe, a terminal, a device.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    try writeAll(bytes) { start, count, _ in Glibc.write(rawValue, start, count) }
  }

  private func writeAll(
    _ bytes: UnsafeRawBufferPointer, _ call: (UnsafeRawPointer, Int, Int) -> Int
  ) throws(Errno) {
    guard let start = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let count = call(start + done, bytes.count - done, done)
      if count > 0 {
        done += count
      } else if count == 0 {
        throw .noSpace
      } else if errno != EINTR {
        throw Errno.last
      }
    }
  }

  public func truncate(to size: Int64) throws(Errno) {
    try retrying { ftruncate(rawValue, off_t(size)) }
  }

  /// Waits until content and attributes are on the disk.
  public func sync() throws(Errno) { try retrying { fsync(rawValue) } }

  /// Waits until content, and what is needed to read it, is on the disk.
  public func syncData() throws(Errno) { try retrying { fdatasync(rawValue) } }

  /// Waits until all of the file system that this is on is on the disk.
  public func syncFileSystem() throws(Errno) { _ = try opened(strata_sync_file_system(rawValue)) }

  /// Gives the error that closing would: what network file systems keep until then.
  public func flush() throws(Errno) {
    let copy = fcntl(rawValue, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw Errno.last }
    // After EINTR, Linux has closed it all the same.
    if close(copy) != 0, errno != EINTR { throw Errno.last }
  }

  // MARK: Attributes, through a descriptor opened with `.path` too

  /// Nil leaves one as it is.
  public func setOwner(uid: UInt32?, gid: UInt32?) throws(Errno) {
    _ = try opened(strata_set_owner(rawValue, uid ?? .max, gid ?? .max))
  }

  /// Permission bits with set-id and sticky.
  public func setMode(_ mode: UInt32) throws(Errno) {
    _ = try opened(strata_set_mode(rawValue, mode & 0o7777))
  }

  public func removeExtendedAttribute(_ name: [UInt8]) throws(Errno) {
    let name = try checked(name)
    _ = try opened(name.withCPath { strata_remove_xattr(rawValue, $0) })
  }

  public func setExtendedAttribute(_ name: [UInt8], _ value: [UInt8]) throws(Errno) {
    let name = try checked(name)
    let result = value.withUnsafeBytes { bytes in
      name.withCPath { strata_set_xattr(rawValue, $0, bytes.baseAddress, bytes.count) }
    }
    _ = try opened(result)
  }

  /// Nanoseconds since 1970; nil leaves one as it is.
  public func setTimes(accessed: Int64?, modified: Int64?) throws(Errno) {
    func with(_ time: Int64?, _ body: (UnsafePointer<Int64>?) -> Int32) -> Int32 {
      guard let time else { return body(nil) }
      return withUnsafePointer(to: time, body)
    }
    let result = with(accessed) { accessed in
      with(modified) { strata_set_times(rawValue, accessed, $0) }
    }
    _ = try opened(result)
  }
}

/// Calls again as long as a signal comes in between.
func retrying(_ call: () -> Int32) throws(Errno) {
  while call() != 0 {
    if errno != EINTR { throw Errno.last }
  }
}
