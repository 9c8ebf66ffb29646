internal import CSQLite
internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// A connection to an SQLite file. Used by one thread at a time.
final class Database {
  private var handle: OpaquePointer?
  private var prepared: [String: OpaquePointer] = [:]
  private let title: String
  /// SQLite finds its files by this, to the last.
  private let directory: Descriptor

  /// Opens or makes a file.
  /// - Parameter title: its name, of UTF-8 bytes without NUL.
  init(in directory: Descriptor, _ title: String) throws(FileError) {
    (self.directory, self.title) = (directory, title)
    let access = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    try open(path, access, by: DatabaseFiles.name)
  }

  /// Opens a file only to read it, without a write, a lock, or a file made beside it; others must see to
  /// it that nobody changes it meanwhile.
  /// - Parameters:
  ///   - title: its name, of letters, digits and dots.
  ///   - hasLog: whether SQLite's log beside it holds anything. If it does not, SQLite must not look for
  ///     it: one that is missing it would make.
  init(
    reading title: String, in directory: Descriptor, hasLog: Bool
  ) throws(FileError) {
    (self.directory, self.title) = (directory, title)
    let name = hasLog ? path : "file:\(path)?immutable=1"
    try open(name, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, by: DatabaseFiles.nameWithoutLocks)
  }

  private var path: String { "/proc/self/fd/\(directory.rawValue)/\(title)" }

  private func open(_ name: String, _ access: Int32, by files: String) throws(FileError) {
    guard DatabaseFiles.areKnown else { throw FileError(.noMemory, title) }
    let code = sqlite3_open_v2(name, &handle, access | SQLITE_OPEN_NOMUTEX, files)
    if code != SQLITE_OK { throw failure(code) }
    sqlite3_extended_result_codes(handle, 1)
  }

  deinit { close() }

  /// Nothing can be done with it any more.
  func close() {
    for statement in prepared.values { sqlite3_finalize(statement) }
    prepared = [:]
    sqlite3_close_v2(handle)
    handle = nil
  }

  /// Runs statements that return nothing of interest.
  func execute(_ text: String) throws(FileError) {
    let code = sqlite3_exec(handle, text, nil, nil, nil)
    if code != SQLITE_OK { throw failure(code) }
  }

  /// Runs one statement with its values, and gives each row to `body`.
  func run(
    _ text: String, _ values: [Value] = [], _ body: (Row) throws(FileError) -> Void = { _ in }
  ) throws(FileError) {
    let statement = try prepare(text)
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    for (index, value) in values.enumerated() {
      let code = value.bind(to: statement, at: Int32(index + 1))
      if code != SQLITE_OK { throw failure(code) }
    }
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW: try body(Row(statement: statement))
      case SQLITE_DONE: return
      case let code: throw failure(code)
      }
    }
  }

  /// How many rows the last statement has put, changed or removed.
  var changes: Int { Int(sqlite3_changes(handle)) }

  /// What a query for one number of one number says: nil if there is no row. For who asks where most
  /// answers are errors.
  func firstNumber(_ text: String, _ value: Int64) -> Result<Int64?, FileError> {
    let statement: OpaquePointer
    do throws(FileError) { statement = try prepare(text) } catch { return .failure(error) }
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    sqlite3_bind_int64(statement, 1, value)
    switch sqlite3_step(statement) {
    case SQLITE_ROW: return .success(sqlite3_column_int64(statement, 0))
    case SQLITE_DONE: return .success(nil)
    case let code: return .failure(failure(code))
    }
  }

  /// All or nothing.
  func transaction(_ body: () throws(FileError) -> Void) throws(FileError) {
    try execute("BEGIN IMMEDIATE")
    do throws(FileError) {
      try body()
      try execute("COMMIT")
    } catch {
      // After some errors SQLite has rolled back by itself; then this one has nothing to do.
      try? execute("ROLLBACK")
      throw error
    }
  }

  /// What the file itself begins with, by the connection's own descriptor: to close another one would
  /// give up its lock.
  func firstBytes(_ count: Int) throws(FileError) -> [UInt8] {
    var file: UnsafeMutablePointer<sqlite3_file>?
    var code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file)
    guard code == SQLITE_OK, let file, let read = file.pointee.pMethods?.pointee.xRead else {
      throw failure(code)
    }
    var bytes = [UInt8](repeating: 0, count: count)
    code = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress, Int32(count), 0) }
    guard code == SQLITE_OK else { throw failure(code) }
    return bytes
  }

  private func prepare(_ text: String) throws(FileError) -> OpaquePointer {
    if let statement = prepared[text] { return statement }
    var statement: OpaquePointer?
    let code = sqlite3_prepare_v3(
      handle, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
    guard code == SQLITE_OK, let statement else { throw failure(code) }
    prepared[text] = statement
    return statement
  }

  private func failure(_ code: Int32) -> FileError {
    let system = handle.map { sqlite3_system_errno($0) } ?? 0
    let text = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
    let errno: Errno =
      switch code & 0xFF {
      case SQLITE_FULL: .noSpace
      case SQLITE_READONLY: .readOnlyFileSystem
      case SQLITE_NOMEM: .noMemory
      case SQLITE_BUSY, SQLITE_LOCKED: .resourceBusy
      case SQLITE_PERM, SQLITE_AUTH: .permissionDenied
      case SQLITE_IOERR, SQLITE_CANTOPEN: system == 0 ? .ioError : Errno(rawValue: system)
      default: .ioError
      }
    return FileError(errno, "\(title): \(text)")
  }

  /// What a statement is given in place of a `?`.
  enum Value {
    case integer(Int64)
    case number(UInt64)
    case blob([UInt8])
    case text(String)
    case null

    fileprivate func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
      // SQLite makes its own copy.
      let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
      switch self {
      case .integer(let value): return sqlite3_bind_int64(statement, index, value)
      case .number(let value):
        return sqlite3_bind_int64(statement, index, Int64(bitPattern: value))
      case .blob(let bytes) where bytes.isEmpty: return sqlite3_bind_zeroblob(statement, index, 0)
      case .blob(let bytes):
        return bytes.withUnsafeBytes {
          sqlite3_bind_blob(statement, index, $0.baseAddress, Int32($0.count), transient)
        }
      case .text(let text): return sqlite3_bind_text(statement, index, text, -1, transient)
      case .null: return sqlite3_bind_null(statement, index)
      }
    }
  }

  /// A row of a result, while it is the current one.
  struct Row {
    fileprivate let statement: OpaquePointer

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
    func number(_ column: Int32) -> UInt64 { UInt64(bitPattern: integer(column)) }
    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

    func blob(_ column: Int32) -> [UInt8] {
      guard let start = sqlite3_column_blob(statement, column) else { return [] }
      let count = Int(sqlite3_column_bytes(statement, column))
      return Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    func text(_ column: Int32) -> String { String(decoding: blob(column), as: UTF8.self) }

    /// As they are stored.
    var values: [Value] { (0..<sqlite3_column_count(statement)).map(value) }

    private func value(_ column: Int32) -> Value {
      switch sqlite3_column_type(statement, column) {
      case SQLITE_NULL: .null
      case SQLITE_INTEGER: .integer(integer(column))
      case SQLITE_TEXT: .text(text(column))
      default: .blob(blob(column))
      }
    }
  }
}
