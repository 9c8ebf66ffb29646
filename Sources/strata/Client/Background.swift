internal import Glibc
internal import StrataEngine
internal import StrataShell

/// This program once more, in the background, which says in one line how it went.
enum Background {
  /// Starts it with these arguments, and waits for its first line.
  static func greeting(_ arguments: [[UInt8]]) throws(FileError) -> [UInt8] {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw FileError.last }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    // In a session of its own: no terminal, and no signal to a terminal's programs, reaches it.
    var spawn = Spawn()
    spawn.close(0)
    spawn.use(ends[1], as: 1)
    spawn.close(2)
    defer { close(ends[0]) }
    do throws(FileError) {
      _ = try spawn.start(
        [Array("strata".utf8)] + arguments, [:], apart: .session, as: "/proc/self/exe")
    } catch {
      spawn.close()
      throw error
    }
    spawn.close()
    return try DescriptorSource(ends[0], Cancellation()).readLine()
  }
}
