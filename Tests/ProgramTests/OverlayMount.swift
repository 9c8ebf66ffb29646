import Glibc
import StrataTestSupport
import SystemPackage

/// A lower tree with the kernel's overlayfs over it, on a tmpfs, in a mount namespace of the calling
/// thread: with the thread everything goes, whatever happened, and nobody else sees any of it.
struct OverlayMount {
  /// Where the lower tree is.
  let lower: String
  /// Where the overlay shows.
  let merged: String

  /// Nearest to POSIX that overlayfs can be: directories from below may be renamed, hard links and
  /// inode numbers survive copy-up.
  static let options = "redirect_dir=on,index=on,xino=on,metacopy=off"

  /// - Parameters:
  ///   - directory: an empty directory to mount on.
  ///   - fill: makes the lower tree in the directory it is given.
  ///   - dress: gives the root's attributes to the upper directory, whose the merged root has.
  /// - Throws: EPERM for who may not mount, ENODEV where the kernel has no overlayfs.
  init(
    on directory: String, fill: (String) throws -> Void, dress: (String) throws -> Void
  ) throws {
    let newMountNamespace: Int32 = 0x0002_0000
    let unshare = try OverlayCalls.find("unshare", OverlayCalls.Unshare.self)
    try OverlayCalls.check(unshare(newMountNamespace))
    let isolated = UInt(MS_REC | MS_PRIVATE)
    try OverlayCalls.check(mount("none", "/", nil, isolated, nil))
    let flags = UInt(MS_NOATIME)
    try OverlayCalls.check(mount("strata-test", directory, "tmpfs", flags, "mode=755"))
    lower = "\(directory)/lower"
    merged = "\(directory)/merged"
    for name in ["lower", "upper", "work", "merged"] {
      try OverlayCalls.check(mkdir("\(directory)/\(name)", 0o755))
    }
    umask(0)
    try fill(lower)
    try dress("\(directory)/upper")
    let layers = "lowerdir=\(lower),upperdir=\(directory)/upper,workdir=\(directory)/work"
    let options = "\(layers),\(Self.options)"
    try OverlayCalls.check(mount("strata-test", merged, "overlay", flags, options))
  }

  /// Makes the merged tree the calling thread's root, so that absolute links lead inside.
  func enter() throws {
    try OverlayCalls.check(chroot(merged))
    try OverlayCalls.check(chdir("/"))
  }
}

/// Runs `body` to its end on a thread of its own, which may change what is the process's otherwise.
func onOwnThread(_ body: @escaping @Sendable () throws -> Void) throws {
  final class Work: @unchecked Sendable {
    let body: @Sendable () throws -> Void
    /// Written by the thread, read when it has ended.
    var failure: (any Error)?
    init(_ body: @escaping @Sendable () throws -> Void) { self.body = body }
  }
  let work = Work(body)
  var thread = pthread_t()
  let context = Unmanaged.passRetained(work)
  let status = pthread_create(
    &thread, nil,
    { context in
      guard let context else { return nil }
      let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
      do { try work.body() } catch { work.failure = error }
      return nil
    }, context.toOpaque())
  guard status == 0 else {
    context.release()
    throw Errno(rawValue: status)
  }
  pthread_join(thread, nil)
  if let failure = work.failure { throw failure }
}
