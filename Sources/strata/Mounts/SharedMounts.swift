internal import StrataEngine
internal import StrataFUSE
internal import Synchronization

/// Who sees a workspace's forks: directories at which they are mounted, and runs. Who comes to a fork gets
/// a mount of the file system that is there already, where that can be: so all who work in it have one
/// cache of the kernel's, and one set of locks.
final class SharedMounts: Sendable {
  /// One that has a mount.
  final class User: Sendable {
    let mount: Mount
    fileprivate let options: MountOptions
    private let source: Mutex<Source>

    fileprivate init(_ mount: Mount, _ options: MountOptions, _ source: Source) {
      (self.mount, self.options) = (mount, options)
      self.source = Mutex(source)
    }

    /// Its mount is attached to a directory by now, and need not be held.
    func isAt(_ directory: [UInt8], device: UInt64) {
      source.withLock { $0 = .directory(directory, device: device) }
    }

    /// The file system ends with its last mount.
    fileprivate func letGo() { source.withLock { $0 = .none } }

    fileprivate func copy() -> DetachedMount? {
      switch source.withLock({ $0 }) {
      case .none: nil
      case .held(let mount): mount.copy()
      case .directory(let path, let device): DetachedMount(copying: path, of: device)
      }
    }
  }

  /// What others get copies of.
  fileprivate enum Source {
    case none
    case held(DetachedMount)
    case directory([UInt8], device: UInt64)
  }

  private let users = Mutex<[User]>([])
  private let keeper = Mutex<Occupancy?>(nil)

  /// What keeps this process there as long as somebody has a mount; nil where it ends with its session.
  var occupancy: Occupancy? { keeper.withLock { $0 } }

  func keep(_ occupancy: Occupancy) { keeper.withLock { $0 = occupancy } }

  /// A mount of a fork for somebody who comes to it, as the superuser makes it.
  /// - Throws: see ``Mount/make(_:_:)``.
  func enter(
    _ fork: Fork, _ options: MountOptions
  ) throws(FileError) -> (User, DetachedMount) {
    try users.withLock { users throws(FileError) in
      for user in users where user.mount.fork === fork && user.mount.suits(options) {
        guard let given = user.copy(), let held = user.copy() else { continue }
        try given.allow(options)
        user.mount.joined(options)
        let new = User(user.mount, options, .held(held))
        users.append(new)
        return (new, given)
      }
      let (mount, given) = try Mount.make(fork, options)
      let new = User(mount, options, given.copy().map { .held($0) } ?? .none)
      users.append(new)
      return (new, given)
    }
  }

  /// Somebody who has a mount that nobody else gets a copy of.
  func add(_ mount: Mount, _ options: MountOptions) -> User {
    let user = User(mount, options, .none)
    users.withLock { $0.append(user) }
    return user
  }

  /// - Returns: whether others have a mount of the same file system.
  @discardableResult
  func leave(_ user: User) -> Bool {
    user.letGo()
    let (wasThere, othersStay) = users.withLock { users in
      let count = users.count
      users.removeAll { $0 === user }
      return (users.count < count, users.contains { $0.mount === user.mount })
    }
    if wasThere, othersStay { user.mount.left(user.options) }
    return othersStay
  }

  /// Whether several have mounts of a file system.
  func isShared(_ mount: Mount) -> Bool {
    users.withLock { users in users.count { $0.mount === mount } > 1 }
  }
}
