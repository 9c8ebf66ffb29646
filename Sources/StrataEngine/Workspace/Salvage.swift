/// Puts a tree together again from what can be read of it.
struct Salvage {
  private(set) var result: Namespace
  private(set) var lines: [String] = []
  private let old: Namespace
  private let name: String
  private let damage: StoreDamage

  init(_ value: Namespace, _ name: String, _ damage: StoreDamage) {
    (old, result, self.name, self.damage) = (value, value, name, damage)
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
    dropLostBases()
    try dropDangling()
    try findLost()
    mendLinks()
  }

  private func isKnown(_ id: NodeID) -> Bool {
    result.nodes[id] != nil || result.context.bases.node(id) != nil
  }

  /// What was a base's object that is not known any more is a layer's own from now on.
  private mutating func dropLostBases() {
    var changed: [(NodeID, Node)] = []
    result.nodes.forEach { id, node in
      if node.isOver(damage.baseNodes) { changed.append((id, node)) }
    }
    for (id, node) in changed {
      result.nodes.insert(id, node.without(damage.baseNodes))
      let path = result.path(of: id).map { String(decoding: $0, as: UTF8.self) }
      lines.append(
        "fork \(name): \(path ?? "node \(id.rawValue)") counts as made here: what it was in the base "
          + "is lost")
    }
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

  /// Nodes that a layer made and no name leads to, and files whose content is lost or damaged.
  private mutating func findLost() throws(FileError) {
    var names: [NodeID: [EntryKey]] = [:]
    result.entries.forEach { key, entry in
      if let node = entry.node { names[node, default: []].append(key) }
    }
    var lost: [(NodeID, FileKind)] = []
    var broken: [(NodeID, FileContent, why: String)] = []
    result.nodes.forEach { id, node in
      if id != .root, node.links > 0, node.origin == nil, names[id] == nil {
        lost.append((id, node.kind))
      }
      if case .file(let content) = node.body, let (rest, why) = mended(content) {
        broken.append((id, rest, why))
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
    for (id, rest, why) in broken {
      let paths = (names[id] ?? []).map {
        String(decoding: result.path(of: $0.name, in: $0.directory), as: UTF8.self)
      }
      let path = paths.isEmpty ? "node \(id.rawValue)" : paths.sorted().joined(separator: ", ")
      try result.change(id) { node in node.body = .file(rest) }
      try setAside(id, names[id] ?? [], in: directory, &effects)
      lines.append(
        "fork \(name): content of \(path) is damaged (\(why)): what can be read of it is "
          + "/lost+found/#\(id.rawValue), zeros in place of what is lost")
    }
  }

  /// Moves a node to lost+found; further names of it go.
  private mutating func setAside(
    _ id: NodeID, _ names: [EntryKey], in directory: NodeID, _ effects: inout [Effect]
  ) throws(FileError) {
    guard let (parent, former) = result.placement(of: id), parent != directory else { return }
    try result.rename(
      Place(directory: parent, name: former),
      to: Place(directory: directory, name: Name("#\(id.rawValue)")), [],
      isOpen: { _ in false }, &effects)
    for key in names where key != EntryKey(parent, former) {
      try result.unlink(key.name, in: key.directory, isOpen: { _ in false }, &effects)
    }
  }

  /// What of content is left, and what is wrong with it; nil if nothing is.
  private func mended(_ content: FileContent) -> (FileContent, why: String)? {
    let health = old.context.persistence?.health
    let before = health?.count
    var rest = PersistentMap<UInt64, FileContent.Extent>()
    content.extents.forEach { rest.insert($0, $1) }
    var whole = content
    if health?.count != before {
      whole = FileContent(extents: rest, below: content.below, owner: content.owner)
    }
    let lost = whole.unreadable
    let isOverLost = content.below.map { damage.baseNodes.contains($0.node.id) } ?? false
    let why =
      health?.count != before
      ? "a page of its map cannot be read"
      : !lost.isEmpty
        ? "blocks of it cannot be read"
        : isOverLost ? "the base's file below it is lost" : damage.fault(of: content)
    guard let why else { return nil }
    if isOverLost { whole.below = nil }
    for blocks in lost { whole.setZero(blocks) }
    return (whole, why)
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
  /// Runs of which not even the first byte can be had of the store.
  fileprivate var unreadable: [Range<UInt64>] {
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
