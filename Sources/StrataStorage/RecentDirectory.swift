internal import Glibc
internal import StrataEngine
internal import StrataSystem
internal import Synchronization
internal import SystemPackage

/// The directory in which names were looked up last, still open: the next name in it takes one call
/// instead of a way from the root. Not used for long, so that another directory that takes its
/// place is found soon; a command finds it at once (``BaseReader/startEpoch()``).
///
/// It stays open until another one is looked into. A directory of a file system that is mounted
/// below the base is not kept: nobody could unmount that meanwhile.
final class RecentDirectory: Sendable {
  private struct Held {
    let path: BasePath
    let descriptor: Descriptor
    let end: Int
  }

  private static let seconds = 1
  /// The mount that the base's own directory is in.
  private let mount: UInt64
  private let held = Mutex<Held?>(nil)

  init(below root: Descriptor) { mount = root.mountID }

  func get(
    _ path: BasePath, _ open: () throws(Errno) -> Descriptor
  ) throws(Errno) -> Descriptor {
    let now = Self.now()
    let known = held.withLock { held in
      held.flatMap { $0.path === path && now < $0.end ? $0.descriptor : nil }
    }
    if let known { return known }
    let descriptor = try open()
    guard descriptor.mountID == mount else { return descriptor }
    let former = held.withLock { held in
      defer { held = Held(path: path, descriptor: descriptor, end: now + Self.seconds) }
      return held
    }
    // Closed behind the lock.
    _ = former
    return descriptor
  }

  func forget() {
    let former = held.withLock { held in
      defer { held = nil }
      return held
    }
    _ = former
  }

  private static func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
    return time.tv_sec
  }
}
