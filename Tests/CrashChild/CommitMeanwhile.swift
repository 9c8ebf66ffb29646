import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport

/// A commit of the workspace in the current directory, and somebody who goes on in the fork.
enum CommitMeanwhile {
  static func run(seed: UInt64) -> Never {
    do {
      let found = try WorkspaceDirectory.find(from: Array(currentDirectory.utf8))
      guard let path = found else { exit(64) }
      let directory = try WorkspaceDirectory.own(path)
      try commit(path, seed)
      withExtendedLifetime(directory) { exit(0) }
    } catch {
      say("error \(error)")
      exit(1)
    }
  }

  private static func commit(_ path: [UInt8], _ seed: UInt64) throws {
    let store = try DurableStore(directory: path)
    guard let base = try store.basePaths().first else { exit(64) }
    let reader = try HostDirectory(path: base, hiding: .workspaces)
    let workspace = try Workspace(bases: [reader], store: store) { 1_800_000_000_000_000_000 }
    let kept = try KeptPlace.find(workspace: HeldPath(path), base: HeldPath(base)).path
    let plan = try workspace.planCommit(workspace.main, [])
    try change(workspace.main, seed)
    try workspace.checkpoint()
    say("shown \(try TreeDump(workspace.main).asOnHost.digest)")
    _ = try HostCommit(base: HeldPath(base), commits: HeldPath(kept)).run(
      plan, workspace.main, "commit")
  }

  private static func change(_ fork: Fork, _ seed: UInt64) throws {
    let paths = try TreeDump(fork).rows.keys.filter { $0.count < 100 && !$0.isEmpty }
      .sorted { $0.lexicographicallyPrecedes($1) }
    var generator = OperationGenerator(seed: seed, paths: paths)
    var client = ClientUnderTest(fork)
    for _ in 0..<25 {
      let operation = generator.next()
      generator.learn(operation, client.perform(operation))
    }
    client.open = [:]
  }

  private static var currentDirectory: String {
    guard let path = getcwd(nil, 0) else { return "/" }
    defer { free(path) }
    return String(cString: path)
  }

  private static func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = write(1, bytes, bytes.count)
  }
}
