internal import StrataEngine
internal import Synchronization

/// Whether the kernel is to keep what a directory lists.
///
/// To keep it takes the kernel a third of the time that a listing takes, and pays for who comes again.
/// So directories that are opened for the first time since the kernel knows them are not kept, unless
/// files were looked up there before: who walks through a tree passes, who works in it comes back.
///
/// Nor are those that have changed a moment ago. The kernel puts together what several listings bring,
/// and takes it for as new as the newest of them: an older one may not have what was made in between.
final class OpenedDirectories: Sendable {
  /// How long a directory must be as it is, in nanoseconds.
  private static let rest: Timestamp = 2_000_000_000
  /// Where a file was looked up last.
  private let last = Atomic<UInt64>(0)

  /// - Parameter changed: when the directory's attributes or entries have changed last.
  func isKept(_ directory: UInt64, changed: Timestamp, now: Timestamp, _ nodes: NodeTable) -> Bool {
    !nodes.becomesFamiliar(directory) && rests(changed: changed, now: now)
  }

  /// Whether a directory has not changed for a while, by its times.
  func rests(changed: Timestamp, now: Timestamp) -> Bool { now - changed >= Self.rest }

  func lookedUp(in directory: UInt64, _ nodes: NodeTable) {
    guard last.exchange(directory, ordering: .relaxed) != directory else { return }
    _ = nodes.becomesFamiliar(directory)
  }
}
