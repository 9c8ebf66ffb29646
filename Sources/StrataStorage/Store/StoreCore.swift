internal import StrataEngine
internal import Synchronization

/// What of a store several threads use: one at a time.
final class StoreCore: @unchecked Sendable {
  private let mutex = Mutex(())
  // Sendable: both only while the mutex is held.
  let database: Database
  let files: DataFiles

  init(_ database: Database, _ files: DataFiles) {
    (self.database, self.files) = (database, files)
  }

  func locked<R>(_ body: () throws(FileError) -> R) throws(FileError) -> R {
    try mutex.withLock { _ -> Result<UncheckedBox<R>, FileError> in
      do throws(FileError) {
        return .success(UncheckedBox(value: try body()))
      } catch {
        return .failure(error)
      }
    }.get().value
  }
}

/// Takes a value out of a mutex's closure; it is used by the caller's thread alone.
private struct UncheckedBox<Value>: @unchecked Sendable {
  let value: Value
}
