internal import CSQLite
internal import Glibc

/// How SQLite reaches its files: as it always does on Unix, but by the path that it is given.
///
/// Its own way is to follow symbolic links first and to keep the path that comes of it. For
/// `/proc/self/fd/N/store.db` that is the directory's own path, and a fork may be mounted over that
/// later: the log that it makes anew, and the directory that it syncs then, would be the fork's, served
/// by the process that waits for them.
enum DatabaseFiles {
  static let name = "strata"
  /// The same without locks, for files that are only read.
  static let nameWithoutLocks = "strata-none"

  /// Whether SQLite knows of both by their names; not for want of memory alone.
  static let areKnown = add(name, like: "unix") && add(nameWithoutLocks, like: "unix-none")

  private static func add(_ name: String, like other: String) -> Bool {
    guard let known = sqlite3_vfs_find(other), let name = strdup(name) else { return false }
    // SQLite keeps both for good.
    let files = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    files.initialize(to: known.pointee)
    files.pointee.zName = UnsafePointer(name)
    files.pointee.pNext = nil
    files.pointee.xFullPathname = { _, path, capacity, result in
      guard let path, let result else { return SQLITE_CANTOPEN }
      let size = strlen(path) + 1
      guard size <= Int(capacity) else { return SQLITE_CANTOPEN }
      memcpy(result, path, size)
      return SQLITE_OK
    }
    return sqlite3_vfs_register(files, 0) == SQLITE_OK
  }
}
