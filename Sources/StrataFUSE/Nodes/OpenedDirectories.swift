internal import Synchronization

/// Whether the kernel is to keep what a directory lists.
///
/// To keep it takes the kernel a third of the time that a listing takes, and pays for who comes again.
/// So directories that are listed for the first time since the kernel knows them are not kept, unless
/// files were looked up there before: who walks through a tree passes, who works in it comes back. For
/// that it must ask with each opening. Where this costs more than it saves, as directories are small or
/// programs come back to them, it is told to keep all and to ask no more.
final class OpenedDirectories: Sendable {
  enum Answer: Equatable { case passes, keeps, needNotAsk }

  /// What a question costs, in entries that are not kept.
  private static let price = 80
  /// How much may be lost until no more is asked, and how much that was won counts.
  private static let most = 256 * price
  private let won = Atomic(0)
  /// Where a file was looked up last.
  private let last = Atomic<UInt64>(0)

  func open(_ directory: UInt64, _ nodes: NodeTable) -> Answer {
    let isFirst = nodes.becomesFamiliar(directory)
    guard won.subtract(Self.price, ordering: .relaxed).newValue >= -Self.most else {
      return .needNotAsk
    }
    return isFirst ? .passes : .keeps
  }

  /// So many entries of a directory were told that are not kept.
  func passed(_ entries: Int) {
    if won.load(ordering: .relaxed) < Self.most { won.add(entries, ordering: .relaxed) }
  }

  func lookedUp(in directory: UInt64, _ nodes: NodeTable) {
    guard last.exchange(directory, ordering: .relaxed) != directory else { return }
    _ = nodes.becomesFamiliar(directory)
  }
}
