internal import CStrataSystem
internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import Synchronization

/// Who starts host programs for a session.
protocol ProgramStarter: AnyObject, Sendable {
  /// Starts `sh -c` with the command's line.
  /// - Parameter spawn: its streams; those that it does not name are inherited.
  func start(_ command: HostCommand, _ spawn: Spawn) throws(FileError) -> any StartedProgram
}

/// A host program that was started. One that is let go before anybody waited for it is hung up on.
protocol StartedProgram: AnyObject, Sendable {
  func signal(_ number: Int32)
  /// Waits for the end: the exit status, or 128 and the number of the signal that ended it.
  func wait() throws(FileError) -> Int32
  /// Whether nobody is there any more who could signal it, or wait for it.
  var isLost: Bool { get }
}

extension StartedProgram {
  var isLost: Bool { false }
}

/// Programs as children of this process.
final class LocalPrograms: ProgramStarter {
  private let ownsGroup: Bool
  private let standpoint: Standpoint?

  /// - Parameters:
  ///   - inOwnGroup: they are then out of the terminal's reach, and a signal reaches all that they
  ///     start.
  ///   - standpoint: whose environment and directory they get; nil for this process's.
  init(inOwnGroup: Bool = false, from standpoint: Standpoint? = nil) {
    ownsGroup = inOwnGroup
    self.standpoint = standpoint
  }

  func start(_ command: HostCommand, _ spawn: Spawn) throws(FileError) -> any StartedProgram {
    var line = command.line
    if let standpoint {
      // The mask goes from parent to child, and ours is none.
      line = Array("umask \(String(standpoint.umask, radix: 8)); ".utf8) + line
    }
    let pid = try spawn.start(
      ["/bin/sh", "-c"].map { Array($0.utf8) } + [line], command.environment,
      apart: ownsGroup ? .group : .no, from: standpoint)
    return LocalProgram(
      pid, ownsGroup: ownsGroup, takesSignals: command.takesSignals && standpoint == nil)
  }
}

/// A child of this process.
final class LocalProgram: StartedProgram {
  private let pid: pid_t
  private let ownsGroup: Bool
  /// What it ended with, once it was waited for.
  private let status = Mutex<Int32?>(nil)

  /// Whether signals still go on to it: to be ended once.
  private let passesSignals: Mutex<Bool>

  /// - Parameter takesSignals: see ``HostCommand/takesSignals``.
  init(_ pid: pid_t, ownsGroup: Bool, takesSignals: Bool = false) {
    (self.pid, self.ownsGroup) = (pid, ownsGroup)
    passesSignals = Mutex(takesSignals)
    if takesSignals { strata_pass_signals(pid) }
  }

  deinit {
    // If nobody has waited for it, it must not stay as a zombie, nor hold us up.
    guard status.withLock({ $0 }) == nil else { return }
    keepSignals()
    signal(SIGHUP)
    var ignored: Int32 = 0
    waitpid(pid, &ignored, WNOHANG)
  }

  private func keepSignals() {
    let passed = passesSignals.withLock { passes in
      defer { passes = false }
      return passes
    }
    if passed { strata_keep_signals(pid) }
  }

  func signal(_ number: Int32) {
    // Not after it was waited for: the number may be another process's by then.
    status.withLock { if $0 == nil { _ = kill(ownsGroup ? -pid : pid, number) } }
  }

  func wait() throws(FileError) -> Int32 {
    if let status = status.withLock({ $0 }) { return status }
    var info = siginfo_t()
    // It stays a zombie, and its number its own, until nobody can send it a signal any more.
    while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0 {
      if errno != EINTR { throw FileError.last }
    }
    return try status.withLock { (status) throws(FileError) in
      var code: Int32 = 0
      keepSignals()
      guard waitpid(pid, &code, 0) >= 0 else { throw FileError.last }
      let result = code & 0x7F == 0 ? (code >> 8) & 0xFF : 128 + (code & 0x7F)
      status = result
      return result
    }
  }
}
