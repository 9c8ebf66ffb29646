/// An operation that is under way, or what programs have done in a mount since the log's end.
///
/// What a checkpoint saves of it is in the store's log as an operation, as far as it has come by then:
/// if the process dies, it can be undone and done again like any other.
struct UnfinishedOperation: Sendable {
  let id: UInt64
  let command: String
  let before: Namespace
  /// Whether the store's log has it.
  var isSaved = false
}

extension Fork.State {
  /// What the store's log is to have of the operation under way, with the value as it is now; nil if
  /// nothing has changed, or nothing is under way.
  /// - Parameters:
  ///   - time: of the checkpoint.
  ///   - number: gives a number to what programs have done.
  mutating func takeUnfinished(
    in fork: String, at time: Timestamp, number: () -> UInt64
  ) -> Operation? {
    if operation == nil, outside == nil, let logged, !world.value.isUnchanged(since: logged) {
      outside = UnfinishedOperation(
        id: number(), command: Self.programs(holders.first?.operation), before: logged)
    }
    let place = operation == nil ? \Self.outside : \Self.operation
    guard let begun = self[keyPath: place] else { return nil }
    let (value, layer) = (world.value, world.value.newest)
    guard !value.isUnchanged(since: begun.before) else {
      giveUp(begun)
      self[keyPath: place]?.isSaved = false
      return nil
    }
    self[keyPath: place]?.isSaved = true
    return Operation(
      id: begun.id, command: begun.command, time: time, fork: fork, before: begun.before,
      after: value, layer: layer === begun.before.newest ? nil : layer)
  }

  /// What the log calls that which programs have done.
  static func programs(_ command: String?) -> String { command ?? "(programs)" }

  /// It has come to nothing: the store is to forget what it has of it.
  mutating func giveUp(_ begun: UnfinishedOperation) {
    guard begun.isSaved else { return }
    history.forgotten.append(begun.id)
    // For the store they are given up.
    history.unsaved.formUnion(history.undone.map(\.id))
  }
}
