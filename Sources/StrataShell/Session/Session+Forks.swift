package import StrataEngine

extension Session {
  /// Goes to another fork, if no plugin objects, and tells of it.
  func enter(_ fork: Fork) throws(FileError) {
    guard fork.id != self.fork.id else { return }
    var event = Event(.switch)
    event.fork = self.fork.name
    event.path2 = [UInt8](fork.name)
    event.caller = caller
    if workspace.hooks.isAsked(.switch) { _ = try workspace.hooks.ask(event, on: self.fork) }
    self.switch(to: fork)
    if workspace.hooks.isTold(.switch) { workspace.hooks.tell(event, on: fork) }
  }
}

extension Session {
  /// Asks the policy about an event of the fork as a whole, and in ``tell(_:)`` tells of it.
  package func ask(_ kind: EventKind) throws(FileError) {
    guard workspace.hooks.isAsked(kind) else { return }
    _ = try workspace.hooks.ask(event(kind), on: fork)
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
