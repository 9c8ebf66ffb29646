internal import Glibc

/// What a program does in a mount, one figure each: run in a process of its own, with a directory
/// `lower` that holds 200 directories of 250 files of 100 bytes, and `large`, 1 GiB.
enum MountWork {
  static let kinds: [(name: String, goal: Double, run: @Sendable (String) -> Void)] = [
    ("stat 50k cold", 4.5, { _ in statAll() }),
    ("stat 50k warm", 1.0, { _ in statAll() }),
    ("find 50k cold", 1.1, { _ in shell("find lower > /dev/null") }),
    ("find and stat 50k cold", 1.0, { _ in shell("find lower -size +1000 > /dev/null") }),
    ("4k random reads", 1.1, { _ in randomReads() }),
    ("read 1 GiB", 1.1, { _ in shell("dd if=large of=/dev/null bs=1M status=none") }),
    ("mmap read 1 GiB", 1.1, { _ in mapped() }),
    ("open, read, close 20k", 4.7, { _ in readSmall() }),
    ("create, 4k, close 20k", 3, { _ in createSmall() }),
    ("rm 20k", 3, { _ in shell("rm -r new") }),
    ("write 1 GiB", 1.1, { _ in shell("dd if=/dev/zero of=big bs=1M count=1024 status=none") }),
    ("tar x 20k", 4.2, { place in shell("mkdir t && tar xf \(place)/small.tar -C t") }),
    ("git status 10k cold", 2.5, { _ in shell("cd repo && git status -s > /dev/null") }),
    ("git status 10k warm", 1.0, { _ in shell("cd repo && git status -s > /dev/null") }),
  ]

  /// Runs one kind in the working directory.
  static func run(_ name: String, place: String) {
    guard let kind = kinds.first(where: { $0.name == name }) else { exit(64) }
    kind.run(place)
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
