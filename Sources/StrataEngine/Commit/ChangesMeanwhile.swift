/// What was changed in a fork while a commit of it was under way: it is laid over the bases as the
/// commit has left them.
struct ChangesMeanwhile {
  /// The fork as it is, and as it was when the commit was planned.
  private let now: Namespace
  private let planned: Namespace
  /// Nodes that are the base's as the plan had them.
  private let committed: Set<NodeID>
  private var bases: BaseIndex { now.context.bases }

  init(from now: Namespace, since planned: Namespace, over record: CommitRecord) {
    (self.now, self.planned) = (now, planned)
    committed = record.nodes
  }

  /// - Parameter value: what the commit has left the fork with.
  func take(to value: inout Namespace) {
    var nodes: [NodeID] = []
    var entries: [EntryKey] = []
    now.nodes.difference(from: planned.nodes) { id, _, _ in nodes.append(id) }
    now.entries.difference(from: planned.entries) { key, _, _ in entries.append(key) }
    for id in nodes { take(id, to: &value) }
    // A directory's record says whether it shows what is the base's by now.
    for key in entries { take(key, to: &value) }
  }

  private func take(_ id: NodeID, to value: inout Namespace) {
    let node = now.nodes[id]
    guard committed.contains(id), let base = bases.node(id) else {
      if let node { value.nodes.insert(id, node) } else { value.nodes.remove(id) }
      return
    }
    // What the commit has removed has no name here either.
    guard let status = try? bases.status(of: base) else { return }
    let origin = Below(node: base, stamp: status.stamp, limit: status.size)
    guard var node else {
      // The fork has made it, the commit has given it to the base, and it is gone since.
      value.nodes.remove(id)
      guard var gone = try? value.record(id) else { return }
      (gone.links, gone.owner) = (0, value.writableTop().id)
      value.nodes.insert(id, gone)
      return value.forget(id)
    }
    node.origin = origin
    switch node.body {
    case .directory:
      node.body = .directory(below: node.links > 0 ? base : nil)
    case .file(let content):
      if isAsPlanned(id, content, node.size) {
        node.body = .file(FileContent(below: origin, owner: nil))
      }
    case .symlink, .special: break
    }
    value.nodes.insert(id, node)
  }

  /// Whether the base's file has the content by now.
  private func isAsPlanned(_ id: NodeID, _ content: FileContent, _ size: Int64) -> Bool {
    guard let record = planned.nodes[id], case .file(let former) = record.body else { return false }
    return record.size == size && content.extents.isIdentical(to: former.extents)
      && content.below?.stamp == former.below?.stamp
      && content.below?.limit == former.below?.limit
  }

  private func take(_ key: EntryKey, to value: inout Namespace) {
    let entry = now.entries[key]
    do throws(FileError) {
      guard try value.showsBelow(key.name, in: key.directory)?.id != entry?.node else {
        value.entries.remove(key)
        return
      }
    } catch {
      // Who cannot be asked may show what is not to be seen.
    }
    value.entries.insert(key, entry ?? .whiteout(owner: value.writableTop().id))
  }
}
