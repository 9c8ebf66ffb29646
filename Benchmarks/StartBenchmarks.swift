internal import Glibc

/// How long it takes until the built program has run its first command and left. `scripts/bench`
/// builds it and says where it is.
enum StartBenchmarks {
  static func run() throws {
    guard let binary = getenv("STRATA_BINARY").map({ String(cString: $0) }) else {
      print("     (STRATA_BINARY is not set: start not measured)")
      return
    }
    for base in ["/tmp", "/usr", "/"] {
      var runs: [Double] = []
      for _ in 0..<21 { runs.append(Bench.time { start(binary, base) }.0 / 1_000_000) }
      Bench.report("start over \(base), one command, leave", runs.sorted()[10], "ms", limit: 50)
    }
  }

  private static func start(_ binary: String, _ base: String) {
    var pid: pid_t = 0
    let arguments = [binary, "--no-rc", "--base", base, "-c", "true"]
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { (word: String) in strdup(word) }
    words.append(nil)
    defer { for word in words { free(word) } }
    guard posix_spawn(&pid, binary, nil, nil, &words, environ) == 0 else { return }
    var status: Int32 = 0
    waitpid(pid, &status, 0)
  }
}
