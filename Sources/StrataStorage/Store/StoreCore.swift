internal import StrataEngine
internal import Synchronization

/// What of a store several threads use: one at a time.
final class StoreCore: @unchecked Sendable {
  private let mutex = Mutex(())
  // Sendable: both only while the mutex is held.
  var database: Database
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

  /// Sums up a data file. Others use the store while it is read.
  /// - Parameters:
  ///   - prepare: with the mutex held, before the file is opened.
  ///   - settle: with the mutex held, after it was read; the sum is nil for a file that was changed
  ///     meanwhile.
  func sum<R>(
    _ key: DataFiles.Key, unless isStopped: () -> Bool = { false },
    prepare: () throws(FileError) -> R,
    settle: (R, UInt64?) throws(FileError) -> Void
  ) throws(FileError) {
    let (file, watch, prepared) = try locked { () throws(FileError) in
      let prepared = try prepare()
      return (try files.opened(key), files.watch(key), prepared)
    }
    let result: Result<UInt64?, FileError>
    do throws(FileError) {
      result = .success(try file.checksum(unless: isStopped))
    } catch {
      result = .failure(error)
    }
    try locked { () throws(FileError) in
      let isUnchanged = files.endWatch(watch)
      guard let sum = try result.get() else { return }
      try settle(prepared, isUnchanged ? sum : nil)
    }
  }
}

/// Takes a value out of a mutex's closure; it is used by the caller's thread alone.
private struct UncheckedBox<Value>: @unchecked Sendable {
  let value: Value
}
