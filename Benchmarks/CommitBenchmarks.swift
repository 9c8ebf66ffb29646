internal import Glibc
internal import StrataEngine
internal import StrataStorage

/// A commit of many changed files, next to `cp -a` of the same files in the same run.
enum CommitBenchmarks {
  private static let count = 10_000
  private static let size = 4096

  static func run() throws {
    var template = Array("/tmp/strata-bench.XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { return }
    let top = String(cString: made)
    defer { _ = shell("rm -rf '\(top)'") }
    var ratios: [Double] = []
    var (commits, copies, synced): ([Double], [Double], [Double]) = ([], [], [])
    for round in 0..<3 {
      let place = "\(top)/\(round)"
      try make(place)
      let commit = try commit(place)
      // The files as the commit has left them.
      let copy = Bench.time { shell("cp -a '\(place)/base' '\(place)/copy'") }.0 / 1e9
      let sync = Bench.time { shell("sync -f '\(place)/copy'") }.0 / 1e9
      commits.append(commit)
      copies.append(copy)
      synced.append(copy + sync)
      ratios.append(commit / copy)
    }
    Bench.report("commit of 10,000 changed files", commits.sorted()[1], "s")
    Bench.report("cp -a of them", copies.sorted()[1], "s")
    Bench.report("cp -a of them and sync -f", synced.sorted()[1], "s")
    Bench.report("commit : cp -a", ratios.sorted()[1], "times", limit: 1.5)
    let whole = zip(commits, synced).map { $0 / $1 }.sorted()[1]
    Bench.report("commit : cp -a and sync -f", whole, "times")
  }

  private static func make(_ place: String) throws {
    _ = shell("mkdir -p '\(place)/base' '\(place)/kept'")
    for directory in 0..<100 {
      let path = "\(place)/base/\(directory)"
      guard mkdir(path, 0o755) == 0 else { throw FileError(.ioError, path) }
      for file in 0..<count / 100 {
        let descriptor = open("\(path)/\(file)", O_WRONLY | O_CREAT, 0o644)
        guard descriptor >= 0 else { throw FileError(.ioError, path) }
        defer { close(descriptor) }
        let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: file), count: size)
        guard write(descriptor, bytes, size) == size else { throw FileError(.ioError, path) }
      }
    }
    _ = shell("sync -f '\(place)'")
  }

  /// - Returns: seconds.
  private static func commit(_ place: String) throws -> Double {
    let base = Array("\(place)/base".utf8)
    let workspace = try Workspace(bases: [try HostDirectory(path: base)]) {
      1_700_000_000_000_000_000
    }
    let client = Client(workspace.main, as: .superuser)
    let bytes = [UInt8](repeating: 0x78, count: size)
    for directory in 0..<100 {
      for file in 0..<count / 100 {
        try client.write(Array("/\(directory)/\(file)".utf8), bytes)
      }
    }
    let commit = HostCommit(base: base, commits: Array("\(place)/kept".utf8))
    let (time, changes) = try Bench.time {
      let plan = try workspace.planCommit(workspace.main, [])
      guard plan.conflicts.isEmpty else { throw FileError(.ioError, "conflicts") }
      return try commit.run(plan, workspace.main, "commit").changes
    }
    guard changes == count else { throw FileError(.ioError, "\(changes) changes") }
    return time / 1e9
  }

  private static func shell(_ line: String) -> Int32 {
    var pid: pid_t = 0
    var words: [UnsafeMutablePointer<CChar>?] = ["sh", "-c", line].map { (word: String) in
      strdup(word)
    }
    words.append(nil)
    defer { for word in words { free(word) } }
    guard posix_spawnp(&pid, "sh", nil, nil, &words, environ) == 0 else { return -1 }
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    return status
  }
}
