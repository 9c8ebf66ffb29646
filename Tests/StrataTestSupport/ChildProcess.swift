import Glibc
public import SystemPackage

/// A program run to its end, with what it wrote.
public struct ChildProcess: Sendable {
  /// The exit status; 128 and the signal's number if one ended it.
  public let status: Int32
  /// Standard output and standard error, as they came.
  public let output: [UInt8]

  public var text: String { String(decoding: output, as: UTF8.self) }

  /// Runs a program, which is looked for in PATH, with an empty standard input.
  /// - Throws: why it could not be started.
  public init(_ arguments: [String]) throws(Errno) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw Errno(rawValue: Glibc.errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
    var pointers = arguments.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    var pid: pid_t = 0
    let failure = posix_spawnp(&pid, arguments.first ?? "", &actions, nil, pointers, environ)
    close(ends[1])
    guard failure == 0 else { throw Errno(rawValue: failure) }
    output = Self.readAll(ends[0])
    var wait: Int32 = 0
    while waitpid(pid, &wait, 0) < 0 {
      guard Glibc.errno == EINTR else { throw Errno(rawValue: Glibc.errno) }
    }
    status = wait & 0x7F == 0 ? (wait >> 8) & 0xFF : 128 + (wait & 0x7F)
  }

  private static func readAll(_ descriptor: Int32) -> [UInt8] {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count > 0 {
        all += buffer[..<count]
      } else if count == 0 || Glibc.errno != EINTR {
        return all
      }
    }
  }
}
