internal import Glibc
import StrataEngine
import StrataFUSE
import StrataStorage

/// Programs in a mount, in pairs with kernel overlayfs, fuse-overlayfs and the native file system.
/// Must be run as root; in `/var/tmp`, or in the directory that `STRATA_BENCH_DIR` names. With
/// `STRATA_BENCH_KIND`, only what has that in its name (`20k` for `rm 20k`, which needs what is created).
enum MountBenchmarks {
  private struct Target {
    let name: String
    let directory: String
    let start: () throws -> Void
    let stop: () -> Void
    /// Whether one round of it is enough: it is slow, and far from the others.
    var isSlow = false
  }

  static func run() throws {
    let place = getenv("STRATA_BENCH_DIR").map { String(cString: $0) } ?? "/var/tmp"
    let root = "\(place)/strata-bench.\(getpid())"
    mkdir(root, 0o755)
    defer { shell("rm -rf \(root)") }
    fill(root)
    sync()
    let wanted = getenv("STRATA_BENCH_KIND").map { String(cString: $0) }
    let kinds = MountWork.kinds.filter { wanted.map($0.name.contains) ?? true }
    if wanted == nil { try MountLimits.run(root) { try open(root) } }
    let targets = [
      try strata(root, "strata"), overlay(root), try strata(root, "durable"), fuseOverlay(root),
      native(root),
    ]
    let times = measure(kinds, targets, root)
    print(
      "     \(Bench.pad("milliseconds", 26)) strata overlay durable  fuse-o  native"
        + "   ×overlay, durable (goal)")
    for (index, kind) in kinds.enumerated() {
      let row = times.map { $0.isEmpty ? "-" : Bench.format($0[index] / 1e6) }
      let ratios = [0, 2].map {
        times[$0].isEmpty || times[1].isEmpty ? .nan : times[$0][index] / times[1][index]
      }
      // What a store may cost is a third.
      let isReached = ratios[0] <= kind.goal && ratios[1] <= kind.goal * 1.3
      let verdict = isReached ? "ok  " : "MISS"
      print(
        "\(verdict) \(Bench.pad(kind.name, 26))"
          + row.map { String(repeating: " ", count: max(1, 8 - $0.count)) + $0 }.joined()
          + "   \(Bench.format(ratios[0])), \(Bench.format(ratios[1])) (\(Bench.format(kind.goal)))"
      )
    }
  }

  /// The middle one of each kind's times in each target; none for a target that is not there. Each
  /// kind in all targets, one soon after another, before the next: the machine's mood is the same.
  private static func measure(
    _ kinds: [MountWork.Kind], _ targets: [Target], _ root: String
  ) -> [[Double]] {
    let areThere = targets.map { target in
      do { try target.start() } catch {
        print("     \(target.name): \(error)")
        return false
      }
      return true
    }
    defer { for (target, isThere) in zip(targets, areThere) where isThere { target.stop() } }
    var times = targets.map { _ in kinds.map { _ in [Double]() } }
    for round in 0..<rounds {
      for (index, kind) in kinds.enumerated() {
        // A kernel that takes back what nobody has read for a minute would have the first one read it
        // from the disk.
        if let file = kind.cached {
          shell("cd \(root) && cat lower/\(file) native/\(file) > /dev/null")
        }
        // Each has its turn at being first.
        for turn in targets.indices {
          let target = (turn + round) % targets.count
          guard areThere[target], round == 0 || !targets[target].isSlow else { continue }
          times[target][index].append(measure(kind, targets[target].directory, root))
        }
      }
      for (target, isThere) in zip(targets, areThere) where isThere {
        shell("cd \(target.directory) && rm -rf big new t; sync .")
      }
    }
    return zip(times, areThere).map { kinds, isThere in
      isThere ? kinds.map { $0.sorted()[$0.count / 2] } : []
    }
  }

  private static let rounds = 5

  private static func shell(_ line: String) { _ = system(line) }

  private static func fill(_ root: String) {
    shell(
      """
      cd \(root) && mkdir lower && cd lower && mkdir lower && for d in $(seq 0 199); do
        mkdir lower/d$d; for f in $(seq 0 249); do echo; done |
        awk -v d=$d '{ f = "lower/d" d "/f" (NR-1); printf "%100s", "x" > f; close(f) }'
      done
      dd if=/dev/urandom of=large bs=1M count=1024 status=none
      mkdir repo && cd repo && git init -q && for d in $(seq 0 49); do mkdir d$d; 
        awk -v d=$d 'BEGIN { for (i = 0; i < 200; i++) { f = "d" d "/f" i; print f > f; close(f) } }'
      done; git add . && git -c user.name=n -c user.email=e commit -qm m; sleep 1; git status -s
      cd ../lower && tar cf ../../small.tar $(seq -f 'd%g' 0 79)
      """)
  }

  private static func open(_ root: String, store: DurableStore? = nil) throws -> Workspace {
    try Workspace(
      bases: [HostDirectory(path: Array("\(root)/lower".utf8))], store: store, keepsInodes: true,
      clock: {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(time.tv_sec) * 1_000_000_000 + Timestamp(time.tv_nsec)
      })
  }

  /// In memory, or on disk.
  private static func strata(_ root: String, _ name: String) throws -> Target {
    let directory = "\(root)/\(name)"
    mkdir(directory, 0o755)
    var store: DurableStore?
    if name == "durable" {
      mkdir("\(root)/store", 0o700)
      store = try DurableStore(directory: Array("\(root)/store".utf8))
    }
    let workspace = try open(root, store: store)
    var point: MountPoint?
    return Target(
      name: name, directory: directory,
      start: {
        var options = MountOptions()
        // As a mount without a workspace.
        options.isLogged = store != nil
        let (_, mount) = try Mount.make(workspace.main, options)
        point = try mount.attach(at: Array(directory.utf8))
      }, stop: { try? point?.detach(lazily: true) })
  }

  private static func overlay(_ root: String) -> Target {
    mounted("overlay", root) { options, directory in
      "mount -t overlay overlay -o \(options) \(directory)"
    }
  }

  private static func fuseOverlay(_ root: String) -> Target {
    var target = mounted("fuse-overlayfs", root) { options, directory in
      "fuse-overlayfs -o \(options) \(directory) 2>/dev/null"
    }
    target.isSlow = true
    return target
  }

  private struct NotThere: Error {}

  private static func mounted(
    _ name: String, _ root: String, _ command: @escaping (String, String) -> String
  ) -> Target {
    let directory = "\(root)/\(name)"
    return Target(
      name: name, directory: directory,
      start: {
        shell("mkdir \(directory) \(directory).upper \(directory).work")
        let options =
          "lowerdir=\(root)/lower,upperdir=\(directory).upper,workdir=\(directory).work"
        if system(command(options, directory)) != 0 { throw NotThere() }
      }, stop: { shell("umount \(directory)") })
  }

  private static func native(_ root: String) -> Target {
    let directory = "\(root)/native"
    return Target(
      name: "native", directory: directory,
      start: { shell("cp -a \(root)/lower \(directory); sync \(directory)") }, stop: {})
  }

  /// In a process of its own, so that client and server are two.
  private static func measure(
    _ kind: MountWork.Kind, _ directory: String, _ root: String
  ) -> Double {
    func line(_ name: String) -> String {
      "cd \(directory) && /proc/\(getpid())/exe --mount-work '\(name)' \(root)"
    }
    shell("sync")
    if kind.name.hasSuffix("cold") {
      shell("echo 2 > /proc/sys/vm/drop_caches")
      // Mounts are told what is forgotten, and go on with that for a while.
      usleep(300_000)
    }
    if let before = kind.after { shell(line(before)) }
    touch(kind.memory)
    let (time, status) = Bench.time { system(line(kind.name)) }
    if status != 0 { print("     \(kind.name) in \(directory): failed with status \(status)") }
    return status == 0 ? time : .nan
  }

  /// Has memory taken, all of it at once, and given back: what was given back last is taken first.
  private static func touch(_ count: Int) { shell("/proc/\(getpid())/exe --touch \(count)") }
}
