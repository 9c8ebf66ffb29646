internal import Glibc
internal import StrataEngine
internal import StrataSystem
internal import Synchronization
internal import SystemPackage

/// The directories in which names were looked up last, still open: the next name in one takes one
/// call instead of a way from the root. Not used for long, so that another directory that takes the
/// place of one is found soon; a command finds it at once (``BaseReader/startEpoch()``).
///
/// A directory stays open until others take its place. One of a file system that is mounted
/// below the base is not kept: nobody could unmount that meanwhile.
final class RecentDirectories: Sendable {
  private struct Held {
    let path: BasePath
    let descriptor: Descriptor
    let end: Int
  }

  /// As many as programs look into at once that look at a tree with several threads.
  private static let most = 32
  private static let seconds = 1
  /// The mount that the base's own directory is in.
  private let mount: UInt64
  private let held = Mutex((directories: [Held](), oldest: 0))

  init(below root: Descriptor) { mount = root.mountID }

  func get(
    _ path: BasePath, _ open: () throws(Errno) -> Descriptor
  ) throws(Errno) -> Descriptor {
    let now = Self.now()
    let known = held.withLock { held in
      held.directories.first { $0.path === path && now < $0.end }?.descriptor
    }
    if let known { return known }
    let descriptor = try open()
    guard descriptor.mountID == mount else { return descriptor }
    let former = keep(Held(path: path, descriptor: descriptor, end: now + Self.seconds))
    // Closed behind the lock.
    _ = former
    return descriptor
  }

  /// - Returns: what had its place.
  private func keep(_ new: Held) -> Held? {
    held.withLock { held in
      let count = held.directories.count
      let known = held.directories.firstIndex { $0.path === new.path }
      guard let place = known ?? (count == Self.most ? held.oldest : nil) else {
        held.directories.append(new)
        return nil
      }
      if known == nil { held.oldest = (held.oldest + 1) % Self.most }
      defer { held.directories[place] = new }
      return held.directories[place]
    }
  }

  func forget() {
    let former = held.withLock { held in
      defer { held = ([], 0) }
      return held.directories
    }
    _ = former
  }

  private static func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
    return time.tv_sec
  }
}
