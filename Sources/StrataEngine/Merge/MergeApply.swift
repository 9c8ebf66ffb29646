/// Writes a plan into a value.
extension Namespace {
  mutating func apply(_ planner: MergePlanner) throws(FileError) {
    var change = MergeWriting(planner, now: planner.now)
    try change.write(into: &self)
  }
}

private struct MergeWriting {
  let planner: MergePlanner
  let now: Timestamp
  /// How many names, and how many subdirectories, come and go.
  private var links: [NodeID: Int] = [:]
  private var touched: Set<NodeID> = []

  init(_ planner: MergePlanner, now: Timestamp) { (self.planner, self.now) = (planner, now) }

  mutating func write(into value: inout Namespace) throws(FileError) {
    for (node, record) in planner.records.sorted(by: { $0.key < $1.key }) {
      guard try value.isAlive(node) else { continue }
      try value.change(node) { now in
        let (links, parent, name) = (now.links, now.parent, now.name)
        let body = now.body
        now = record
        (now.links, now.parent, now.name, now.changed) = (links, parent, name, self.now)
        if case .directory = body { now.body = body }
      }
    }
    let edits = planner.edits.sorted { $0.key < $1.key }
    for (node, edit) in edits where !edit.adds.isEmpty {
      if try !value.isAlive(node) { try create(node, in: &value) }
    }
    var effects: [Effect] = []
    for (node, edit) in edits {
      let isDirectory = try value.kind(node) == .directory
      for key in edit.removes.sorted() {
        try value.bringUp(key.directory)
        try value.hide(key.name, in: key.directory, &effects)
        note(key, node, -1, isDirectory)
      }
    }
    for (node, edit) in edits {
      let kind = try value.kind(node)
      for key in edit.adds.sorted() {
        try show(node, kind, key, in: &value)
        note(key, node, 1, kind == .directory)
      }
      if let key = edit.adds.min() {
        try value.change(node) { ($0.parent, $0.name) = (key.directory, key.name) }
      }
    }
    try settleLinks(in: &value)
  }

  private mutating func note(_ key: EntryKey, _ node: NodeID, _ count: Int, _ isDirectory: Bool) {
    touched.insert(key.directory)
    if isDirectory {
      links[key.directory, default: 0] += count
      links[node, default: 0] += 0
    } else {
      links[node, default: 0] += count
    }
  }

  private mutating func create(
    _ node: NodeID, in value: inout Namespace
  ) throws(FileError) {
    let layer = value.writableTop()
    let given = planner.records[node]
    var record: Node
    if let given { record = given } else { record = try planner.theirs.value.record(node) }
    let values = try planner.theirs.value.extendedAttributes(node)
    record.owner = layer.id
    record.changed = now
    if given == nil {
      record.xattrs = values.isEmpty ? .empty : ExtendedAttributes(values)
    }
    record.links = record.kind == .directory ? 2 : 0
    if case .directory = record.body { record.body = .directory(below: nil) }
    value.nodes.insert(node, record)
    layer.count { $0.created += 1 }
  }

  /// Where the bases show the very node, nothing has to be said.
  private func show(
    _ node: NodeID, _ kind: FileKind, _ key: EntryKey, in value: inout Namespace
  ) throws(FileError) {
    try value.bringUp(key.directory)
    if try value.showsBelow(key.name, in: key.directory)?.id == node {
      value.entries.remove(key)
    } else {
      value.show(node, kind, as: key.name, in: key.directory)
    }
  }

  private func settleLinks(in value: inout Namespace) throws(FileError) {
    for (node, count) in links.sorted(by: { $0.key < $1.key }) {
      let edit = planner.edits[node]
      let isDirectory = try value.kind(node) == .directory
      if isDirectory, let edit, edit.adds.isEmpty, !edit.removes.isEmpty {
        try value.dropDirectory(node, isOpen: false, at: now)
        continue
      }
      let (touched, now) = (touched.contains(node), now)
      let isTimed = planner.records[node] != nil || edit?.adds.isEmpty == false
      let isGone = try value.change(node) { record -> Bool in
        record.links = UInt32(max(Int(record.links) + count, 0))
        record.changed = now
        if touched, !isTimed { record.modified = now }
        return record.links == 0
      }
      if isGone { value.forget(node) }
    }
    for node in touched.subtracting(links.keys).sorted() {
      let isTimed = planner.records[node] != nil
      try value.change(node) { record in
        record.changed = now
        if !isTimed { record.modified = now }
      }
    }
  }
}
