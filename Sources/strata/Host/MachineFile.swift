internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import Synchronization

/// An open file of the machine.
final class MachineFile: HostFile {
  /// Nil once it was finished.
  private let descriptor: Mutex<Int32?>

  /// A new or emptied file that is there from now on, whether it is finished or not.
  convenience init(writing path: [UInt8], mode: UInt32 = 0o644) throws(FileError) {
    try self.init(path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
  }

  init(_ path: [UInt8], _ flags: Int32, mode: UInt32 = 0) throws(FileError) {
    let path = try cPath(path)
    var opened: Int32
    repeat {
      opened = Glibc.open(path, flags | O_CLOEXEC | O_NOCTTY, mode)
    } while opened < 0 && errno == EINTR
    guard opened >= 0 else { throw FileError.last }
    descriptor = Mutex(opened)
  }

  deinit {
    descriptor.withLock { if let descriptor = $0 { _ = close(descriptor) } }
  }

  private func open() throws(FileError) -> Int32 {
    guard let descriptor = descriptor.withLock({ $0 }) else { throw FileError(.badFileDescriptor) }
    return descriptor
  }

  func read(_ count: Int, at offset: Int64) throws(FileError) -> [UInt8] {
    let descriptor = try open()
    var bytes = [UInt8](repeating: 0, count: count)
    while true {
      var got = pread(descriptor, &bytes, count, off_t(offset))
      // A pipe has no places; who reads one does it from one end to the other.
      if got < 0, errno == ESPIPE { got = Glibc.read(descriptor, &bytes, count) }
      if got >= 0 { return got == count ? bytes : Array(bytes[..<got]) }
      if errno != EINTR { throw FileError.last }
    }
  }

  func write(_ bytes: [UInt8], at offset: Int64) throws(FileError) {
    let descriptor = try open()
    var done = 0
    while done < bytes.count {
      let put = bytes[done...].withUnsafeBytes {
        pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset) + off_t(done))
      }
      if put > 0 {
        done += put
      } else if put == 0 || errno != EINTR {
        throw put == 0 ? FileError(.noSpace) : FileError.last
      }
    }
  }

  func finish() throws(FileError) {
    let descriptor = try open()
    // EINVAL: not a file that can be synced, such as a pipe.
    if fsync(descriptor) != 0, errno != EINVAL, errno != EROFS { throw FileError.last }
    self.descriptor.withLock { $0 = nil }
    // After EINTR, Linux has closed it all the same.
    if close(descriptor) != 0, errno != EINTR { throw FileError.last }
  }
}
