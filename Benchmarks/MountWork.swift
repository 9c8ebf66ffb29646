internal import Glibc

/// What a program does in a mount, one figure each: run in a process of its own, with a directory
/// `lower` that holds 200 directories of 250 files of 100 bytes, and `large`, 1 GiB.
enum MountWork {
  struct Kind {
    let name: String
    /// The most times that kernel overlayfs takes, in memory.
    let goal: Double
    /// The kind that is run just before, not measured.
    let after: String?
    /// Bytes of memory that the machine is to have at hand. Where it is a guest, a page that was free for
    /// a while is its host's, and to have it back takes longer than to write it.
    let memory: Int
    /// A file that is in the page cache of what lies below when it begins.
    let cached: String?
    let run: @Sendable (String) -> Void

    init(
      _ name: String, _ goal: Double, after: String? = nil, memory: Int = 256 << 20,
      cached: String? = nil, _ run: @escaping @Sendable (String) -> Void
    ) {
      (self.name, self.goal, self.after) = (name, goal, after)
      (self.memory, self.cached, self.run) = (memory, cached, run)
    }
  }

  static let kinds = [
    Kind("stat 50k cold", 4.5, { _ in statAll() }),
    Kind("stat 50k warm", 1.0, after: "stat 50k cold", { _ in statAll() }),
    Kind("find 50k cold", 1.1, { _ in shell("find lower > /dev/null") }),
    Kind("find and stat 50k cold", 1.0, { _ in shell("find lower -size +1000 > /dev/null") }),
    Kind("4k random reads", 1.1, cached: "large", { _ in randomReads() }),
    Kind(
      "read 1 GiB", 1.1, cached: "large",
      { _ in shell("dd if=large of=/dev/null bs=1M status=none") }),
    Kind("mmap read 1 GiB", 1.1, cached: "large", { _ in mapped() }),
    Kind("open, read, close 20k", 4.7, after: "find and stat 50k cold", { _ in readSmall() }),
    Kind("create, 4k, close 20k", 3, { _ in createSmall() }),
    Kind("rm 20k", 3, { _ in shell("rm -r new") }),
    Kind(
      "write 1 GiB", 1.1, memory: 3 << 30,
      { _ in shell("dd if=/dev/zero of=big bs=1M count=1024 status=none") }),
    Kind("tar x 20k", 4.2, { place in shell("mkdir t && tar xf \(place)/small.tar -C t") }),
    Kind("git status 10k cold", 2.5, { _ in shell("cd repo && git status -s > /dev/null") }),
    Kind(
      "git status 10k warm", 1.0, after: "git status 10k cold",
      { _ in shell("cd repo && git status -s > /dev/null") }),
  ]

  /// Runs one kind in the working directory.
  static func run(_ name: String, place: String) {
    guard let kind = kinds.first(where: { $0.name == name }) else { exit(64) }
    kind.run(place)
  }

  /// Takes memory, half of it in large pages, and gives it back with the process: both kinds are kept
  /// apart.
  static func touch(_ count: Int) {
    let (access, how) = (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    for advice in [MADV_HUGEPAGE, MADV_NOHUGEPAGE] {
      let bytes = mmap(nil, count / 2, access, how, -1, 0)
      guard let bytes, bytes != MAP_FAILED else { return }
      madvise(bytes, count / 2, advice)
      for offset in stride(from: 0, to: count / 2, by: 4096) {
        bytes.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
      }
    }
  }

  private static func shell(_ line: String) { if system(line) != 0 { exit(1) } }

  private static func forEachFile(_ body: (String) -> Void) {
    for directory in 0..<200 {
      for file in 0..<250 { body("lower/d\(directory)/f\(file)") }
    }
  }

  private static func statAll() {
    forEachFile { path in
      var status = stat()
      if lstat(path, &status) != 0 { exit(1) }
    }
  }

  private static func randomReads() {
    let file = open("large", O_RDONLY)
    var buffer = [UInt8](repeating: 0, count: 4096)
    var seed: UInt64 = 1
    for _ in 0..<50_000 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      if pread(file, &buffer, 4096, off_t((seed >> 33) % (1 << 18)) * 4096) != 4096 { exit(1) }
    }
    close(file)
  }

  private static func mapped() {
    let file = open("large", O_RDONLY)
    let size = 1 << 30
    guard let memory = mmap(nil, size, PROT_READ, MAP_SHARED, file, 0), memory != MAP_FAILED else {
      exit(1)
    }
    var sum: UInt64 = 0
    for offset in stride(from: 0, to: size, by: 4096) {
      sum &+= UInt64(memory.load(fromByteOffset: offset, as: UInt8.self))
    }
    munmap(memory, size)
    if sum == 1 { exit(1) }
  }

  private static func readSmall() {
    var buffer = [UInt8](repeating: 0, count: 4096)
    var count = 0
    forEachFile { path in
      count += 1
      guard count <= 20_000 else { return }
      let file = open(path, O_RDONLY)
      if read(file, &buffer, 4096) != 100 { exit(1) }
      close(file)
    }
  }

  private static func createSmall() {
    let buffer = [UInt8](repeating: 1, count: 4096)
    mkdir("new", 0o755)
    for directory in 0..<100 {
      mkdir("new/d\(directory)", 0o755)
      for number in 0..<200 {
        let file = open("new/d\(directory)/f\(number)", O_WRONLY | O_CREAT | O_EXCL, 0o644)
        if write(file, buffer, 4096) != 4096 { exit(1) }
        close(file)
      }
    }
  }
}
