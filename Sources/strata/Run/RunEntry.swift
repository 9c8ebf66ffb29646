internal import Glibc
internal import StrataEngine
internal import StrataFUSE
internal import StrataShell
internal import StrataSystem
internal import Synchronization
internal import SystemPackage

/// The serving end of a program's way into a fork: gets the connection to the kernel that
/// ``EnterFork`` has opened, and serves it.
final class RunEntry: Sendable {
  private struct State {
    /// What ``EnterFork`` is given; ours only until it has been.
    var given: [Descriptor] = []
    var mount: Mount?
    var failure: FileError?
    var isDecided = false
  }

  private let state = Mutex(State())
  private let decided = Turn()

  /// - Parameter workspace: the directory that clients inside are to find; nil for none.
  init(
    _ fork: Fork, _ options: MountOptions, workspace: [UInt8]?
  ) throws(FileError) {
    let ours: Descriptor
    do throws(Errno) {
      let theirs: Descriptor
      (ours, theirs) = try Descriptor.pair()
      var given = [theirs, try Descriptor(path: Array("/proc/self/exe".utf8), [])]
      if let workspace { given.append(try Descriptor(path: workspace, [.path, .directory])) }
      state.withLock { $0.given = given }
    } catch {
      throw FileError(error)
    }
    try StrataShell.Thread { [self] in
      serve(ours, fork, options)
      decided.give()
    }.detach()
  }

  /// What the program gets open, in the order of ``EnterFork/Given``.
  var descriptors: [Int32] { state.withLock { $0.given.map(\.rawValue) } }

  private func serve(_ socket: Descriptor, _ fork: Fork, _ options: MountOptions) {
    let device = (try? socket.receive())?.descriptors.first
    let result: Result<Mount?, FileError> = Result { () throws(FileError) in
      try device.map { device throws(FileError) in
        try Mount(fork, options, serving: device)
      }
    }
    state.withLock { state in
      switch result {
      case .success(let mount): state.mount = mount
      case .failure(let error): state.failure = error
      }
      state.isDecided = true
    }
  }

  /// The program has been started, or could not be.
  func letGo() { state.withLock { $0.given = [] } }

  /// Whether the program and all that it has started have ended, or it has never come in.
  var isOver: Bool {
    state.withLock { $0.isDecided && $0.mount?.isServing != true }
  }

  /// Waits until the fork has all that was done in the mount.
  /// - Throws: why it could not be served.
  func finish(seconds: Int) throws(FileError) {
    letGo()
    decided.wait()
    let (mount, failure) = state.withLock { ($0.mount, $0.failure) }
    if let failure { throw failure }
    // The kernel hands over what it has still to write before it lets go.
    mount?.waitUntilEnded(seconds: seconds)
    mount?.stop()
  }
}
