internal import CReadline
internal import Glibc
internal import StrataEngine
internal import SystemPackage

/// The lines typed in this session and, in `$XDG_STATE_HOME/strata/history`, in those before.
struct HistoryFile {
  /// Lines that are kept, in memory and in the file.
  static let limit: Int32 = 10_000

  private let path: [UInt8]?
  /// What went wrong with the file, to be told once.
  private var problem: Int32?
  private var isProblemTold = false

  /// - Parameter path: nil keeps the history in memory only.
  init(path: [UInt8]?) {
    self.path = path
    strata_history_start(HistoryFile.limit)
    guard let path else { return }
    let error = strata_history_load(Terminal.cString(path))
    if error != 0 { problem = error }
  }

  /// Adds a line, and writes it to the file at once, so that a crash loses nothing. Blank lines, the
  /// same line again, and those that begin with a blank are left out.
  mutating func add(_ line: [UInt8]) {
    guard let first = line.first, first != 0x20, line.contains(where: { $0 > 0x20 }),
      line != lines(last: 1).first
    else { return }
    strata_history_add(Terminal.cString(line))
    guard let path else { return }
    let error = strata_history_append(Terminal.cString(path), 1, HistoryFile.limit)
    if error != 0 { problem = error }
  }

  /// What went wrong with the file, the first time that it is asked for after that.
  mutating func takeProblem() -> FileError? {
    guard let problem, !isProblemTold else { return nil }
    isProblemTold = true
    return FileError(Errno(rawValue: problem))
  }

  /// All lines, oldest first.
  func lines(last count: Int = .max) -> [[UInt8]] {
    let all = Int(strata_history_count())
    return (max(0, all - count)..<all).compactMap { index in
      strata_history_line(Int32(index)).map { line in
        Array(UnsafeRawBufferPointer(start: line, count: strlen(line)))
      }
    }
  }
}
