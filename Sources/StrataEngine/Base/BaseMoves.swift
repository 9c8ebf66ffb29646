internal import Glibc
internal import Synchronization

/// Keeps those who ask the host about the bases and a commit that moves names in them out of each
/// other's way.
///
/// Between a commit's first move and the moment when the index knows of all of them, a path does not
/// lead where the index says, and what is learned must not be noted. So a commit waits for those who
/// are asking, and whoever wants to ask meanwhile waits for the commit. What is known without asking
/// the host holds all the time. The wait is as long as the longest question that is under way (a large
/// file that is copied up, say), and then as long as the moves and their sync take.
final class BaseMoves: Sendable {
  private let asking = Atomic<Int>(0)
  private let isMoving = Atomic<Bool>(false)
  /// Held while names are moved.
  private let moving = Mutex(())

  /// Runs what moves names and what notes where they are. Inside, nobody may ask by ``undisturbed(_:)``.
  func run(_ body: () throws(FileError) -> Void) throws(FileError) {
    try moving.withLock { _ throws(FileError) in
      isMoving.store(true, ordering: .sequentiallyConsistent)
      defer { isMoving.store(false, ordering: .sequentiallyConsistent) }
      while asking.load(ordering: .sequentiallyConsistent) > 0 { usleep(50) }
      try body()
    }
  }

  /// Runs what asks the host. Not to be nested: the inner one would wait for a commit that waits for
  /// the outer one.
  func undisturbed<R>(_ body: () throws(FileError) -> R) throws(FileError) -> R {
    asking.add(1, ordering: .sequentiallyConsistent)
    while isMoving.load(ordering: .sequentiallyConsistent) {
      asking.subtract(1, ordering: .sequentiallyConsistent)
      moving.withLock { _ in }
      asking.add(1, ordering: .sequentiallyConsistent)
    }
    defer { asking.subtract(1, ordering: .sequentiallyConsistent) }
    return try body()
  }
}
