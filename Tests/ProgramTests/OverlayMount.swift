import Glibc
import StrataTestSupport
import Synchronization
import SystemPackage

/// A lower tree with the kernel's overlayfs over it, on a tmpfs, in a mount namespace of the calling
/// thread: with the thread everything goes, whatever happened, and nobody else sees any of it.
final class OverlayMount {
  /// Where the lower tree is.
  let lower: String
  /// Descriptors of the two roots; while they are open the mounts stay.
  private let outer: Int32
  private let inner: Int32

  /// Nearest to POSIX that overlayfs can be: hard links and inode numbers survive copy-up.
  private static let options = "index=on,xino=on,metacopy=off"

  /// - Parameters:
  ///   - directory: an empty directory to mount on.
  ///   - movesDirectories: whether directories from below may be renamed, which by default they may
  ///     not on overlayfs.
  ///   - fill: makes the lower tree in the directory it is given.
  ///   - dress: gives the root's attributes to the upper directory, whose the merged root has.
  /// - Throws: EPERM for who may not mount, ENODEV where the kernel has no overlayfs.
  init(
    on directory: String, movesDirectories: Bool, fill: (String) throws -> Void,
    dress: (String) throws -> Void
  ) throws {
    let newMountNamespace: Int32 = 0x0002_0000
    let unshare = try OverlayCalls.find("unshare", OverlayCalls.Unshare.self)
    try OverlayCalls.check(unshare(newMountNamespace))
    let isolated = UInt(MS_REC | MS_PRIVATE)
    try OverlayCalls.check(mount("none", "/", nil, isolated, nil))
    let flags = UInt(MS_NOATIME)
    try OverlayCalls.check(mount("strata-test", directory, "tmpfs", flags, "mode=755"))
    lower = "\(directory)/lower"
    let merged = "\(directory)/merged"
    for name in ["lower", "upper", "work", "merged"] {
      try OverlayCalls.check(mkdir("\(directory)/\(name)", 0o755))
    }
    umask(0)
    try fill(lower)
    try dress("\(directory)/upper")
    let layers = "lowerdir=\(lower),upperdir=\(directory)/upper,workdir=\(directory)/work"
    let options =
      "\(layers),\(Self.options),redirect_dir=\(movesDirectories ? "on" : "off")"
    try OverlayCalls.check(mount("strata-test", merged, "overlay", flags, options))
    outer = try OverlayCalls.check(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    inner = try OverlayCalls.check(open(merged, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
  }

  deinit {
    close(outer)
    close(inner)
  }

  /// Runs `body` with the merged tree for the calling thread's root, so that absolute links lead
  /// inside. The engine itself runs outside: a host directory needs `/proc`.
  func inside<R>(_ body: () -> R) throws -> R {
    try change(root: inner)
    let result = body()
    try change(root: outer)
    return result
  }

  private func change(root: Int32) throws {
    try OverlayCalls.check(fchdir(root))
    try OverlayCalls.check(chroot("."))
  }
}

/// Runs `body` to its end on a thread of its own, which may change what is the process's otherwise.
func onOwnThread<Value: Sendable>(
  _ body: @escaping @Sendable () throws -> Value
) throws -> Value {
  let outcome = Mutex<Result<Value, any Error>?>(nil)
  try withoutActuallyEscaping({ () -> Void in
    let result = Result { try body() }
    outcome.withLock { $0 = result }
  }) { run in
    try joinThread(run)
  }
  guard let result = outcome.withLock({ $0 }) else { throw Errno.noSuchProcess }
  return try result.get()
}

/// Starts a thread and waits for its end.
private func joinThread(_ run: @escaping () -> Void) throws {
  final class Work {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
  }
  let context = Unmanaged.passRetained(Work(run))
  var thread = pthread_t()
  let status = pthread_create(
    &thread, nil,
    { context in
      guard let context else { return nil }
      Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
      return nil
    }, context.toOpaque())
  guard status == 0 else {
    context.release()
    throw Errno(rawValue: status)
  }
  pthread_join(thread, nil)
}
