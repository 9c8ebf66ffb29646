internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// The directories that commits stage and keep in, and what is in them besides that.
extension HostCommit {
  func directory(of commit: [UInt8]) -> HeldPath { commits.appending(commit) }

  func makeDirectory(_ name: [UInt8]) throws(FileError) {
    let host = HostTree()
    if isInBase, try host.status(commits.path) == nil {
      let times = topTimes
      try host.makeDirectory(commits.path, mode: 0o700)
      let ignored = try host.create(
        commits.appending(Self.ignored).path, mode: 0o600, durable: false)
      try ignored.write(Array("*\n".utf8), at: 0)
      try ignored.finish()
      restore(times)
    }
    try host.makeDirectory(commits.path, mode: 0o700, existing: .replace)
    host.removeAll(directory(of: name).path)
    try host.makeDirectory(directory(of: name).path, mode: 0o700)
  }

  /// Git leaves out what is in a base and not the base's.
  private static let ignored = Array(".gitignore".utf8)

  private var isInBase: Bool {
    commits.path.starts(with: base.path + [UInt8(ascii: "/")] + HiddenNames.commits)
  }

  /// The top's times, which names that are not shown have nothing to do with.
  var topTimes: HostAttributes? {
    guard isInBase, let row = try? HostTree().status(base.path, follow: true) else { return nil }
    return HostAttributes(accessed: row.accessed, modified: row.modified)
  }

  func restore(_ times: HostAttributes?) {
    if let times { _ = try? HostTree().setAttributes(base.path, times, follow: true) }
  }

  /// Leaves nothing in the base while nothing is kept.
  func removeUnused() {
    guard isInBase, (try? HostTree().status(commits.path))??.kind == .directory,
      let names = try? names(), names.isEmpty
    else { return }
    let times = topTimes
    HostTree().removeAll(commits.path)
    restore(times)
  }

  func names() throws(FileError) -> [[UInt8]] {
    do throws(FileError) {
      return try HostTree().list(commits.path).filter { $0.kind == .directory }.map(\.name.bytes)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return [] }
      throw error
    }
  }

  /// Names are moved between the two, which only works within a file system.
  func checkFileSystem(_ place: HostCommitDirectory) throws(FileError) {
    do throws(Errno) {
      guard try place.base.status().device == place.directory.status().device else {
        throw Errno.improperLink
      }
    } catch {
      throw FileError(
        error,
        error == .improperLink
          ? "the workspace is on another file system than its base, and a commit moves names" : nil)
    }
  }

  func write(
    _ journal: HostJournal, _ place: HostCommitDirectory
  ) throws(FileError) {
    do throws(Errno) {
      // All that is staged is on the disk before the journal says so.
      try place.directory.syncFileSystem()
      try place.directory.replace(Self.journal, with: journal.encoded)
    } catch {
      throw FileError(error, "journal")
    }
  }

  func contents(
    _ name: [UInt8], _ place: HostCommitDirectory
  ) throws(FileError) -> [UInt8]? {
    let file: any BaseFile
    do throws(FileError) {
      file = try HostTree().open(place.staged(name))
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
    var bytes = [UInt8](repeating: 0, count: Int(try file.stamp().size))
    let count = try bytes.withUnsafeMutableBytes { buffer -> Swift.Result<Int, FileError> in
      do throws(FileError) {
        return .success(try file.read(into: buffer, at: 0))
      } catch {
        return .failure(error)
      }
    }.get()
    return Array(bytes[..<count])
  }
}
