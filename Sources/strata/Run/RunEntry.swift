internal import CStrataSystem
internal import Glibc
internal import StrataEngine
internal import StrataFUSE
internal import StrataShell
internal import StrataSystem
internal import Synchronization
internal import SystemPackage

/// The serving end of a program's way into a fork. ``EnterFork`` is given a mount, or, where only the
/// process that mounts may open the device, sends the connection to the kernel that it has opened.
final class RunEntry: Sendable {
  private struct State {
    /// What ``EnterFork`` is given; ours only until it has been.
    var given: [Descriptor] = []
    var user: SharedMounts.User?
    var failure: FileError?
    var hasEnded = false
  }

  private let shared: SharedMounts
  /// Whether it is given a mount.
  let hasMount: Bool
  private let state = Mutex(State())
  private let ended = Turn()

  /// Whether it is given a directory by which clients inside find the workspace.
  let hasWorkspace: Bool

  /// - Parameter place: the directory that clients inside are to find; nil for none.
  init(
    _ fork: Fork, _ options: MountOptions, clients place: [UInt8]?, _ shared: SharedMounts
  ) throws(FileError) {
    self.shared = shared
    hasWorkspace = place != nil
    hasMount = strata_may_mount()
    let ours: Descriptor
    var given: [Descriptor] = []
    do throws(Errno) {
      let theirs: Descriptor
      (ours, theirs) = try Descriptor.pair()
      given = [theirs, try Descriptor(path: Array("/proc/self/exe".utf8), [])]
      if let place { given.append(try Descriptor(path: place, [.path, .directory])) }
    } catch {
      throw FileError(error)
    }
    if hasMount {
      let (user, mount) = try shared.enter(fork, options)
      given.append(mount.descriptor)
      state.withLock { $0.user = user }
    }
    let descriptors = given
    state.withLock { $0.given = descriptors }
    do throws(FileError) {
      try StrataShell.Thread { [self] in work(ours, fork, options) }.detach()
    } catch {
      settle()
      throw error
    }
  }

  /// Serves the fork as long as there are programs in it, also when who has started the run is gone.
  private func work(_ socket: Descriptor, _ fork: Fork, _ options: MountOptions) {
    let occupancy = shared.occupancy
    occupancy?.retain()
    defer { occupancy?.release() }
    if !hasMount { serve(socket, fork, options) }
    // Nobody sends anything more: it is closed when all that the program has started have ended.
    _ = try? socket.receive()
    settle()
    state.withLock { $0.hasEnded = true }
    ended.give()
  }

  /// What the program gets open, in the order of ``EnterFork/Given``.
  var descriptors: [Int32] { state.withLock { $0.given.map(\.rawValue) } }

  private func serve(_ socket: Descriptor, _ fork: Fork, _ options: MountOptions) {
    guard let device = (try? socket.receive())?.descriptors.first else { return }
    do throws(FileError) {
      let user = shared.add(try Mount(fork, options, serving: device), options)
      state.withLock { $0.user = user }
    } catch {
      state.withLock { $0.failure = error }
    }
  }

  /// The program has been started, or could not be.
  func letGo() { state.withLock { $0.given = [] } }

  /// Whether the program and all that it has started have ended, or it has never come in.
  var isOver: Bool { state.withLock { $0.hasEnded } }

  /// Waits until the fork has all that was done in the mount.
  /// - Throws: why it could not be served.
  func finish() throws(FileError) {
    letGo()
    ended.wait()
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// Seconds that the kernel may take to hand over what it has still to write.
  private static let patience = 10

  private func settle() {
    guard let user = state.withLock({ $0.user }) else { return }
    // Where others work on in the file system it does so when it likes to; what programs have stored
    // through mappings it has handed over when they ended.
    if shared.leave(user) { return }
    user.mount.waitUntilEnded(seconds: Self.patience)
    user.mount.stop()
  }
}
