internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import SystemPackage

/// This program once more, in the background, which says in one line how it went.
enum Background {
  /// Starts it with these arguments, and waits for its first line.
  static func greeting(_ arguments: [[UInt8]]) throws(FileError) -> [UInt8] {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw FileError.last }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let started: Result<Void, FileError>
    do throws(FileError) {
      started = .success(try spawn(arguments, output: ends[1]))
    } catch {
      started = .failure(error)
    }
    close(ends[1])
    defer { close(ends[0]) }
    try started.get()
    let source = DescriptorSource(ends[0], Cancellation())
    var text: [UInt8] = []
    while !text.contains(UInt8(ascii: "\n")) {
      let bytes = try source.read()
      if bytes.isEmpty { break }
      text += bytes
    }
    return Array(text.prefix { $0 != UInt8(ascii: "\n") })
  }

  /// In a session of its own: no terminal, and no signal to a terminal's programs, reaches it.
  private static func spawn(_ arguments: [[UInt8]], output: Int32) throws(FileError) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_RDWR, 0)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for number in [SIGPIPE, SIGINT, SIGQUIT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    // POSIX_SPAWN_SETSID, which the library shows to some standards only.
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | 0x80))
    let words = try CStrings([Array("strata".utf8)] + arguments)
    var pid: pid_t = 0
    let error = posix_spawn(
      &pid, "/proc/self/exe", &actions, &attributes, words.pointers, environ)
    guard error == 0 else { throw FileError(Errno(rawValue: error)) }
  }
}
