import NaiveModel
import StrataEngine
import StrataTestSupport
import Synchronization
import SystemPackage

/// One workspace and its models, and the random operations on both.
final class RandomRun {
  let seed: UInt64
  private(set) var workspace: Workspace
  private let bases: RandomBases
  /// Nil for a workspace in memory.
  private let store: MemoryStore?
  private let clock = Clock()
  private let policy: FixedPolicy?
  private var random: SeededGenerator
  private var generator: OperationGenerator
  private var numbers = RandomNumbers()
  private var lines: [RandomLine]
  private var nextNode: Int
  /// The one that something was done to last.
  private var last: RandomLine
  private var forksMade = 0
  private var trace: [String] = []
  /// Operations done so far.
  private(set) var count = 0

  /// The time of the operation under way.
  private final class Clock: Sendable {
    let now = Atomic<Int64>(2_000_000_000_000_000_000)
  }

  /// - Parameter store: what the workspace is kept in; it is then opened again now and then.
  init(seed: UInt64, _ firstWrite: FirstWrite?, store: MemoryStore? = nil) throws {
    self.store = store
    self.seed = seed
    random = SeededGenerator(seed: seed)
    bases = RandomBases(seed: random.next(), count: random.pick([1, 2, 2, 3]))
    generator = OperationGenerator(seed: random.next(), paths: bases.paths)
    let clock = clock
    workspace = try Workspace(bases: bases.tables, store: store) {
      clock.now.load(ordering: .relaxed)
    }
    policy = firstWrite.map { FixedPolicy($0) }
    if let policy { workspace.hooks.policy = policy }
    let tree = ModelTree(bases: bases.models)
    nextNode = tree.nextNode
    last = RandomLine(workspace.main, tree)
    lines = [last]
  }

  /// - Throws: ``Mismatch`` with the last operations.
  func run(_ operations: Int) throws {
    do {
      for line in lines { try RandomComparison(line).run(&numbers) }
      let interval = RandomOperations.environment("STRATA_EVERY") ?? 400
      var nextComparison = interval
      while count < operations {
        try step()
        guard count >= nextComparison else { continue }
        nextComparison = count + interval
        let line = interval == 1 ? last : random.pick(lines)
        line.model.collect()
        try RandomComparison(line).run(&numbers)
        try difference(line)
      }
      for line in lines { try RandomComparison(line).run(&numbers) }
    } catch {
      throw Mismatch(
        "STRATA_SEED=\(seed), operation \(count): \(error)\nthe last operations, newest first:\n  "
          + trace.suffix(RandomOperations.environment("STRATA_TRACE") ?? 30)
          .reversed().joined(separator: "\n  "))
    }
  }

  /// Some operations on one fork, as one command or none; or one thing to the forks themselves.
  private func step() throws {
    let line = random.pick(lines)
    last = line
    if random.chance(10) {
      generator.refresh(
        line.model.tree.paths().keys.sorted { $0.lexicographicallyPrecedes($1) }.filter {
          !$0.isEmpty && $0.count < 200
        })
    }
    if store != nil, random.below(25) == 0 { try reopen() }
    switch random.below(1000) {
    case ..<20: try fork(line)
    case ..<28: try drop()
    case ..<60: try undo(line)
    case ..<90: try redo(line)
    case ..<650:
      let before = line.model.tree
      let logged = line.fork.history.count
      let marks = (line.model.tree.changes, line.model.departures)
      try workspace.operation("command", on: line.fork) { try operations(line) }
      try log(
        line, before, logged, line.model.tree.changes - marks.0, line.model.departures - marks.1)
    default: try operations(line)
    }
  }

  private func log(
    _ line: RandomLine, _ before: ModelTree, _ logged: Int, _ changes: Int, _ departures: Int
  ) throws {
    let isLogged = line.fork.history.count > logged
    if isLogged {
      guard changes + departures > 0 else {
        throw Mismatch("an operation is logged that changed nothing")
      }
      line.done.append((before, line.model.tree))
      line.undone = []
    }
    if changes > 0, !isLogged { throw Mismatch("an operation is not in the log") }
    if line.done.count > 40 { line.done.removeFirst(20) }
  }

  // MARK: Operations

  private func operations(_ line: RandomLine) throws {
    for _ in 0..<(1 + random.below(6)) { try operation(line) }
  }

  private func operation(_ line: RandomLine) throws {
    count += 1
    let operation = generator.next()
    line.model.tree.now = clock.now.add(1, ordering: .relaxed).newValue
    line.model.tree.nextNode = nextNode
    let isNodeLevel = random.chance(50)
    let byNode = isNodeLevel ? NodeLevel(fork: line.fork).perform(operation) : nil
    let found = byNode ?? line.engine.perform(operation)
    let expected = line.model.perform(operation)
    nextNode = line.model.tree.nextNode
    trace.append("\(line.fork.name)\(byNode == nil ? "" : "*"): \(operation): \(expected)")
    if trace.count > 200 { trace.removeFirst(100) }
    guard found == expected else { throw Mismatch("is \(found), should be \(expected)") }
    generator.learn(operation, expected)
    try list(line)
  }

  /// Goes on with the listing of a directory, or begins one.
  private func list(_ line: RandomLine) throws {
    guard var listing = line.listing else {
      guard random.chance(3) else { return }
      let tree = line.model.tree
      let directories = tree.nodes.filter { $0.value.kind == .directory }.map(\.key).sorted()
      let number = random.pick(directories)
      guard let path = tree.paths().first(where: { $0.value == number })?.key else { return }
      let node = try line.engine.client.resolve(path.isEmpty ? [0x2F] : path)
      let names = try line.model.names(in: number)
      line.listing = RandomListing(node, number: number, names: Set(names.keys))
      return
    }
    guard let names = try? line.model.names(in: listing.number) else {
      line.listing = nil
      return
    }
    listing.note(Set(names.keys))
    let isDone =
      random.chance(30)
      ? try listing.advance(line.fork, limit: 1 + random.below(4)) : false
    line.listing = isDone ? nil : listing
  }

  // MARK: Forks

  private func fork(_ parent: RandomLine) throws {
    guard lines.count < 6 else { return }
    forksMade += 1
    let fork = try workspace.fork(parent.fork, named: "f\(forksMade)")
    lines.append(RandomLine(fork, parent.model.tree))
    trace.append("fork \(parent.fork.name) -> \(fork.name)")
  }

  private func drop() throws {
    guard lines.count > 1 else { return }
    let index = 1 + random.below(lines.count - 1)
    trace.append("drop \(lines[index].fork.name)")
    lines[index].engine.open = [:]
    try workspace.drop(lines[index].fork)
    lines.remove(at: index)
  }

  /// Opens the workspace again as another process would, and goes on there.
  private func reopen() throws {
    trace.append("reopen")
    for line in lines {
      line.model.tree.now = clock.now.load(ordering: .relaxed)
      for slot in line.model.open.keys.sorted() {
        _ = line.engine.perform(.close(slot))
        _ = line.model.perform(.close(slot))
      }
    }
    try workspace.checkpoint()
    if random.chance(20) {
      _ = try workspace.collectGarbage(olderThan: .max, dryRun: false)
      for line in lines { (line.done, line.undone) = (line.done.suffix(1), []) }
    }
    if random.chance(20) {
      let line = random.pick(lines)
      trace.append("squash \(line.fork.name)")
      _ = try workspace.squash(line.fork)
      (line.done, line.undone) = ([], [])
    }
    let problems = try workspace.check().problems
    guard problems.isEmpty else { throw Mismatch("check: \(problems)") }
    let clock = clock
    workspace = try Workspace(bases: bases.tables, store: store) {
      clock.now.load(ordering: .relaxed)
    }
    if let policy { workspace.hooks.policy = policy }
    // Of the bases only nodes that a record refers to keep their numbers.
    numbers = RandomNumbers()
    for line in lines {
      guard let fork = workspace.fork(named: line.fork.name) else {
        throw Mismatch("fork \(line.fork.name) is gone after opening again")
      }
      try line.move(to: fork)
      try RandomComparison(line).run(&numbers)
    }
    guard workspace.forks.count == lines.count else { throw Mismatch("a fork came back") }
  }

  private func undo(_ line: RandomLine) throws {
    trace.append("undo \(line.fork.name)")
    guard !line.fork.history.isEmpty else {
      guard line.done.isEmpty else { throw Mismatch("the log is empty and should not be") }
      return
    }
    guard let entry = line.done.popLast() else { return }
    try workspace.undo(line.fork)
    line.undone.append(entry)
    replace(line, with: entry.before)
    try RandomComparison(line).run(&numbers)
  }

  private func redo(_ line: RandomLine) throws {
    guard let entry = line.undone.popLast() else { return }
    trace.append("redo \(line.fork.name)")
    try workspace.redo(line.fork)
    line.done.append(entry)
    replace(line, with: entry.after)
    try RandomComparison(line).run(&numbers)
  }

  private func replace(_ line: RandomLine, with tree: ModelTree) {
    line.model.replaceTree(with: tree)
    line.listing = nil
  }

  // MARK: Differences

  private func difference(_ line: RandomLine) throws {
    let difference = RandomDifference(workspace: workspace)
    let now = (value: line.fork.value, tree: line.model.tree)
    let other = random.pick(lines)
    try difference.run(from: line.earlier, to: now)
    try difference.run(from: (other.fork.value, other.model.tree), to: now)
    if random.chance(50) { line.earlier = now }
  }
}

/// Always the same choice.
final class FixedPolicy: Policy {
  let interest = EventSet([.copyUp, .redirect])
  private let firstWrite: FirstWrite
  init(_ firstWrite: FirstWrite) { self.firstWrite = firstWrite }

  func decide(_ event: Event, on fork: Fork) throws(FileError) -> Verdict {
    Verdict(firstWrite: firstWrite, rule: "test")
  }
}
