internal import Synchronization

extension Workspace {
  /// Mends what ``check()`` complains about, as far as it can be mended: trees are put together again
  /// from the records that can be read, names that lead to nothing go, and nodes without a name, as
  /// well as files of which content is lost, go to `/lost+found`. Operations whose trees are damaged
  /// are forgotten.
  /// - Returns: what was done, a line each.
  public func repair() throws(FileError) -> [String] {
    guard let persistence = context.persistence else { return [] }
    var lines: [String] = []
    for fork in forks {
      lines += forgetDamaged(fork, persistence)
      var salvage = Salvage(fork.value, fork.name)
      try salvage.run()
      guard !salvage.lines.isEmpty else { continue }
      lines += salvage.lines
      fork.replaceValue(with: salvage.result)
      if isDamaged(fork.origin, persistence) {
        fork.state.withLock { $0.origin = salvage.result }
        lines.append("fork \(fork.name): what it was made from is lost; it counts as made now")
      }
    }
    try checkpoint()
    return lines
  }

  private func isDamaged(_ value: Namespace, _ persistence: Persistence) -> Bool {
    let before = persistence.health.count
    value.nodes.forEach { _, _ in }
    value.entries.forEach { _, _ in }
    return persistence.health.count != before
  }

  private func forgetDamaged(_ fork: Fork, _ persistence: Persistence) -> [String] {
    let damaged = fork.allOperations.filter {
      isDamaged($0.before, persistence) || isDamaged($0.after, persistence)
    }
    let ids = Set(damaged.map(\.id))
    fork.state.withLock { state in
      // What is older than a damaged operation cannot be reached by undo.
      let last = state.history.done.lastIndex { ids.contains($0.id) }
      let cut = last.map { state.history.done[...$0].map(\.id) } ?? []
      let gone = ids.union(cut)
      state.history.forgotten += gone.sorted()
      state.history.done.removeAll { gone.contains($0.id) }
      state.history.undone.removeAll { gone.contains($0.id) }
      state.history.abandoned.removeAll { gone.contains($0.id) }
    }
    return damaged.map { "forgot operation \($0.id), whose tree is damaged" }
  }
}

/// Puts a tree together again from what can be read of it.
private struct Salvage {
  private(set) var result: Namespace
  private(set) var lines: [String] = []
  private let old: Namespace
  private let name: String

  init(_ value: Namespace, _ name: String) {
    (old, result, self.name) = (value, value, name)
  }

  mutating func run() throws(FileError) {
    let health = old.context.persistence?.health
    let before = health?.count
    var nodes = PersistentMap<NodeID, Node>()
    var entries = PersistentMap<EntryKey, Entry>()
    old.nodes.forEach { nodes.insert($0, $1) }
    old.entries.forEach { entries.insert($0, $1) }
    if health?.count != before {
      result.nodes = nodes
      result.entries = entries
      lines.append("fork \(name): put together again from the records that can be read")
    }
    try dropDangling()
    try findLost()
    mendLinks()
  }

  private func isKnown(_ id: NodeID) -> Bool {
    result.nodes[id] != nil || result.context.bases.node(id) != nil
  }

  private mutating func dropDangling() throws(FileError) {
    var dangling: [EntryKey] = []
    result.entries.forEach { key, entry in
      if let node = entry.node, !isKnown(node) { dangling.append(key) }
      if !isKnown(key.directory) { dangling.append(key) }
    }
    for key in dangling where result.entries.remove(key) {
      lines.append("fork \(name): dropped the name '\(key.name)', which led to nothing")
    }
  }

  /// Nodes that a layer made and no name leads to, and files whose blocks are gone.
  private mutating func findLost() throws(FileError) {
    var named: Set<NodeID> = []
    result.entries.forEach { _, entry in
      if let node = entry.node { named.insert(node) }
    }
    var lost: [(NodeID, FileKind)] = []
    var broken: [(NodeID, Node)] = []
    result.nodes.forEach { id, node in
      if id != .root, node.links > 0, node.origin == nil, !named.contains(id) {
        lost.append((id, node.kind))
      }
      if case .file(let content) = node.body, !content.isReadable(size: node.size) {
        broken.append((id, node))
      }
    }
    guard !lost.isEmpty || !broken.isEmpty else { return }
    var effects: [Effect] = []
    let directory = try lostAndFound(&effects)
    for (id, kind) in lost {
      let place = Name("#\(id.rawValue)")
      result.show(id, kind, as: place, in: directory)
      try result.change(id) { node in (node.parent, node.name) = (directory, place) }
      lines.append("fork \(name): node \(id.rawValue) had lost its name, is /lost+found/\(place)")
    }
    for (id, node) in broken {
      let path = result.path(of: id).map { String(decoding: $0, as: UTF8.self) } ?? "?"
      try result.change(id) { node in
        if case .file(var content) = node.body {
          content.dropUnreadable(size: node.size)
          node.body = .file(content)
        }
      }
      if let (parent, former) = result.placement(of: id), parent != directory {
        let place = Name("#\(id.rawValue)")
        try result.rename(
          Place(directory: parent, name: former), to: Place(directory: directory, name: place), [],
          isOpen: { _ in false }, &effects)
      }
      lines.append(
        "fork \(name): content of \(path) is lost in part; it is /lost+found/#\(id.rawValue) "
          + "(\(node.size) bytes, zeros in place of what is lost)")
    }
  }

  private mutating func lostAndFound(_ effects: inout [Effect]) throws(FileError) -> NodeID {
    let place = Name("lost+found")
    if let found = try result.find(place, in: .root) { return found }
    return try result.create(
      place, in: .root, .directory, mode: 0o700, side: .none, by: .superuser, &effects)
  }

  private mutating func mendLinks() {
    var names: [NodeID: UInt32] = [:]
    var subdirectories: [NodeID: UInt32] = [:]
    result.entries.forEach { key, entry in
      guard let node = entry.node else { return }
      names[node, default: 0] += 1
      if entry.kind == .directory { subdirectories[key.directory, default: 0] += 1 }
    }
    var wrong: [(NodeID, UInt32)] = []
    result.nodes.forEach { id, node in
      guard node.origin == nil, node.links > 0, id != .root else { return }
      let links = node.kind == .directory ? 2 + (subdirectories[id] ?? 0) : names[id] ?? 0
      if node.links != links { wrong.append((id, links)) }
    }
    for (id, links) in wrong {
      _ = result.nodes.update(id) { $0.links = links }
      lines.append("fork \(name): node \(id.rawValue) has \(links) links now")
    }
  }
}

extension FileContent {
  /// Whether all that a store should hold of it can be read.
  fileprivate func isReadable(size: Int64) -> Bool { unreadable(size: size).isEmpty }

  fileprivate mutating func dropUnreadable(size: Int64) {
    for blocks in unreadable(size: size) { setZero(blocks) }
  }

  private func unreadable(size: Int64) -> [Range<UInt64>] {
    var lost: [Range<UInt64>] = []
    extents.forEach { start, extent in
      guard case .stored(let stored) = extent.holding else { return }
      var byte: UInt8 = 0
      let isReadable = withUnsafeMutableBytes(of: &byte) { buffer in
        (try? stored.read(into: buffer, at: Int64(start) * Int64(Block.size))) != nil
      }
      if !isReadable { lost.append(start..<extent.end) }
    }
    return lost
  }
}
