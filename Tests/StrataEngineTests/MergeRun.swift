import NaiveModel
import StrataTestSupport
import SystemPackage

@testable import StrataEngine

/// A workspace with two forks that were changed at random.
final class MergeRun {
  let workspace: Workspace
  let ours: Fork
  private(set) var theirs: Fork
  private var start: Namespace
  private let seed: UInt64
  private let withNames: Bool
  private var random: SeededGenerator
  private var log: [String] = []
  /// Paths of directories that were removed, which are not made again: with another node under the
  /// same path, paths and nodes do not tell the same story.
  private var gone: [ForkID: Set<String>] = [:]
  private static let names = ["a", "b", "c", "d", "e"]

  init(seed: UInt64, withNames: Bool, changesOurs: Bool = true) throws {
    self.seed = seed
    self.withNames = withNames
    random = SeededGenerator(seed: seed)
    let table = TableBase("base", device: 1)
    for directory in ["a", "b", "a/c", "a/c/d", "b/e"] { table.add(directory, .directory) }
    for file in ["a/a", "a/b", "a/c/a", "a/c/d/a", "b/a", "b/e/b", "c", "d"] {
      table.add(file, .file(Self.text(&random, file)))
    }
    if withNames {
      table.add("b/d", .symlink("a"))
      table.link("a/a", as: "b/c")
    }
    workspace = try Workspace(bases: [table], clock: { 1_000_000 })
    ours = workspace.main
    theirs = ours
    start = ours.value
    try change(ours, 3)
    let work = try workspace.fork(ours, named: "work")
    (self.theirs, start) = (work, ours.value)
    if changesOurs { try change(ours, 1 + random.below(8)) }
    try change(work, 1 + random.below(8))
  }

  var story: String { "STRATA_SEED=\(seed)\n  " + log.joined(separator: "\n  ") }

  /// Lines that are all different.
  private static func text(_ random: inout SeededGenerator, _ name: String) -> String {
    (0..<8).map { "\(name) \($0) \(random.below(1_000_000))\n" }.joined()
  }

  // MARK: Changes

  private func change(_ fork: Fork, _ count: Int) throws {
    for _ in 0..<count {
      try workspace.operation("change", on: fork) { try changeOne(fork) }
    }
  }

  private func path() -> String {
    (0...random.below(3)).map { _ in "/" + random.pick(Self.names) }.joined()
  }

  private func changeOne(_ fork: Fork) throws {
    let client = Client(fork, as: .superuser)
    // Twenty tries, since most of what one makes up does not go.
    for _ in 0..<20 {
      let path = path()
      if gone[fork.id]?.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) == true {
        continue
      }
      let bytes = Array(path.utf8)
      do throws(FileError) {
        let what = try attempt(client, fork, path, bytes)
        guard !what.isEmpty else { continue }
        log.append("\(fork.name): \(what)")
        return
      } catch {
        continue
      }
    }
  }

  private func attempt(
    _ client: Client, _ fork: Fork, _ path: String, _ bytes: [UInt8]
  ) throws(FileError) -> String {
    let row = try? client.attributes(bytes, follow: false)
    switch random.below(withNames ? 100 : 60) {
    case ..<20:
      guard row == nil || row?.kind == .regular else { return "" }
      let whole = row == nil || random.chance(40)
      let old = whole ? Array(Self.text(&random, path).utf8) : try client.read(bytes)
      var lines = old.split(separator: 10).map { Array($0) }
      if !whole, !lines.isEmpty { lines[random.below(lines.count)] = random.bytes(8) }
      try client.write(bytes, lines.flatMap { $0 + [10] })
      return "write \(whole ? "all of " : "")\(path)"
    case ..<30:
      try client.makeDirectory(bytes, mode: 0o755)
      return "mkdir \(path)"
    case ..<45:
      guard let row else { return "" }
      try remove(client, bytes)
      if row.kind == .directory { gone[fork.id, default: []].insert(path) }
      return "rm -r \(path)"
    case ..<52:
      guard let row, row.kind != .symlink else { return "" }
      let mode: UInt32 = random.pick([0o600, 0o640, 0o700])
      try client.setAttributes(bytes, AttributeChanges(mode: mode))
      return "chmod \(String(mode, radix: 8)) \(path)"
    case ..<60:
      guard row?.kind == .regular || row?.kind == .directory else { return "" }
      let value = random.bytes(2)
      try client.setExtendedAttribute(bytes, Name(random.pick(["user.a", "user.b"])), value)
      return "setxattr \(path)"
    case ..<82:
      let target = self.path()
      try client.rename(bytes, to: Array(target.utf8))
      return "mv \(path) \(target)"
    case ..<90:
      let target = self.path()
      try client.link(bytes, as: Array(target.utf8))
      return "ln \(path) \(target)"
    case ..<94:
      try client.makeSymlink(bytes, target: random.bytes(3))
      return "ln -s \(path)"
    default:
      // As an editor saves: another file, renamed over this one.
      guard row?.kind == .regular else { return "" }
      let temporary = Array("/tmp-\(random.below(1_000_000))".utf8)
      try client.write(temporary, Array(Self.text(&random, path).utf8))
      try client.rename(temporary, to: bytes)
      return "save \(path)"
    }
  }

  private func remove(_ client: Client, _ path: [UInt8]) throws(FileError) {
    guard try client.attributes(path, follow: false).kind == .directory else {
      return try client.unlink(path)
    }
    for row in try client.list(path) { try remove(client, path + [0x2F] + row.name.bytes) }
    try client.removeDirectory(path)
  }

  // MARK: What must hold

  private func plan(_ a: Fork, _ b: Fork, _ choice: MergeChoice? = nil) throws -> MergePlan {
    var settling = MergeSettling()
    settling.all = choice
    return try workspace.planMerge(a, into: b, settling)
  }

  private func check(_ value: Namespace, _ what: String) throws {
    do { try MergeWalker(value: value).check() } catch { throw Mismatch("\(what): \(error)") }
  }

  /// Each path for itself, three ways; what then hangs in the air is a conflict.
  func compareWithPaths() throws {
    let (a, o, t) = (
      try MergeRow.rows(start), try MergeRow.rows(ours.value), try MergeRow.rows(theirs.value)
    )
    var expected: [[UInt8]: MergeRow] = [:]
    var isConflict = false
    for path in Set(a.keys).union(o.keys).union(t.keys) {
      let model = PathMerge(a[path], o[path], t[path])
      isConflict = isConflict || model.isConflict
      expected[path] = model.result
    }
    for path in expected.keys where !path.isEmpty {
      let parent = Array(path[..<(path.lastIndex(of: 0x2F) ?? 0)])
      if expected[parent]?.kind != .directory { isConflict = true }
    }
    let plan = try plan(theirs, ours)
    try check(plan.result, "the result")
    guard plan.conflicts.isEmpty == !isConflict else {
      let list = plan.conflicts.map { "\(String(decoding: $0.path, as: UTF8.self)): \($0.kind)" }
      throw Mismatch(
        "conflicts are \(list), by path there should be \(isConflict ? "some" : "none")")
    }
    if !isConflict { try compare(try MergeRow.rows(plan.result), expected) }
  }

  private func compare(_ found: [[UInt8]: MergeRow], _ expected: [[UInt8]: MergeRow]) throws {
    for path in Set(found.keys).union(expected.keys) where found[path] != expected[path] {
      let text = String(decoding: path, as: UTF8.self)
      let shown = [found[path], expected[path]].map { $0.map { "\($0)" } ?? "nothing" }
      throw Mismatch("'\(text)' is \(shown[0]), should be \(shown[1])")
    }
  }

  func checkChoices() throws {
    let before = try MergeRow.rows(ours.value)
    for choice in [nil, MergeChoice.ours, .theirs] {
      let plan = try plan(theirs, ours, choice)
      try check(plan.result, "\(choice.map { "\($0)" } ?? "nothing chosen")")
      guard choice == nil || plan.conflicts.isEmpty else { throw Mismatch("a conflict is left") }
      guard plan.conflicts.isEmpty else { continue }
      try workspace.merge(plan, into: ours, "merge")
      try compare(try MergeRow.rows(ours.value), try MergeRow.rows(plan.result))
      let again = try self.plan(theirs, ours)
      guard again.isEmpty, again.conflicts.isEmpty else { throw Mismatch("there is more to merge") }
      guard try workspace.undo(ours).command == "merge" else { throw Mismatch("no merge to undo") }
      try compare(try MergeRow.rows(ours.value), before)
    }
    let mixed = try planMixed()
    try check(mixed.result, "chosen at random")
  }

  /// Each conflict for itself.
  private func planMixed() throws -> MergePlan {
    let policy = RandomChoices(seed: seed)
    workspace.hooks.policy = policy
    defer { workspace.hooks.policy = nil }
    let plan = try plan(theirs, ours)
    guard plan.conflicts.isEmpty else { throw Mismatch("a conflict is left") }
    return plan
  }

  func checkSymmetry() throws {
    let (there, back) = (try plan(theirs, ours), try plan(ours, theirs))
    guard there.conflicts.isEmpty == back.conflicts.isEmpty else {
      throw Mismatch("conflicts \(there.conflicts.map(\.kind)) and \(back.conflicts.map(\.kind))")
    }
    guard there.conflicts.isEmpty else { return }
    try compare(try MergeRow.rows(there.result), try MergeRow.rows(back.result))
  }

  func checkWholeTaken() throws {
    let plan = try plan(theirs, ours)
    guard plan.conflicts.isEmpty else { throw Mismatch("conflicts \(plan.conflicts.map(\.kind))") }
    try check(plan.result, "the result")
    try compare(try MergeRow.rows(plan.result), try MergeRow.rows(theirs.value))
  }
}

/// Three versions of one path, merged field by field.
private struct PathMerge {
  var result: MergeRow?
  private(set) var isConflict = false

  init(_ a: MergeRow?, _ o: MergeRow?, _ t: MergeRow?) {
    guard let o, let t else {
      result = o == a ? t : o
      isConflict = o != a && t != a && o != t
      return
    }
    guard o.kind == t.kind else {
      result = o == a ? t : o
      isConflict = o != a && t != a
      return
    }
    // What both have made of another kind of thing has nothing from it.
    let a = a?.kind == o.kind ? a : nil
    var row = o
    row.mode = pick(a?.mode, o.mode, t.mode)
    for name in Set(o.xattrs.keys).union(t.xattrs.keys) {
      row.xattrs[name] = pick(.some(a?.xattrs[name]), o.xattrs[name], t.xattrs[name])
    }
    if a != nil, o.content != t.content, let a, o.content != a.content, t.content != a.content {
      let merge = LineMerge(ancestor: a.content, ours: o.content, theirs: t.content)
      if let text = merge.merged { row.content = text } else { isConflict = true }
    } else {
      row.content = pick(a?.content, o.content, t.content)
    }
    result = row
  }

  private mutating func pick<V: Equatable>(_ a: V?, _ o: V, _ t: V) -> V {
    if o == t || a == t { return o }
    if a == o { return t }
    isConflict = true
    return o
  }
}

/// Settles each conflict in another way.
private final class RandomChoices: Policy {
  let interest = EventSet([.merge])
  private let seed: UInt64
  init(seed: UInt64) { self.seed = seed }

  func decide(_ event: Event, on fork: Fork) throws(FileError) -> Verdict {
    guard event.conflict != nil else { return .proceed }
    var random = SeededGenerator(seed: event.path.reduce(seed) { $0 &* 31 &+ UInt64($1) })
    return Verdict(merge: random.chance(50) ? .ours : .theirs)
  }
}
