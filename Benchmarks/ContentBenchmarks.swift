internal import Glibc
internal import StrataEngine
internal import StrataStorage

/// One 4 KiB write into a 1 GiB file of the host, by each policy; and a chmod.
enum ContentBenchmarks {
  static func run() throws {
    var template = Array("/var/tmp/strata-bench.XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw FileError(.ioError, "mkdtemp") }
    let directory = String(cString: made)
    defer {
      unlink("\(directory)/big")
      rmdir(directory)
    }
    try makeFile("\(directory)/big", mebibytes: 1024)
    try measure("redirect", .redirect, directory, copies: 4096, limit: 1000)
    try measure("copy-up", .copyUp, directory, copies: 1_073_741_824, limit: nil)
    let workspace = try open(directory, nil)
    let node = try workspace.main.lookup("big", in: .root)
    let (time, _) = try Bench.time {
      try workspace.main.setAttributes(node, AttributeChanges(mode: 0o600), by: .superuser)
    }
    Bench.report("chmod of a 1 GiB file from below", time / 1000, "µs")
    Bench.report(
      "  content copied", Double(workspace.main.layerStats.bytesCopied), "bytes", limit: 0)
  }

  private static func measure(
    _ what: String, _ choice: FirstWrite, _ directory: String, copies: Double, limit: Double?
  ) throws {
    let workspace = try open(directory, choice)
    let node = try workspace.main.lookup("big", in: .root)
    let page = [UInt8](repeating: 1, count: 4096)
    let pages = Workspace.pagesInMemory
    let (time, _) = try Bench.time {
      _ = try workspace.main.open(node, [.write], by: .superuser).write(page, at: 512 << 20)
    }
    Bench.report("4 KiB into a 1 GiB file from below, \(what)", time / 1000, "µs", limit: limit)
    let held = Double((Workspace.pagesInMemory - pages) * Block.size)
    Bench.report("  content that the layer then holds", held, "bytes", limit: copies)
  }

  private static func open(_ directory: String, _ choice: FirstWrite?) throws -> Workspace {
    let base = try HostDirectory(path: Array(directory.utf8))
    let workspace = try Workspace(bases: [base]) { 0 }
    if let choice { workspace.hooks.policy = FixedPolicy(choice) }
    return workspace
  }

  private static func makeFile(_ path: String, mebibytes: Int) throws {
    let fd = Glibc.open(path, O_CREAT | O_WRONLY | O_TRUNC, 0o644)
    guard fd >= 0 else { throw FileError(.ioError, path) }
    defer { close(fd) }
    let chunk = [UInt8](repeating: 0xA5, count: 1 << 20)
    for _ in 0..<mebibytes {
      guard Glibc.write(fd, chunk, chunk.count) == chunk.count else {
        throw FileError(.noSpace, path)
      }
    }
  }
}

/// Answers every first write alike.
final class FixedPolicy: Policy {
  let interest: EventSet = EventSet([.copyUp, .redirect])
  private let choice: FirstWrite

  init(_ choice: FirstWrite) { self.choice = choice }

  func decide(_ event: Event, on fork: Fork) throws(FileError) -> Verdict {
    Verdict(firstWrite: choice)
  }
}
