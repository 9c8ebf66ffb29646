internal import Glibc
import StrataEngine
import StrataFUSE

/// What a mount may cost, whatever the size of the tree and however many layers there are.
enum MountLimits {
  static func run(_ root: String, _ open: () throws -> Workspace) throws {
    let place = "\(root)/limits"
    mkdir(place, 0o755)
    for (files, workspace) in try [("few", open()), ("1,000,000", full())] {
      Bench.report(
        "fork to usable mount, \(files) files", try usable(workspace, place) / 1e6, "ms", limit: 5)
    }
    try firstWrite(open(), place)
    try depth(place)
  }

  private static func full() throws -> Workspace {
    let workspace = try EmptyBase.workspace()
    try workspace.main.fill(1_000_000)
    return workspace
  }

  private static func mount(_ fork: Fork, _ place: String) throws -> (Mount, MountPoint) {
    let (mount, detached) = try Mount.make(fork, MountOptions())
    return (mount, try detached.attach(at: Array(place.utf8)))
  }

  private static func mounted<R>(_ fork: Fork, _ place: String, _ body: () -> R) throws -> R {
    let (mount, point) = try mount(fork, place)
    defer {
      try? point.detach(lazily: true)
      mount.waitUntilEnded(seconds: 10)
    }
    return body()
  }

  /// From a fork to a mount that a program can use.
  private static func usable(_ workspace: Workspace, _ place: String) throws -> Double {
    var times: [Double] = []
    for index in 0..<11 {
      let start = Bench.nanoseconds()
      let fork = try workspace.fork(workspace.main, named: "u\(index)")
      try mounted(fork, place) {
        var status = stat()
        stat("\(place)/d1", &status)
        times.append(Double(Bench.nanoseconds() - start))
      }
    }
    return times.sorted()[5]
  }

  /// By redirect, into a file of 1 GiB from below that nobody has touched.
  private static func firstWrite(_ workspace: Workspace, _ place: String) throws {
    let page = [UInt8](repeating: 1, count: 4096)
    var times: [Double] = []
    for index in 0..<11 {
      let fork = try workspace.fork(workspace.main, named: "w\(index)")
      try mounted(fork, place) {
        let (time, written) = Bench.time {
          let file = Glibc.open("\(place)/large", O_WRONLY)
          defer { close(file) }
          return pwrite(file, page, 4096, 512 << 20)
        }
        times.append(written == 4096 ? time : .nan)
      }
    }
    Bench.report(
      "first 4 KiB into a file of 1 GiB from below", times.sorted()[5] / 1e6, "ms", limit: 2)
  }

  /// Cold lookups under so many layers, each of which has changed another name, in pairs with one
  /// layer: a fresh mount each time.
  private static func depth(_ place: String) throws {
    let (one, shallow) = try ForkBenchmarks.nested(1)
    for layers in [400, 10_000] {
      let (many, deep) = try ForkBenchmarks.nested(layers)
      var ratios: [Double] = []
      for _ in 0..<20 {
        let times = try [shallow, deep].map { try mounted($0, place) { stats(place) } }
        ratios.append(times[1] / times[0])
      }
      withExtendedLifetime(many) {}
      Bench.report(
        "cold stat under \(layers) layers against one", ratios.sorted()[10], "×", limit: 1.1)
    }
    withExtendedLifetime(one) {}
  }

  private static func stats(_ place: String) -> Double {
    var failures = 0
    let (time, _) = Bench.time {
      for index in 0..<1000 {
        var status = stat()
        if stat("\(place)/d0/file\(index)", &status) != 0 { failures += 1 }
      }
    }
    return failures == 0 ? time : .nan
  }
}
