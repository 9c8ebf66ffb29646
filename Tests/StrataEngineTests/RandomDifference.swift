import NaiveModel
import StrataEngine

/// Compares the engine's `diff` with what comparing every path with every path finds.
struct RandomDifference {
  let workspace: Workspace

  func run(
    from old: (value: Namespace, tree: ModelTree), to new: (value: Namespace, tree: ModelTree)
  ) throws {
    let expected = ModelDifference(old.tree, new.tree)
    let changes: [Change]
    do {
      changes = try workspace.diff(old.value, new.value)
    } catch {
      throw Mismatch("diff: \(error.errno) \(error.reason ?? "")")
    }
    var added: Set<[UInt8]> = []
    var removed: Set<[UInt8]> = []
    var modified: Set<[UInt8]> = []
    guard Set(changes.map(\.path)).count == changes.count else {
      throw Mismatch("diff: two lines of one path\n\(list(changes))")
    }
    for change in changes {
      switch change.kind {
      case .added: added.insert(change.path)
      case .removed: removed.insert(change.path)
      case .modified, .metadata, .typeChanged:
        // The model's root is the empty path.
        modified.insert(change.path == [0x2F] ? [] : change.path)
      case .renamed:
        guard let oldPath = change.oldPath else { throw Mismatch("a rename without old path") }
        try expand(oldPath, change.path, old.tree, new.tree, &removed, &added)
      }
    }
    for change in changes where change.kind == .renamed {
      guard let oldPath = change.oldPath, let old = oldPath.lastIndex(of: 0x2F),
        let new = change.path.lastIndex(of: 0x2F), oldPath[old...] == change.path[new...]
      else { continue }
      let isImplied = changes.contains { other in
        other.kind == .renamed && other.oldPath.map { $0[...] } == oldPath[..<old]
          && other.path[...] == change.path[..<new]
      }
      if isImplied { throw Mismatch("diff: \(text(change.path)) moved with its directory") }
    }
    try compare("added", added, expected.added, changes)
    try compare("removed", removed, expected.removed, changes)
    try compareModified(modified, expected.modified, expected.added, new.tree, changes)
  }

  /// A renamed directory takes along what is in it on both sides, without a line for each.
  private func expand(
    _ oldPath: [UInt8], _ newPath: [UInt8], _ old: ModelTree, _ new: ModelTree,
    _ removed: inout Set<[UInt8]>, _ added: inout Set<[UInt8]>
  ) throws {
    removed.insert(oldPath)
    added.insert(newPath)
    let left = try old.resolve(oldPath, follow: false)
    guard try left == new.resolve(newPath, follow: false) else {
      throw Mismatch("diff: \(text(newPath)) is not the node that \(text(oldPath)) was")
    }
    guard try old.node(left).kind == .directory else { return }
    for path in old.paths(below: left) { removed.insert(oldPath + path) }
    for path in new.paths(below: left) { added.insert(newPath + path) }
  }

  private func compare(
    _ what: String, _ found: Set<[UInt8]>, _ expected: Set<[UInt8]>, _ changes: [Change]
  ) throws {
    guard found != expected else { return }
    let missing = expected.subtracting(found).map(text).sorted()
    let extra = found.subtracting(expected).map(text).sorted()
    throw Mismatch("diff, \(what): lacks \(missing), has beyond \(extra)\n\(list(changes))")
  }

  /// Of a node with several names one line is enough, and the line of a rename tells of content too.
  private func compareModified(
    _ found: Set<[UInt8]>, _ expected: Set<[UInt8]>, _ added: Set<[UInt8]>, _ new: ModelTree,
    _ changes: [Change]
  ) throws {
    let paths = new.paths()
    var told: Set<Int> = []
    for path in found { if let id = paths[path] { told.insert(id) } }
    for change in changes where change.kind == .renamed {
      if let id = paths[change.path] { told.insert(id) }
    }
    let silent = expected.filter { path in
      guard !found.contains(path), let id = paths[path] else { return false }
      return !told.contains(id)
    }
    guard silent.isEmpty else {
      throw Mismatch("diff, modified: lacks \(silent.map(text).sorted())\n\(list(changes))")
    }
    // What changed inside a directory that was renamed is under a path that is new.
    let extra = found.subtracting(expected).subtracting(added)
    guard extra.isEmpty else {
      throw Mismatch("diff, modified: has beyond \(extra.map(text).sorted())\n\(list(changes))")
    }
  }

  private func list(_ changes: [Change]) -> String {
    changes.map { change in
      "  \(change.kind.rawValue) \(text(change.path)) \(change.oldPath.map(text) ?? "")"
    }.joined(separator: "\n")
  }
}

extension ModelTree {
  /// The paths of all that is in a directory, relative to it.
  func paths(below id: Int) -> [[UInt8]] {
    var found: [[UInt8]] = []
    var rest: [(path: [UInt8], id: Int)] = [([], id)]
    while let (path, id) = rest.popLast() {
      if !path.isEmpty { found.append(path) }
      for (name, child) in nodes[id]?.entries ?? [:] { rest.append((path + [0x2F] + name, child)) }
    }
    return found
  }
}
