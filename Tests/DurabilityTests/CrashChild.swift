import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import SystemPackage

/// One life of the process that works on a workspace until it ends or is killed.
struct CrashChild {
  /// What it said was durable; nil if it did not come so far as to open the workspace.
  let acknowledged: UInt64?
  let output: String
  let status: Int32

  private static let tools: String = {
    let own = CommandLine.arguments[0]
    let parts = own.split(separator: "/", omittingEmptySubsequences: false)
    // The test bundle is in the build's directory, or the helper that runs it says so.
    if let index = parts.lastIndex(where: { $0.hasSuffix(".xctest") }) {
      return parts[..<index].joined(separator: "/")
    }
    return parts.dropLast().joined(separator: "/")
  }()

  /// - Parameter faults: the shim's variables without `FAULT_`.
  init(_ directory: String, seed: UInt64, steps: Int, _ faults: [String: String] = [:]) throws {
    var words = ["env"]
    if !faults.isEmpty {
      words += ["LD_PRELOAD=\(Self.tools)/libFaultShim.so", "FAULT_UNDER=\(directory)"]
      words += faults.map { "FAULT_\($0.key)=\($0.value)" }
    }
    let child = try ChildProcess(
      words + ["\(Self.tools)/strata-crash", directory, String(seed), String(steps)])
    self.init(child)
  }

  /// A process that commits `main` of the workspace of a directory to its base.
  /// - Parameters:
  ///   - options: of the commit.
  ///   - seed: of changes that it makes in the fork between planning and committing; nil for none.
  init(
    committing directory: String, options: [String] = [], meanwhile seed: UInt64? = nil,
    _ faults: [String: String]
  ) throws {
    let variables = faults.map { "FAULT_\($0.key)=\($0.value)" }
    let program =
      seed.map { ["\(Self.tools)/strata-crash", "commit", String($0)] }
      ?? ["\(Self.tools)/strata", "--alone", "commit", "-y"] + options
    self.init(
      try ChildProcess(
        ["env", "-C", directory, "LD_PRELOAD=\(Self.tools)/libFaultShim.so"] + variables + program))
  }

  /// The digest of what the fork showed before the commit began, once that was durable.
  var shown: UInt64? {
    output.split(separator: "\n").last { $0.hasPrefix("shown ") }.flatMap {
      UInt64($0.dropFirst(6))
    }
  }

  /// A process that does a line of commands in the workspace of a directory; only calls on the store
  /// itself are met.
  init(running line: String, in directory: String, _ options: [String], _ faults: [String: String])
    throws
  {
    let variables = faults.map { "FAULT_\($0.key)=\($0.value)" }
    let shim = ["LD_PRELOAD=\(Self.tools)/libFaultShim.so", "FAULT_UNDER=\(directory)/.strata"]
    self.init(
      try ChildProcess(
        ["env", "-C", directory] + shim + variables + ["\(Self.tools)/strata", "--alone"] + options
          + ["-c", line]))
  }

  private init(_ child: ChildProcess) {
    output = child.text
    status = child.status
    acknowledged = child.text.split(separator: "\n").last {
      $0.hasPrefix("done ") || $0.hasPrefix("open ")
    }
    .flatMap { UInt64($0.dropFirst(5)) }
  }
}

/// The same steps in memory, to compare a reopened workspace with.
final class CrashModel {
  private let clock = CrashRun.Clock()
  private let run: CrashRun
  var steps: UInt64 { run.steps }

  init(seed: UInt64) throws {
    let clock = clock
    run = CrashRun(try Workspace(bases: [CrashRun.base]) { clock.now }, seed: seed)
  }

  /// Opens the workspace as the next process would: it must pass its check, hold all that was
  /// acknowledged, and be what some number of steps lead to.
  /// - Parameter atMost: the most steps that can have been done.
  func compare(_ directory: String, acknowledged: UInt64, atMost: UInt64 = .max) throws {
    let clock = CrashRun.Clock()
    let store = try DurableStore(directory: Array(directory.utf8))
    let workspace = try Workspace(bases: [CrashRun.base], store: store) { clock.now }
    let problems = try workspace.check().problems
    guard problems.isEmpty else { throw CrashMismatch("check: \(problems)") }
    let found = CrashRun(workspace, seed: 0).steps
    guard found >= acknowledged, found <= atMost else {
      throw CrashMismatch("\(found) steps are there, \(acknowledged) were acknowledged")
    }
    guard found >= run.steps else { throw CrashMismatch("the model is ahead") }
    while run.steps < found { try run.step(self.clock) }
    guard workspace.forks.map(\.name) == run.workspace.forks.map(\.name) else {
      throw CrashMismatch(
        "the forks are \(workspace.forks.map(\.name)) for \(run.workspace.forks.map(\.name))")
    }
    for (fork, twin) in zip(workspace.forks, run.workspace.forks) {
      guard fork.history.map(\.command) == twin.history.map(\.command) else {
        throw CrashMismatch("the log of \(fork.name) differs after \(found) steps")
      }
      if let difference = try TreeDump(fork).difference(from: TreeDump(twin)) {
        throw CrashMismatch("fork \(fork.name) after \(found) steps: \(difference)")
      }
    }
  }
}

struct CrashMismatch: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
