internal import StrataEngine
internal import Synchronization

/// Whether who lists directories looks at what is in them as well.
///
/// A listing with attributes saves a request for each entry that is looked at, and costs a look at
/// the base for each that is not. The kernel does not say which it will be, but it asks for what it
/// was not told. So the first directory that a process lists comes with attributes; from the second
/// one, which comes without, is seen what the process does, and that holds for the next ones.
final class ListingHabits: Sendable {
  private struct Habit {
    let process: UInt32
    /// The directory that is watched: it was listed without attributes.
    var directory: UInt64 = 0
    /// What of it was listed and looked at, directories left out: those are looked up to be listed.
    var listed = 0
    var lookedUp = 0
    /// Directories to be listed until it is seen again.
    var rest = 0
    var looks = true
  }

  /// How long what was seen holds, in directories.
  private static let duration = 64
  private static let mostProcesses = 8
  /// Who was here last comes last.
  private let habits = Mutex<[Habit]>([])
  /// Whether anybody waits for lookups.
  private let isWatching = Atomic(false)

  /// A directory is listed, from its start or from where the last listing of it has ended.
  /// - Returns: whether with attributes.
  func looks(_ process: UInt32, at directory: UInt64, fromStart: Bool) -> Bool {
    habits.withLock { habits in
      guard let place = habits.firstIndex(where: { $0.process == process }) else {
        if habits.count == Self.mostProcesses { habits.removeFirst() }
        habits.append(Habit(process: process))
        return true
      }
      guard fromStart else { return habits[place].looks && habits[place].directory != directory }
      var habit = habits.remove(at: place)
      defer {
        habits.append(habit)
        isWatching.store(habits.contains { $0.directory != 0 }, ordering: .relaxed)
      }
      if habit.directory != 0, habit.listed > 0 {
        (habit.looks, habit.directory) = (habit.lookedUp * 4 >= habit.listed, 0)
        habit.rest = Self.duration
      }
      if habit.rest > 0 {
        habit.rest -= 1
        return habit.looks
      }
      (habit.directory, habit.listed, habit.lookedUp) = (directory, 0, 0)
      return false
    }
  }

  /// Files that a process was told without attributes.
  func listed(_ count: Int, in directory: UInt64, by process: UInt32) {
    guard isWatching.load(ordering: .relaxed) else { return }
    change(process, directory) { $0.listed += count }
  }

  /// A process looks up a file.
  func lookedUp(in directory: UInt64, by process: UInt32) {
    guard isWatching.load(ordering: .relaxed) else { return }
    change(process, directory) { $0.lookedUp += 1 }
  }

  private func change(
    _ process: UInt32, _ directory: UInt64, _ body: (inout Habit) -> Void
  ) {
    habits.withLock { habits in
      guard
        let place = habits.firstIndex(where: {
          $0.process == process && $0.directory == directory
        })
      else { return }
      body(&habits[place])
    }
  }
}
