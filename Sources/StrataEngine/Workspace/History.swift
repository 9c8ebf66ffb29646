/// One entry of the log: what one command did to one fork.
public struct Operation: Sendable {
  /// Ascending within a workspace, from 1.
  public let id: UInt64
  public let command: String
  public let time: Timestamp
  /// The fork's name.
  public let fork: String
  /// The tree before and after.
  public let before: Namespace
  public let after: Namespace
  /// What the operation's layer holds; nil if it only went back to an older value.
  public let layer: Layer?

  /// The command of one that brings the fork's changes to its bases.
  public static let commit = "commit"
  /// Whether it has changed the bases as well, which going back to the tree before does not.
  public var isCommit: Bool { command == Self.commit && before.version < after.version }

  /// What was done in all its layers: a long operation has several when there is a store.
  public var stats: LayerStats {
    var stats = LayerStats()
    var next = layer
    while let layer = next, layer !== before.newest {
      stats += layer.stats
      next = layer.parent
    }
    return stats
  }
}

/// A fork's operations, oldest first, and those that were undone and can be done again.
struct History: Sendable {
  /// An operation, or only its number where the store has the rest and nobody has asked for it.
  struct Entry: Sendable {
    let id: UInt64
    var operation: Operation?

    init(stored id: UInt64) { self.id = id }
    init(_ operation: Operation) { (id, self.operation) = (operation.id, operation) }
  }

  var done: [Entry] = []
  var undone: [Entry] = []
  /// Those that were undone and can not be done again, because something else was done instead.
  var abandoned: [Entry] = []
  /// Numbers of those that the store does not have as they are.
  var unsaved: Set<UInt64> = []
  /// Numbers of those that are to be forgotten by the store as well.
  var forgotten: [UInt64] = []
  /// Whether something that could be done again was given up: there was no room to save it.
  var hasLost = false

  /// All of them, in the order of the numbers.
  var all: [Entry] { (abandoned + done + undone).sorted { $0.id < $1.id } }

  mutating func remove(_ ids: Set<UInt64>) {
    done.removeAll { ids.contains($0.id) }
    undone.removeAll { ids.contains($0.id) }
    abandoned.removeAll { ids.contains($0.id) }
  }
}

extension Fork {
  /// The fork's operations, oldest first, without those that were undone.
  public var history: [Operation] { operations(state.withLock { $0.history.done }) }

  /// The newest of them, oldest first.
  public func history(newest count: Int) -> [Operation] {
    operations(state.withLock { Array($0.history.done.suffix(count)) })
  }

  public var operationCount: Int { state.withLock { $0.history.done.count } }
  public var undoneCount: Int { state.withLock { $0.history.undone.count } }

  /// Everything that was ever done and is kept, undone or not, in the order of the numbers.
  public var allOperations: [Operation] { operations(state.withLock { $0.history.all }) }

  /// What was undone and can be done again, in the order in which it would be.
  public var undone: [Operation] { operations(state.withLock { $0.history.undone.reversed() }) }

  /// One that is kept, undone or not; nil if there is none of that number.
  public func operation(_ id: UInt64) -> Operation? {
    state.withLock { $0.history.all.last { $0.id == id } }.flatMap { operations([$0]).first }
  }

  /// More than these are read in one go.
  private static let oneByOne = 64

  /// What cannot be read is left out, and counted.
  func operations(_ entries: [History.Entry]) -> [Operation] {
    let missing = entries.filter { $0.operation == nil }.map(\.id)
    guard !missing.isEmpty, let persistence = workspace.context.persistence else {
      return entries.compactMap(\.operation)
    }
    var found: [UInt64: Operation] = [:]
    do throws(FileError) {
      var rows: [StoredOperation] = []
      if missing.count > Self.oneByOne {
        rows = try persistence.store.operations(of: id)
      } else {
        for id in missing {
          if let row = try persistence.store.operation(id) { rows.append(row) }
        }
      }
      let wanted = Set(missing)
      for row in rows where wanted.contains(row.id) {
        found[row.id] = try operation(row, persistence)
      }
    } catch {
      persistence.health.note(error)
    }
    return entries.compactMap { $0.operation ?? found[$0.id] }
  }

  private func operation(
    _ row: StoredOperation, _ persistence: Persistence
  ) throws(FileError) -> Operation {
    func value(_ tree: StoredTree) throws(FileError) -> Namespace {
      try Namespace(
        tree, context: workspace.context, fork: id, name: name, from: persistence)
    }
    return Operation(
      id: row.id, command: row.command, time: row.time, fork: name,
      before: try value(row.before), after: try value(row.after),
      layer: try persistence.layer(row.layer))
  }
}
