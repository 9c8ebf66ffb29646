internal import CStrataSystem
internal import Glibc
public import StrataEngine
public import StrataSystem
internal import Synchronization
internal import SystemPackage

/// A fork as a file system of the kernel, served by threads of its own as long as the kernel has it.
public final class Mount: Sendable {
  public let fork: Fork
  /// Lives as long as the mount.
  private let workspace: Workspace
  private let server: Server
  private let state: Mutex<State>

  /// Takes a mount from where it is; lazily, though programs use it.
  public typealias Detach = @Sendable (_ lazily: Bool) throws(FileError) -> Void

  private struct State {
    var detach: Detach?
    var whenEnded: (@Sendable () -> Void)?
    /// The workers end when this is closed.
    var serving: Descriptor?
  }

  private let serving = Atomic(0)
  /// Rings when the mount has ended.
  private let ended: Alarm

  /// Puts a fork over a directory, as seen in this process's mount namespace. A mount there that has
  /// lost its process is taken away first.
  /// - Throws: ENOENT or EACCES where there is no FUSE, EPERM for who may not mount, ENOENT or
  ///   ENOTDIR of the directory.
  public convenience init(
    _ fork: Fork, _ options: MountOptions, at path: [UInt8]
  ) throws(FileError) {
    Self.clear(path)
    let device = try Device()
    let raw = Self.mount(device, options)
    guard raw >= 0 else { throw FileError(Errno(rawValue: -raw), "mounting") }
    let mount = Descriptor(owning: raw)
    let result = path.withCPath { strata_attach_mount(mount.rawValue, $0) }
    guard result >= 0 else { throw FileError(Errno(rawValue: -result)) }
    try self.init(fork, options, serving: device.descriptor) { lazily throws(FileError) in
      let result = path.withCPath { strata_unmount($0, lazily) }
      guard result >= 0 else { throw FileError(Errno(rawValue: -result)) }
    }
  }

  /// Serves a connection to the kernel that somebody else has opened and mounted.
  /// - Parameter detach: takes the mount from where it is; nil for one that goes by itself.
  /// - Throws: EAGAIN or EMFILE for want of threads or descriptors; the mount is detached then.
  public init(
    _ fork: Fork, _ options: MountOptions, serving device: Descriptor,
    detach: Detach? = nil
  ) throws(FileError) {
    self.fork = fork
    workspace = fork.workspace
    let device = Device(device)
    let (ending, serving): (Descriptor, Descriptor)
    do throws(FileError) {
      (ending, serving) = try Self.pipe()
      ended = try Alarm()
      server = try Server(fork, options, device: device, ending: ending)
    } catch {
      try? detach?(true)
      throw error
    }
    state = Mutex(State(detach: detach, serving: serving))
    strata_share_heap()
    fork.add(server)
    do throws(FileError) {
      try startServing(options)
    } catch {
      stop()
      fork.remove(server)
      throw error
    }
  }

  /// The end that others see close with the other one, and that.
  private static func pipe() throws(FileError) -> (Descriptor, Descriptor) {
    var ends: [Int32] = [-1, -1]
    guard Glibc.pipe(&ends) == 0 else { throw FileError(Errno(rawValue: errno)) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
  }

  private func startServing(_ options: MountOptions) throws(FileError) {
    let crew = try Crew()
    try keepDurable()
    let count = options.workers ?? max(4, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    serving.store(count, ordering: .sequentiallyConsistent)
    for index in 0..<count {
      // Where a channel of its own is not to be had, a thread shares the first.
      let channel = index == 0 ? server.device : (try? server.device.clone()) ?? server.device
      let server = server
      do throws(FileError) {
        try Self.start { [self] in
          // The mount lives as long as it is served.
          var worker = Worker(channel, server, crew)
          worker.run()
          leave(1)
        }
      } catch {
        leave(count - index)
        throw error
      }
    }
  }

  private func leave(_ count: Int) {
    if serving.subtract(count, ordering: .sequentiallyConsistent).newValue == 0 { end() }
  }

  /// How long what programs have done may be lost with the machine unless they sync: as long as on
  /// other journaled file systems.
  private static let interval: Int32 = 5000

  private func keepDurable() throws(FileError) {
    try Self.start { [self] in
      var ending = pollfd(fd: server.ending.rawValue, events: Int16(POLLIN), revents: 0)
      while poll(&ending, 1, Self.interval) <= 0 {
        if server.operation == nil { workspace.logOutside(fork) }
        // What cannot be written now stays pending; who syncs is told.
        try? workspace.checkpoint(tellsFailures: false)
      }
    }
  }

  private static func mount(_ device: Device, _ options: MountOptions) -> Int32 {
    let source = options.source.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
    return source.withUnsafeBufferPointer { source in
      "strata".withCString { subtype in
        var how = strata_fuse_mount(
          source: source.baseAddress, subtype: subtype, uid: getuid(), gid: getgid(),
          read_only: options.isReadOnly, allow_other: options.allowsOthers,
          no_devices: !options.hasDevices, no_set_user: !options.hasSetUser,
          no_programs: !options.runsPrograms,
          no_access_times: options.showsNoAccessTimes)
        return strata_fuse_make_mount(device.descriptor.rawValue, &how)
      }
    }
  }

  /// Takes a mount away whose process is gone; leaves all else alone.
  public static func clear(_ path: [UInt8]) {
    guard isDead(path) else { return }
    _ = path.withCPath { strata_unmount($0, true) }
  }

  /// Whether a directory is in a mount whose process is gone.
  public static func isDead(_ path: [UInt8]) -> Bool {
    // The kernel may know its attributes still, and open it without asking; this it always asks.
    var room = statvfs()
    return path.withCPath { statvfs($0, &room) } != 0 && errno == ENOTCONN
  }

  /// Waits until the kernel has let go of the mount, and the fork has all that was done in it. For
  /// one thread.
  /// - Parameter seconds: how long at most; nil for as long as it takes.
  public func waitUntilEnded(seconds: Int? = nil) {
    if let seconds { ended.wait(milliseconds: seconds * 1000) } else { ended.wait() }
  }

  /// Has the body called once the kernel has let go of the mount, or at once if it has already.
  public func whenEnded(_ body: @escaping @Sendable () -> Void) {
    state.withLock { $0.whenEnded = body }
    if !isServing { end() }
  }

  private func end() {
    let body = state.withLock { state in
      (state.detach, state.serving) = (nil, nil)
      return state.whenEnded.take()
    }
    fork.remove(server)
    try? workspace.checkpoint(tellsFailures: false)
    body?()
    ended.ring()
  }

  private static func start(_ body: @escaping @Sendable () -> Void) throws(FileError) {
    do throws(Errno) { try WorkerThread.start(body) } catch { throw FileError(error) }
  }

  /// Whether the kernel still has it.
  public var isServing: Bool { serving.load(ordering: .relaxed) > 0 }

  /// Whether it is where it was attached, as far as is known here.
  public var isAttached: Bool { state.withLock { $0.detach != nil } }

  /// Takes it from where it was attached, and goes on to serve the programs that are in it.
  /// - Parameter lazily: also while there are any.
  /// - Throws: EBUSY while there are, EINVAL where it is not attached any more, or another thread is
  ///   about to take it away: two that do would take away what lies below as well.
  public func detach(lazily: Bool) throws(FileError) {
    guard let detach = state.withLock({ $0.detach.take() }) else { throw .invalid }
    do throws(FileError) {
      try detach(lazily)
    } catch {
      state.withLock { state in
        if isServing { state.detach = detach }
      }
      throw error
    }
  }

  /// Ends it. Programs that are in it get errors from now on.
  public func stop() {
    try? detach(lazily: true)
    state.withLock { $0.serving = nil }
  }
}
