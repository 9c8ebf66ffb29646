internal import StrataEngine

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
  /// Asks the policy whether the fork may be put back, and tells of it.
  func announceDiscard() throws(FileError) {
    var event = Event(.discard)
    event.fork = fork.name
    event.caller = caller
    if workspace.hooks.isAsked(.discard) { _ = try workspace.hooks.ask(event, on: fork) }
    if workspace.hooks.isTold(.discard) { workspace.hooks.tell(event, on: fork) }
  }
}
