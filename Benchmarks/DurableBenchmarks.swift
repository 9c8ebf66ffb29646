internal import Glibc
import StrataEngine
import StrataStorage

/// Workspaces on disk: what forks, small files, opening and commits cost there. In `/var/tmp`, or in
/// the directory that `STRATA_BENCH_DIR` names.
enum DurableBenchmarks {
  static func run() throws {
    let place = getenv("STRATA_BENCH_DIR").map { String(cString: $0) } ?? "/var/tmp"
    let root = "\(place)/strata-bench.\(getpid())"
    mkdir(root, 0o700)
    defer { shell("rm -rf \(root)") }
    try forks(root)
    try merge(root)
    try OpeningBenchmarks.run(root)
    try copyUp(root)
    try smallFiles(root)
    try commit(root)
  }

  static func shell(_ line: String) { _ = system(line) }

  static func open(_ directory: String, base: String) throws -> Workspace {
    mkdir(directory, 0o700)
    let store = try DurableStore(directory: Array(directory.utf8))
    if try store.basePaths().isEmpty { try store.setBasePaths([Array(base.utf8)]) }
    return try Workspace(
      bases: [HostDirectory(path: Array(base.utf8), hiding: [WorkspaceDirectory.name])],
      store: store, clock: { Timestamp(Bench.nanoseconds()) })
  }

  private static func flush(_ directory: String) -> Double {
    let file = Glibc.open("\(directory)/flush", O_WRONLY | O_CREAT, 0o600)
    defer { close(file) }
    var times: [Double] = []
    for index in 0..<11 {
      times.append(
        Bench.time {
          var byte = UInt8(index)
          pwrite(file, &byte, 1, 0)
          fdatasync(file)
        }.0)
    }
    return times.sorted()[5]
  }

  private static func forks(_ root: String) throws {
    let base = "\(root)/empty"
    mkdir(base, 0o700)
    do {
      let workspace = try open("\(root)/forks", base: base)
      let client = Client(workspace.main, as: .superuser)
      try workspace.operation("fill", on: workspace.main) {
        for directory in 0..<1000 {
          try client.makeDirectory(Array("/d\(directory)".utf8), mode: 0o755)
          for file in 0..<1000 {
            _ = try client.open(
              Array("/d\(directory)/f\(file)".utf8), [.write], create: 0o644)
          }
        }
      }
      let (save, _) = try Bench.time { try workspace.checkpoint() }
      Bench.report("1,000,000 nodes made durable", save / 1e9, "s")
      var times: [Double] = []
      for number in 0..<21 {
        times.append(
          try Bench.time {
            _ = try workspace.fork(workspace.main, named: "f\(number)")
            try workspace.checkpoint()
          }.0)
      }
      let disk = flush(root)
      Bench.report(
        "durable fork of 1,000,000 nodes, without the disk's flush",
        max(times.sorted()[10] - disk, 0) / 1e6, "ms", limit: 1)
      Bench.report(
        "  with it (a flush alone: \(Int(disk / 1000)) µs)", times.sorted()[10] / 1e6, "ms")
    }
    let (time, _) = try Bench.time {
      let workspace = try open("\(root)/forks", base: base)
      _ = try Client(workspace.main, as: .superuser).attributes(Array("/d500/f500".utf8))
    }
    Bench.report("open it again and look at a file", time / 1e9, "s", limit: 1)
  }

  /// Two forks of the 1,000,000 nodes that have changed 10 files each.
  private static func merge(_ root: String) throws {
    let workspace = try open("\(root)/forks", base: "\(root)/empty")
    let left = try workspace.fork(workspace.main, named: "left")
    let right = try workspace.fork(workspace.main, named: "right")
    for (side, fork) in [left, right].enumerated() {
      try workspace.operation("change", on: fork) {
        for file in 0..<10 {
          let path = Array("/d\(100 * file + side)/f7".utf8)
          _ = try Client(fork, as: .superuser).open(path, [.write]).write([1, 2, 3], at: 0)
        }
      }
    }
    try workspace.checkpoint()
    let (time, _) = try Bench.time {
      let plan = try workspace.planMerge(right, into: left)
      try workspace.merge(plan, into: left, "merge")
    }
    Bench.report(
      "merge of 10 files each into 1,000,000 nodes, first reads included", time / 1e6, "ms",
      limit: 10)
  }

  /// The first write to a file of 1 GiB, when the policy takes all of it.
  private static func copyUp(_ root: String) throws {
    let base = "\(root)/big"
    shell(
      "mkdir \(base) && dd if=/dev/urandom of=\(base)/file bs=1M count=1024 status=none && sync")
    let workspace = try open("\(root)/copy-up", base: base)
    workspace.hooks.policy = WholeFiles()
    let (time, _) = try Bench.time {
      try workspace.operation("write", on: workspace.main) {
        _ = try Client(workspace.main, as: .superuser).open(Array("/file".utf8), [.write])
          .write([1], at: 0)
      }
    }
    let (sync, _) = try Bench.time { try workspace.checkpoint() }
    Bench.report("copy-up of 1 GiB from a base on the same disk", time / 1e9, "s")
    Bench.report("  and made durable", sync / 1e9, "s")
  }

  private final class WholeFiles: Policy {
    let interest: EventSet = .all
    func decide(_ event: Event, on fork: Fork) throws(FileError) -> Verdict {
      Verdict(firstWrite: .copyUp)
    }
  }

  private static func smallFiles(_ root: String) throws {
    let count = 20_000
    let content = [UInt8](repeating: 0x61, count: 1000)
    let base = "\(root)/empty"
    var ratios: [Double] = []
    for round in 0..<3 {
      let native = "\(root)/native\(round)"
      mkdir(native, 0o700)
      let (theirs, _) = Bench.time {
        for number in 0..<count {
          let file = Glibc.open("\(native)/f\(number)", O_WRONLY | O_CREAT | O_EXCL, 0o644)
          _ = content.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
          close(file)
        }
        let directory = Glibc.open(native, O_RDONLY)
        sync()
        close(directory)
      }
      let workspace = try open("\(root)/small\(round)", base: base)
      let client = Client(workspace.main, as: .superuser)
      let (ours, _) = try Bench.time {
        try workspace.operation("small", on: workspace.main) {
          for number in 0..<count {
            let file = try client.open(Array("/f\(number)".utf8), [.write], create: 0o644)
            _ = try file.write(content, at: 0)
          }
        }
        try workspace.checkpoint()
      }
      Bench.report(
        "  20,000 small files and a sync: \(Int(ours / 1e6)) ms, natively \(Int(theirs / 1e6)) ms",
        ours / theirs, "×")
      ratios.append(ours / theirs)
    }
    Bench.report("20,000 small files against native", ratios.sorted()[1], "×", limit: 2)
  }

  private static func commit(_ root: String) throws {
    let count = 10_000
    let base = "\(root)/tree"
    mkdir(base, 0o700)
    let content = [UInt8](repeating: 0x62, count: 4000)
    for number in 0..<count {
      if number % 100 == 0 { mkdir("\(base)/d\(number / 100)", 0o755) }
      let file = Glibc.open("\(base)/d\(number / 100)/f\(number)", O_WRONLY | O_CREAT, 0o644)
      _ = content.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
      close(file)
    }
    let strata = "\(base)/.strata"
    let workspace = try open(strata, base: base)
    let client = Client(workspace.main, as: .superuser)
    try workspace.operation("change", on: workspace.main) {
      for number in 0..<count {
        let path = Array("/d\(number / 100)/f\(number)".utf8)
        _ = try client.open(path, [.write]).write(content + [0x63], at: 0)
      }
    }
    try workspace.checkpoint()
    sync()
    let (copy, _) = Bench.time { shell("cp -a \(base) \(root)/copy && sync -f \(root)/copy") }
    let (ours, _) = try Bench.time {
      let plan = try workspace.planCommit(workspace.main, [])
      let place = HeldPath(Array(base.utf8))
      let kept = HeldPath(Array("\(strata)/kept".utf8))
      _ = try HostCommit(base: place, commits: kept).run(plan, workspace.main, "commit")
    }
    Bench.report(
      "commit of 10,000 changed files (\(Int(ours / 1e6)) ms) against cp -a (\(Int(copy / 1e6)) ms)",
      ours / copy, "×", limit: 1.5)
  }
}
