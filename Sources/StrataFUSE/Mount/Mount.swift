internal import CStrataSystem
internal import Glibc
public import StrataEngine
internal import StrataSystem
internal import Synchronization
internal import SystemPackage

/// A fork as a file system of the kernel.
///
/// It is served by threads of its own from the moment it is made, and attached where ``attach(at:)``
/// says, or where another process puts it that has got ``descriptor``.
public final class Mount: Sendable {
  public let fork: Fork
  private let server: Server
  private let mount: Descriptor
  private let state: Mutex<State>

  private struct State {
    var places: [[UInt8]] = []
    /// The workers end when this is closed.
    var serving: Descriptor?
  }

  private let serving = Atomic(0)

  /// - Throws: ENOENT or EACCES where there is no FUSE, EPERM for who may not mount.
  public init(_ fork: Fork, _ options: MountOptions = MountOptions()) throws(FileError) {
    self.fork = fork
    let device = try Device()
    let raw = Self.mount(device, options)
    guard raw >= 0 else { throw FileError(Errno(rawValue: -raw), "mounting") }
    mount = Descriptor(owning: raw)
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw FileError(Errno(rawValue: errno)) }
    let ending = Descriptor(owning: ends[0])
    state = Mutex(State(serving: Descriptor(owning: ends[1])))
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let capacity = options.capacity.flatMap { try? Descriptor(path: $0, [.path, .directory]) }
    server = Server(fork, options, device: device, ending: ending, capacity: capacity)
    fork.add(server)
    let count = options.workers ?? max(4, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    for index in 0..<count {
      let channel = index == 0 ? device : try device.clone()
      let server = server
      serving.add(1, ordering: .relaxed)
      try WorkerThread.start { [self] in
        var worker = Worker(channel, server)
        worker.run()
        serving.subtract(1, ordering: .relaxed)
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
          no_devices: !options.hasDevices, no_set_user: !options.hasSetUser)
        return strata_fuse_make_mount(device.descriptor.rawValue, &how)
      }
    }
  }

  /// The mount itself, attached or not: for move_mount(2) with an empty path, by any process.
  public var descriptor: Int32 { mount.rawValue }

  /// Puts it over a directory, as seen in this process's mount namespace.
  /// - Throws: ENOENT, ENOTDIR, EBUSY if it is attached already.
  public func attach(at path: [UInt8]) throws(FileError) {
    let result = path.withCPath { strata_attach_mount(mount.rawValue, $0) }
    guard result >= 0 else { throw FileError(Errno(rawValue: -result)) }
    state.withLock { $0.places.append(path) }
  }

  /// Whether the kernel still has it.
  public var isServing: Bool { serving.load(ordering: .relaxed) > 0 }

  /// Takes it from where it was attached. Programs that are in it get errors from now on.
  public func stop() {
    let places = state.withLock { state -> [[UInt8]]? in
      state.serving == nil ? nil : state.places
    }
    guard let places else { return }
    for place in places { _ = place.withCPath { strata_unmount($0, true) } }
    state.withLock { $0.serving = nil }
    fork.remove(server)
  }

  deinit { stop() }
}
