import StrataEngine
import StrataStorage
import StrataTestSupport
import SystemPackage

/// A workspace in memory over a real directory, with commits to it.
final class CommitBench {
  let tree: TemporaryDirectory
  let kept: TemporaryDirectory
  let workspace: Workspace
  var main: Fork { workspace.main }
  var commit: HostCommit {
    HostCommit(
      base: HeldPath(Array(tree.path.utf8)), commits: HeldPath(Array(kept.path.utf8)))
  }

  /// - Parameter script: shell commands that make what the base holds.
  init(_ script: String) throws {
    tree = try TemporaryDirectory()
    kept = try TemporaryDirectory()
    try Self.run(script, tree)
    workspace = try Workspace(bases: [try HostDirectory(path: Array(tree.path.utf8))]) {
      1_700_000_000_000_000_000
    }
    workspace.setKeptReader(try HostDirectory(path: Array(kept.path.utf8)))
  }

  private static func run(_ script: String, _ tree: TemporaryDirectory) throws {
    let child = try ChildProcess(["sh", "-ec", "cd '\(tree.path)'; \(script)"])
    guard child.status == 0 else { throw Problem(description: "\(script): \(child.text)") }
  }

  struct Problem: Error { let description: String }

  /// Somebody else's changes on the host.
  func host(_ script: String) throws { try Self.run(script, tree) }

  /// All that can be seen of the host's tree but what nobody can set.
  func look() throws -> String {
    let what = "-mindepth 1 -printf '%P %y %m %U %G %s %T@ %l\\n'"
    let files = try ChildProcess(["sh", "-c", "cd '\(tree.path)'; find . \(what) | sort"]).text
    let sums = "find . -type f | sort | xargs -r sha256sum"
    return files + (try ChildProcess(["sh", "-c", "cd '\(tree.path)'; \(sums)"]).text)
  }

  func client(_ fork: Fork? = nil) -> Client { Client(fork ?? main, as: .superuser) }

  /// Changes in a fork, each a word and its arguments, as one operation.
  func change(_ fork: Fork? = nil, _ body: (Client) throws -> Void) throws {
    workspace.startEpoch()
    try workspace.operation("change", on: fork ?? main) { try body(client(fork)) }
  }

  func text(_ path: String, in fork: Fork? = nil) throws -> String {
    workspace.startEpoch()
    let file = try client(fork).open(Array(path.utf8), [.read])
    return String(decoding: try file.read(1 << 20, at: 0), as: UTF8.self)
  }

  func row(_ path: String) throws -> Attributes {
    try client().attributes(Array(path.utf8), follow: false)
  }

  func names(_ path: String = "/", in fork: Fork? = nil) throws -> [String] {
    workspace.startEpoch()
    return try client(fork).list(Array(path.utf8)).map {
      String(decoding: $0.name.bytes, as: UTF8.self)
    }
    .filter { $0 != "." && $0 != ".." }.sorted()
  }

  /// The fork's changes of the bases as it sees them: `added /a`.
  func changes(_ fork: Fork? = nil) throws -> [String] {
    try workspace.planCommit(fork ?? main, []).changes.map { change in
      "\(change.kind) \(String(decoding: change.path, as: UTF8.self))"
    }
  }

  func plannedConflicts() throws -> [String] {
    Self.shown(try workspace.planCommit(main, []).conflicts)
  }

  static func shown(_ conflicts: [CommitConflict]) -> [String] {
    conflicts.map { "\($0.kind) \(String(decoding: $0.path, as: UTF8.self))" }
  }

  @discardableResult
  func commitAll(_ fork: Fork? = nil) throws -> Int {
    let fork = fork ?? main
    let plan = try workspace.planCommit(fork, [])
    guard plan.conflicts.isEmpty else {
      throw Problem(description: "\(Self.shown(plan.conflicts))")
    }
    let result = try commit.run(plan, fork, "commit")
    guard result.refused.isEmpty else { throw Problem(description: "\(result.refused)") }
    return result.changes
  }
}

extension Client {
  /// Writes into a file, which is made if it is not there.
  func put(_ path: String, _ text: String, at offset: Int64 = 0) throws {
    let file = try open(Array(path.utf8), [.write], create: 0o644)
    _ = try file.write(Array(text.utf8), at: offset)
  }

  func remove(_ path: String) throws { try unlink(Array(path.utf8)) }

  /// With all that is in it.
  func removeAll(_ path: String) throws {
    for entry in try list(Array(path.utf8)) where !entry.name.isDot && !entry.name.isDotDot {
      let child = "\(path)/\(String(decoding: entry.name.bytes, as: UTF8.self))"
      if entry.kind == .directory { try removeAll(child) } else { try remove(child) }
    }
    try removeDirectory(Array(path.utf8))
  }

  func makeDirectory(_ path: String) throws { try makeDirectory(Array(path.utf8)) }
  func rename(_ path: String, to other: String) throws {
    try rename(Array(path.utf8), to: Array(other.utf8))
  }
}
