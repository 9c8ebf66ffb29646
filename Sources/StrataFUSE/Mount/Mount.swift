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

  private struct State {
    var whenEnded: [@Sendable () -> Void] = []
    /// The workers end when this is closed.
    var serving: Descriptor?
  }

  private let serving = Atomic(0)
  /// Rings when the mount has ended.
  private let ended: Alarm

  /// Makes a file system of the kernel that shows a fork, and serves it.
  /// - Returns: with it a mount, attached nowhere; the file system ends with the last mount of it.
  /// - Throws: ENOENT or EACCES where there is no FUSE, EPERM for who may not mount, EAGAIN or EMFILE for
  ///   want of threads or descriptors.
  public static func make(
    _ fork: Fork, _ options: MountOptions
  ) throws(FileError) -> (Mount, DetachedMount) {
    let device = try Device()
    let raw = mount(device, options)
    guard raw >= 0 else { throw FileError(Errno(rawValue: -raw), "mounting") }
    let detached = DetachedMount(Descriptor(owning: raw))
    return (try Mount(fork, options, serving: device.descriptor), detached)
  }

  /// Serves a connection to the kernel that somebody else has opened and mounted.
  /// - Throws: EAGAIN or EMFILE for want of threads or descriptors.
  public init(
    _ fork: Fork, _ options: MountOptions, serving device: Descriptor
  ) throws(FileError) {
    self.fork = fork
    workspace = fork.workspace
    let device = Device(device)
    let (ending, serving) = try Self.pipe()
    ended = Alarm()
    server = Server(fork, options, device: device, ending: ending)
    state = Mutex(State(serving: serving))
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
    let crew = Crew()
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
  private static let trimming = Mutex(())

  /// Also gives back the memory that programs have done with, while no mount is busy.
  private func keepDurable() throws(FileError) {
    try Self.start { [self] in
      var ending = pollfd(fd: server.ending.rawValue, events: Int16(POLLIN), revents: 0)
      while poll(&ending, 1, Self.interval) <= 0 {
        if server.operation == nil { workspace.logOutside(fork) }
        // What cannot be written now stays pending; who syncs is told.
        try? workspace.checkpoint(tellsFailures: false)
        if !IdleLatency.shared.isHeld { Self.trimming.withLock { _ in strata_trim_heap() } }
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
    state.withLock { $0.whenEnded.append(body) }
    if !isServing { end() }
  }

  private func end() {
    let bodies = state.withLock { state in
      state.serving = nil
      defer { state.whenEnded = [] }
      return state.whenEnded
    }
    fork.remove(server)
    try? workspace.checkpoint(tellsFailures: false)
    for body in bodies { body() }
    ended.ring()
  }

  private static func start(_ body: @escaping @Sendable () -> Void) throws(FileError) {
    do throws(Errno) { try WorkerThread.start(body) } catch { throw FileError(error) }
  }

  /// Whether the kernel still has it.
  public var isServing: Bool { serving.load(ordering: .relaxed) > 0 }

  /// Ends it. Programs that are in it get errors from now on.
  public func stop() { state.withLock { $0.serving = nil } }
}

/// Several who have mounts of it, and come and go.
extension Mount {
  /// Whether somebody with such options can have a mount of it, too.
  public func suits(_ options: MountOptions) -> Bool {
    let own = server.options
    // Nobody looks at what a run's mount is called.
    guard own.source == options.source || options.operation != nil else { return false }
    return isServing && own.usesPassthrough == options.usesPassthrough
      && own.allowsOthers == options.allowsOthers && own.numbering == nil
      && options.numbering == nil && own.onlyUser == nil && options.onlyUser == nil
  }

  /// Somebody has got a mount of it.
  public func joined(_ options: MountOptions) {
    if let workspace = options.workspace { server.mark.withLock { $0 = workspace } }
  }

  /// Somebody's mount of it is gone, and others' are not.
  public func left(_ options: MountOptions) {
    guard let operation = options.operation else { return }
    workspace.logOutside(fork, as: operation)
    server.doing.withLock { doing in
      if doing == operation { doing = nil }
    }
  }
}
