import Glibc

/// The program on a pseudo-terminal, as in a terminal window.
final class TerminalProcess {
  private let controller: Int32
  private let pid: pid_t
  private var isReaped = false
  /// All that the program has written and nobody has expected yet.
  private(set) var screen: [UInt8] = []

  init(_ arguments: [String], in directory: String, environment: [String] = []) throws {
    controller = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var number: Int32 = 0
    var lock: Int32 = 0
    // TIOCSPTLCK and TIOCGPTN, which unlockpt and ptsname use.
    guard controller >= 0, ioctl(controller, 0x4004_5431, &lock) == 0,
      ioctl(controller, 0x8004_5430, &number) == 0
    else { throw TestFailure("pseudo-terminal: \(errno)") }
    let terminal = "/dev/pts/\(number)"

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // POSIX_SPAWN_SETSID: the terminal opened first is then the controlling one.
    posix_spawnattr_setflags(&attributes, 0x80)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, 0, 1)
    posix_spawn_file_actions_adddup2(&actions, 0, 2)
    pid = try Finished.spawn(
      StrataProgram.path, arguments, in: directory, ["TERM=xterm"] + environment, &actions,
      &attributes)
  }

  deinit {
    if !isReaped {
      kill(pid, SIGKILL)
      _ = try? Finished.wait(pid)
    }
    close(controller)
  }

  func type(_ text: String) throws {
    let bytes = Array(text.utf8)
    guard write(controller, bytes, bytes.count) == bytes.count else {
      throw TestFailure("typing: \(errno)")
    }
  }

  /// Waits until the program has written the text, and takes all up to its end off the screen.
  @discardableResult
  func expect(_ text: String, within seconds: Double = 20) throws -> String {
    let wanted = Array(text.utf8)
    let limit = Self.now() + seconds
    while true {
      if let end = Self.end(of: wanted, in: screen) {
        let seen = String(decoding: screen[..<end], as: UTF8.self)
        screen.removeFirst(end)
        return seen
      }
      let rest = limit - Self.now()
      guard rest > 0, readMore(for: rest) else {
        let shown = String(decoding: screen, as: UTF8.self).debugDescription
        throw TestFailure("expected \(text.debugDescription), the screen has \(shown)")
      }
    }
  }

  /// Waits for the program to end.
  func exitStatus() throws -> Int32 {
    while readMore(for: 10) {}
    isReaped = true
    return try Finished.wait(pid)
  }

  /// False when nothing comes in time, or nothing can come any more.
  private func readMore(for seconds: Double) -> Bool {
    var end = pollfd(fd: controller, events: Int16(POLLIN), revents: 0)
    guard poll(&end, 1, Int32(seconds * 1000)) > 0 else { return false }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(controller, &buffer, buffer.count)
    guard count > 0 else { return false }
    screen += buffer[..<count]
    return true
  }

  private static func end(of wanted: [UInt8], in bytes: [UInt8]) -> Int? {
    guard bytes.count >= wanted.count else { return nil }
    for start in 0...(bytes.count - wanted.count)
    where bytes[start..<(start + wanted.count)].elementsEqual(wanted) {
      return start + wanted.count
    }
    return nil
  }

  static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
