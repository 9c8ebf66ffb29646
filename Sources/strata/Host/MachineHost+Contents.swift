internal import StrataEngine
internal import StrataShell
internal import SystemPackage

extension MachineHost {
  func isRegularFile(_ path: [UInt8]) -> Bool {
    (try? attributes(path, follow: true))?.kind == .regular
  }

  func isDirectory(_ path: [UInt8]) -> Bool {
    (try? attributes(path, follow: true))?.kind == .directory
  }

  /// The whole of a regular file, or all that comes from a pipe.
  /// - Throws: EISDIR for a directory.
  func contents(of path: [UInt8]) throws(FileError) -> [UInt8] {
    if try attributes(path, follow: true).kind == .directory { throw .isDirectory }
    let file = try open(path)
    var bytes: [UInt8] = []
    while true {
      let more = try file.read(1 << 16, at: Int64(bytes.count))
      if more.isEmpty { return bytes }
      bytes += more
    }
  }

  /// Replaces the file in one step: a new one is written beside it and takes its name and mode.
  func replace(_ path: [UInt8], with bytes: [UInt8]) throws(FileError) {
    let beside = path + ".strata-new".utf8
    let mode = (try? attributes(path, follow: true))?.mode ?? 0o644
    let file = try create(beside, mode: mode)
    do throws(FileError) {
      try file.write(bytes, at: 0)
      try file.finish()
      try rename(beside, to: path)
    } catch {
      try? remove(beside)
      throw error
    }
  }
}
