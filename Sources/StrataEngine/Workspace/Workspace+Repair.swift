internal import Synchronization

extension Workspace {
  /// Mends what ``check()`` complains about, as far as it can be mended: trees are put together again
  /// from the records that can be read, names that lead to nothing go, and nodes without a name, as
  /// well as files of which content is lost, go to `/lost+found`. Operations whose trees are damaged
  /// are forgotten; others stay, and show of damaged content what can be read.
  /// - Returns: what was done, a line each.
  /// - Throws: EBUSY while a run is under way, and what the store says.
  public func repair() throws(FileError) -> [String] {
    guard let persistence = context.persistence else { return [] }
    for fork in forks { try fork.checkIdle() }
    // What a damaged database does not take goes into the new one.
    do throws(FileError) { try checkpoint() } catch {
      guard error.errno == .ioError else { throw error }
    }
    let rebuilt = try persistence.store.rebuild()
    if !rebuilt.isEmpty { try saveKnownBaseNodes(persistence.store) }
    try checkpoint()
    if !rebuilt.isEmpty { try readAnew(persistence) }
    var lines = rebuilt
    let (damage, lostOperations) = try persistence.pending.withLock {
      pending throws(FileError) -> (StoreDamage, Set<UInt64>) in
      let survey = try survey(persistence, &pending)
      let inventory = try persistence.store.inventory()
      var damage = Self.damage(survey, inventory, persistence.store)
      damage.baseNodes = try mendBaseNodes(survey, inventory, persistence, &pending, &lines)
      return (damage, try operations(with: damage, persistence))
    }
    lines += accept(damage, persistence.store)
    for fork in forks {
      lines += forget(lostOperations, of: fork)
      var salvage = Salvage(fork.value, fork.name, damage)
      try salvage.run()
      let origin = fork.origin
      let isOriginLost =
        origin.isOver(damage.baseNodes)
        || !damage.pages.isEmpty && !salvage.lines.isEmpty && isDamaged(origin, persistence)
      guard !salvage.lines.isEmpty || isOriginLost else { continue }
      lines += salvage.lines
      fork.replaceValue(with: salvage.result)
      if isOriginLost {
        fork.state.withLock { $0.origin = salvage.result }
        lines.append("fork \(fork.name): what it was made from is lost; it counts as made now")
      }
    }
    try checkpoint()
    return lines
  }

  /// Has forks show what the store has of them: pages that are in memory may be among what was lost.
  private func readAnew(_ persistence: Persistence) throws(FileError) {
    for row in try persistence.store.load()?.forks ?? [] {
      guard let fork = fork(named: row.name), fork.id == row.id else { continue }
      func value(_ tree: StoredTree) throws(FileError) -> Namespace {
        try Namespace(tree, context: context, fork: row.id, name: row.name, from: persistence)
      }
      let (value, origin) = (try value(row.value), try value(row.origin))
      fork.replaceValue(with: value)
      fork.state.withLock { $0.origin = origin }
    }
  }

  /// The rows of base nodes that are known may be among what was lost.
  private func saveKnownBaseNodes(_ store: any WorkspaceStore) throws(FileError) {
    for (id, node) in context.bases.byID.withLock({ $0 })
    where id == .root || node.state.withLock({ $0.isStored }) {
      guard try store.baseNode(id) == nil else { continue }
      node.state.withLock { $0.isStored = false }
      state.withLock { _ = $0.changedBaseNodes.insert(id) }
    }
  }

  /// Leaves of damaged content what can be read, wherever it is referred to.
  private func accept(_ damage: StoreDamage, _ store: any WorkspaceStore) -> [String] {
    var lines: [String] = []
    func attempt(_ what: String, _ body: () throws(FileError) -> Void) {
      do throws(FileError) { try body() } catch {
        lines.append("\(what) cannot be mended: \(error.reason ?? error.errno.description)")
      }
    }
    for record in damage.contents.sorted() {
      attempt("record \(record)") { () throws(FileError) in try store.accept(record: record) }
    }
    for (file, row) in damage.files {
      attempt(file.path) { () throws(FileError) in
        try store.accept(layer: file.layer, node: file.node, size: row.size)
      }
    }
    return lines
  }

  private func isDamaged(_ value: Namespace, _ persistence: Persistence) -> Bool {
    let before = persistence.health.count
    value.nodes.forEach { _, node in
      if case .file(let content) = node.body { content.extents.forEach { _, _ in } }
    }
    value.entries.forEach { _, _ in }
    return persistence.health.count != before
  }

  /// The operations whose trees have pages that cannot be read.
  private func operations(
    with damage: StoreDamage, _ persistence: Persistence
  ) throws(FileError) -> Set<UInt64> {
    guard !damage.pages.isEmpty || !damage.baseNodes.isEmpty,
      let stored = try persistence.store.load()
    else { return [] }
    return Set(
      stored.operations.lazy.filter { operation in
        var survey = StoreSurvey(persistence.store)
        survey.visit(operation.before, "")
        survey.visit(operation.after, "")
        return !survey.damagedPages.isEmpty || !survey.baseNodes.isDisjoint(with: damage.baseNodes)
      }.map(\.id))
  }

  private func forget(_ ids: Set<UInt64>, of fork: Fork) -> [String] {
    guard !ids.isEmpty else { return [] }
    let damaged = fork.state.withLock { $0.history.all.map(\.id) }.filter(ids.contains)
    fork.state.withLock { state in
      // What is older than a damaged operation cannot be reached by undo.
      let last = state.history.done.lastIndex { ids.contains($0.id) }
      let cut = last.map { state.history.done[...$0].map(\.id) } ?? []
      let gone = Set(damaged).union(cut)
      state.history.forgotten += gone.sorted()
      state.history.remove(gone)
    }
    return damaged.map { "forgot operation \($0), whose tree is damaged" }
  }
}
