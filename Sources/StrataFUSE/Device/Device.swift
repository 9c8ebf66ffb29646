internal import CStrataSystem
internal import Glibc
internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// The connection to the kernel.
struct Device: Sendable {
  let descriptor: Descriptor

  /// - Throws: ENOENT, EACCES: there is no FUSE here, or not for us.
  init() throws(FileError) {
    let raw = strata_fuse_open()
    guard raw >= 0 else { throw FileError(Errno(rawValue: -raw), "/dev/fuse") }
    descriptor = Descriptor(owning: raw)
  }

  init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  /// A channel of its own for another thread.
  func clone() throws(FileError) -> Device {
    let raw = strata_fuse_clone(descriptor.rawValue)
    guard raw >= 0 else { throw FileError(Errno(rawValue: -raw)) }
    return Device(Descriptor(owning: raw))
  }

  func setNonBlocking() {
    let flags = fcntl(descriptor.rawValue, F_GETFL)
    _ = fcntl(descriptor.rawValue, F_SETFL, flags | O_NONBLOCK)
  }

  /// - Returns: false if nobody waits for it any more.
  @discardableResult
  func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
    while true {
      if Glibc.write(descriptor.rawValue, bytes.baseAddress, bytes.count) >= 0 { return true }
      if errno != EINTR { return false }
    }
  }

  /// - Returns: nil where the kernel cannot or will not read the file by itself.
  func openBacking(_ file: Int32) -> Backing? {
    let id = strata_fuse_backing_open(descriptor.rawValue, file)
    return id >= 0 ? Backing(id: id) : nil
  }

  func close(_ backing: Backing) {
    _ = strata_fuse_backing_close(descriptor.rawValue, backing.id)
  }
}
