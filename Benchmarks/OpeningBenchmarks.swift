internal import Glibc
import StrataEngine
import StrataStorage

/// What opening a workspace costs that has much in it, of which little is looked at.
enum OpeningBenchmarks {
  /// - Parameter root: where `forks` is a store with 1,000,000 nodes over `empty`.
  static func run(_ root: String) throws {
    try program(root, store: "\(root)/forks", "1,000,000 changed nodes", look: "stat d500/f500")
    try fill(root, "operations") { workspace in
      for number in 0..<100_000 {
        workspace.operation("step \(number)", on: workspace.main) {
          workspace.main.setAnnotation(plugin: "bench", key: "step", [UInt8(number & 0xFF)])
        }
      }
    }
    try program(root, store: "\(root)/operations", "100,000 operations", look: "op show 50000")
    try fill(root, "many-forks") { workspace in
      for number in 0..<10_000 { _ = try workspace.fork(workspace.main, named: "f\(number)") }
    }
    try program(root, store: "\(root)/many-forks", "10,000 forks", look: "switch f5000")
  }

  private static func fill(
    _ root: String, _ name: String, _ body: (Workspace) throws -> Void
  ) throws {
    let workspace = try DurableBenchmarks.open("\(root)/\(name)", base: "\(root)/empty")
    try body(workspace)
    try workspace.checkpoint()
  }

  /// What a person waits for, and what the owner's process then takes.
  /// - Parameter look: a command that looks at something in it.
  private static func program(
    _ root: String, store: String, _ what: String, look: String
  ) throws {
    guard let binary = getenv("STRATA_BINARY").map({ String(cString: $0) }) else { return }
    let place = "\(root)/opened"
    try shell(
      """
      rm -rf \(place) && mkdir \(place) && cd \(place) && \(binary) --no-rc init >/dev/null
      while [ -S .strata/socket ]; do sleep 0.1; done
      mv \(store)/store.db* .strata/ && rm -rf .strata/data && mv \(store)/data .strata/
      """)
    let (time, _) = try Bench.time {
      try shell("cd \(place) && \(binary) --no-rc -c pwd >/dev/null")
    }
    Bench.report("first prompt of a workspace with \(what)", time / 1e9, "s", limit: 1)
    try shell(
      """
      cd \(place); while [ -S .strata/socket ]; do sleep 0.1; done
      resident() { awk '/VmRSS/ { print $2 }' /proc/$(cat .strata/lock)/status; }
      { echo pwd; sleep 1; resident >first; echo '\(look)'; sleep 1; resident >second; } |
        \(binary) --no-rc >/dev/null
      """)
    for (file, moment) in [("first", "then"), ("second", "after a lookup")] {
      Bench.report(
        "  memory of the owner \(moment)", try number(in: "\(place)/\(file)") / 1024, "MiB",
        limit: 100)
    }
  }

  private static func shell(_ line: String) throws {
    guard system(line) == 0 else { throw FileError(.ioError, "failed: \(line)") }
  }

  private static func number(in file: String) throws -> Double {
    guard let stream = fopen(file, "r") else { throw FileError(.noSuchFileOrDirectory, file) }
    defer { fclose(stream) }
    var text = [CChar](repeating: 0, count: 32)
    guard fgets(&text, 32, stream) != nil else { throw FileError(.ioError, file) }
    return atof(text)
  }
}
