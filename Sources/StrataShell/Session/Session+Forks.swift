public import StrataEngine

extension Session {
  /// Goes to another fork, if no plugin objects, and tells of it.
  func enter(_ fork: Fork) throws(FileError) {
    guard fork.id != self.fork.id else { return }
    var event = Event(.switch)
    event.fork = self.fork.name
    event.path2 = [UInt8](fork.name)
    event.caller = caller
    if workspace.hooks.isAsked(.switch) { _ = try workspace.hooks.ask(event, on: self.fork) }
    try self.switch(to: fork)
    if workspace.hooks.isTold(.switch) { workspace.hooks.tell(event, on: fork) }
  }
}

extension Session {
  /// Asks the policy about an event of the fork as a whole, and in ``tell(_:)`` tells of it.
  package func ask(_ kind: EventKind) throws(FileError) {
    guard workspace.hooks.isAsked(kind) else { return }
    _ = try workspace.hooks.ask(event(kind), on: fork)
  }

  /// Asks the policy to settle a conflict of a merge.
  func ask(
    about conflict: MergeConflict, _ sides: MergeSides
  ) throws(FileError) -> MergeChoice? {
    guard workspace.hooks.isAsked(.merge) else { return nil }
    var event = event(.merge)
    event.path = conflict.path
    event.conflict = conflict.kind
    event.sides = sides
    return try workspace.hooks.ask(event, on: fork).merge
  }

  package func tell(_ kind: EventKind) {
    guard workspace.hooks.isTold(kind) else { return }
    workspace.hooks.tell(event(kind), on: fork)
  }

  private func event(_ kind: EventKind) -> Event {
    var event = Event(kind)
    event.fork = fork.name
    event.caller = caller
    return event
  }
}

extension Session {
  /// Goes to a fork and a directory in it; nil stays.
  /// - Throws: ENOENT for a fork that is not there; what looking for the directory says.
  public func go(to name: String?, _ path: [UInt8]?) throws(FileError) {
    if let name {
      guard let fork = workspace.fork(named: name) else {
        throw FileError(.noSuchFileOrDirectory, "no fork \(ShownName([UInt8](name)))")
      }
      try enter(fork)
    }
    if let path {
      let node = try client.resolve(path)
      guard try fork.attributes(of: node).kind == .directory else { throw .notDirectory }
      // Entering needs the permission to search, which resolving a name in it asks for.
      var inside = client
      inside.directory = node
      _ = try inside.resolve([UInt8]("."))
      directory = node
    }
  }
}
