internal import Synchronization

/// What `check` has found.
public struct CheckReport: Sendable {
  public struct Problem: Equatable, Sendable {
    /// Whose it is: a fork, an operation, the store.
    public var place: String
    public var what: String
    public var why: String

    public init(place: String, what: String, why: String) {
      (self.place, self.what, self.why) = (place, what, why)
    }
  }

  public var problems: [Problem] = []
  public var trees = 0
  public var records = 0
  public var files = 0
  public var nodes = 0
  /// What nothing leads to: no problem, `gc` removes it.
  public var garbage = StoreGarbage()
}

extension Workspace {
  /// Looks at everything that the store holds: the database's own check, the checksum and form of
  /// each record that a fork or a kept operation leads to, that what they refer to is there, the
  /// checksums of data files, and that link counts agree with the entries.
  /// - Throws: EINVAL for a workspace in memory; what the disk says.
  public func check() throws(FileError) -> CheckReport {
    guard let persistence = context.persistence else {
      throw FileError(
        .invalidArgument, saying: "the session is in memory: there is no store to check")
    }
    var report = CheckReport()
    do throws(FileError) {
      try checkpoint()
    } catch {
      guard error.errno == .ioError else { throw error }
      report.problems.append(
        .init(
          place: "store.db", what: "what was done last",
          why: "cannot be saved: \(error.reason ?? error.errno.description)"))
    }
    return try persistence.pending.withLock { [report] pending throws(FileError) in
      var report = report
      report.problems += try persistence.store.integrity().map {
        .init(place: "store.db", what: "database", why: $0)
      }
      let survey = try survey(persistence, &pending)
      var inventory = try persistence.store.inventory()
      inventory.baseNodes.formUnion(pending.baseNodes.map(\.id))
      report.problems += survey.problems
      (report.trees, report.records) = (survey.trees, survey.records.count)
      report.files = survey.files.count
      report.problems += Self.damage(survey, inventory, persistence.store).problems
      report.problems += Self.missing(survey, inventory)
      report.garbage = Self.garbage(inventory, survey)
      for fork in forks { checkLinks(fork, &report) }
      return report
    }
  }

  /// Walks all that anybody can come back to.
  /// - Parameter pending: takes what is put into the store on the way.
  func survey(
    _ persistence: Persistence, _ pending: inout StoreBatch, hintsOf bases: Set<NodeID> = []
  ) throws(FileError) -> StoreSurvey {
    var survey = StoreSurvey(persistence.store, hintsOf: bases)
    guard let stored = try persistence.store.load() else { return survey }
    for fork in stored.forks {
      survey.visit(fork.value, "fork \(fork.name)")
      survey.visit(fork.origin, "fork \(fork.name)")
    }
    for operation in stored.operations {
      survey.visit(operation.before, "operation \(operation.id)")
      survey.visit(operation.after, "operation \(operation.id)")
    }
    survey.addAncestors(of: stored.layers)
    try visitOpen(&survey, persistence, &pending)
    return survey
  }

  /// What is wrong with content, as it lies in data files and in records.
  static func damage(
    _ survey: StoreSurvey, _ inventory: StoreInventory, _ store: any WorkspaceStore
  ) -> StoreDamage {
    var damage = StoreDamage(pages: survey.damagedPages, contents: survey.damagedContents)
    for (file, blocks) in survey.files {
      if let why = fault(file, size: blocks.size, inventory, store) {
        damage.files[file] = .init(size: blocks.size, why: why)
      }
    }
    return damage
  }

  private static func fault(
    _ file: DataFileID, size: Int64, _ inventory: StoreInventory, _ store: any WorkspaceStore
  ) -> String? {
    guard let found = inventory.files[file] else { return "is missing" }
    if found.size < size { return "has \(found.size) bytes, should have \(size)" }
    do throws(FileError) {
      try store.verify(layer: file.layer, node: file.node)
      return nil
    } catch {
      return error.reason ?? error.errno.description
    }
  }

  private static func missing(
    _ survey: StoreSurvey, _ inventory: StoreInventory
  ) -> [CheckReport.Problem] {
    let layers = survey.layers.subtracting(inventory.layers).subtracting([.base]).sorted()
    let nodes = survey.baseNodes.subtracting(inventory.baseNodes)
      .union(inventory.damagedBaseNodes.keys).sorted()
    return layers.map { .init(place: "store", what: "layer \($0.rawValue)", why: "is missing") }
      + nodes.map {
        .init(
          place: "store", what: "node \($0.rawValue) of a base",
          why: inventory.damagedBaseNodes[$0] ?? "is missing")
      }
  }

  /// What the store holds beyond what was found.
  static func garbage(_ inventory: StoreInventory, _ survey: StoreSurvey) -> StoreGarbage {
    var garbage = StoreGarbage()
    for (record, bytes) in inventory.records where !survey.records.contains(record) {
      garbage.records.append(record)
      garbage.recordBytes += Int64(bytes)
    }
    for (file, row) in inventory.files {
      guard let blocks = survey.files[file] else {
        garbage.files.append(file)
        garbage.fileBytes += row.allocated
        continue
      }
      let (unused, used) = blocks.rest(of: row.size)
      let bytes = row.allocated - used * Int64(Block.size)
      if bytes >= StoreGarbage.smallestHole {
        garbage.holes[file] = unused
        garbage.holeBytes += bytes
      }
    }
    garbage.layers = inventory.layers.subtracting(survey.layers).sorted()
    return garbage
  }

  /// The links of what a layer has made are its names; those of a base's nodes depend on the host.
  private func checkLinks(_ fork: Fork, _ report: inout CheckReport) {
    let value = fork.value
    var names: [NodeID: UInt32] = [:]
    var subdirectories: [NodeID: UInt32] = [:]
    value.entries.forEach { key, entry in
      guard let node = entry.node else { return }
      names[node, default: 0] += 1
      if entry.kind == .directory { subdirectories[key.directory, default: 0] += 1 }
      if (try? value.record(node)) == nil {
        report.problems.append(
          .init(
            place: "fork \(fork.name)", what: "'\(key.name)' in node \(key.directory.rawValue)",
            why: "leads to node \(node.rawValue), which is missing"))
      }
    }
    value.nodes.forEach { id, node in
      report.nodes += 1
      guard node.origin == nil, node.links > 0 else { return }
      let expected =
        node.kind == .directory ? 2 + (subdirectories[id] ?? 0) : names[id] ?? 0
      if node.links != expected || names[id] == nil {
        report.problems.append(
          .init(
            place: "fork \(fork.name)", what: "node \(id.rawValue) ('\(node.name)')",
            why: "has \(node.links) links, should have \(names[id] == nil ? 0 : expected)"))
      }
    }
  }
}
