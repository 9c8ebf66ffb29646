internal import Glibc
public import StrataEngine

/// Where a session that leaves nothing behind stages and keeps what its commits replace: a directory
/// in the base, since names are moved, which the session does not show and removes at its end.
public final class MemoryCommits: Sendable {
  private static let prefix = HiddenNames.commits + [UInt8(ascii: "-")]

  private let base: HeldPath
  public let place: HeldPath

  public init(base: HeldPath) {
    self.base = base
    place = base.appending(Self.prefix + Array("\(getpid())".utf8))
  }

  /// Finishes what a process was at that is not there any more.
  /// - Returns: why it cannot be, for a person.
  public func finishAbandoned() -> [FileError] {
    var failures: [FileError] = []
    for entry in (try? HostTree().list(base.path)) ?? [] where entry.kind == .directory {
      guard entry.name.bytes.starts(with: Self.prefix),
        let process = pid_t(
          String(decoding: entry.name.bytes.dropFirst(Self.prefix.count), as: UTF8.self)),
        process > 0, kill(process, 0) != 0, errno == ESRCH
      else { continue }
      do throws(FileError) {
        try HostCommit(base: base, commits: base.appending(entry.name.bytes)).clear()
      } catch {
        failures.append(error)
      }
    }
    return failures
  }

  /// Best effort: what cannot be removed stays.
  public func remove() {
    guard (try? HostTree().status(place.path))??.kind == .directory else { return }
    try? HostCommit(base: base, commits: place).clear()
  }

  deinit { remove() }
}
