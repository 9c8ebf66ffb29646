internal import Synchronization

/// References to functions that nobody holds any more; the state lets go of them when it is entered
/// next, on its own thread.
final class LuaReferences: Sendable {
  private let released = Mutex<[Int32]>([])

  func release(_ reference: Int32) { released.withLock { $0.append(reference) } }

  func takeReleased() -> [Int32] {
    released.withLock { list in
      defer { list = [] }
      return list
    }
  }
}
