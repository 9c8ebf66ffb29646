internal import Synchronization

/// Whether the kernel is to keep what a directory lists.
///
/// To keep it takes the kernel a third of the time that a listing takes, and pays for who comes again.
/// So directories that are listed for the first time since the kernel knows them are not kept, unless
/// files were looked up there before: who walks through a tree passes, who works in it comes back. It
/// must ask with each opening then. Once it has asked more often for directories that are kept than for
/// others, it is told to keep all and to ask no more.
final class OpenedDirectories: Sendable {
  enum Answer { case passes, keeps, needNotAsk }

  /// How often more.
  private static let patience = 256
  private let passed = Atomic(0)
  private let kept = Atomic(0)
  /// Where a file was looked up last.
  private let last = Atomic<UInt64>(0)

  func open(_ directory: UInt64, _ nodes: NodeTable) -> Answer {
    guard !nodes.becomesFamiliar(directory) else {
      passed.add(1, ordering: .relaxed)
      return .passes
    }
    let count = kept.add(1, ordering: .relaxed).newValue
    return count > passed.load(ordering: .relaxed) + Self.patience ? .needNotAsk : .keeps
  }

  func lookedUp(in directory: UInt64, _ nodes: NodeTable) {
    guard last.exchange(directory, ordering: .relaxed) != directory else { return }
    _ = nodes.becomesFamiliar(directory)
  }
}
