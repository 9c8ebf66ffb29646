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
  /// Asks the policy about an event, and in ``tell(_:_:)`` tells of it; `fill` is called only for who
  /// wants to know.
  package func ask(
    _ kind: EventKind, _ fill: (inout Event) -> Void = { _ in }
  ) throws(FileError) {
    guard workspace.hooks.isAsked(kind) else { return }
    _ = try workspace.hooks.ask(event(kind, fill), on: fork)
  }

  package func tell(_ kind: EventKind, _ fill: (inout Event) -> Void = { _ in }) {
    guard workspace.hooks.isTold(kind) else { return }
    workspace.hooks.tell(event(kind, fill), on: fork)
  }

  private func event(_ kind: EventKind, _ fill: (inout Event) -> Void) -> Event {
    var event = Event(kind)
    event.fork = fork.name
    event.caller = caller
    fill(&event)
    return event
  }
}

extension Session {
  /// Goes to a fork and a directory in it; nil stays.
  /// - Throws: ENOENT for a fork that is not there; what looking for the directory says.
  public func go(to name: String?, _ path: [UInt8]?) throws(FileError) {
    if let name {
      guard let fork = workspace.fork(named: name) else {
        throw FileError(.noSuchFileOrDirectory, saying: "no fork \(ShownName([UInt8](name)))")
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

  /// Goes to a directory, or where that cannot be entered to the nearest above it that can.
  public func go(near path: [UInt8]) {
    var path = path
    while (try? go(to: nil, path)) == nil, let slash = path.lastIndex(of: UInt8(ascii: "/")) {
      path = Array(path[..<slash])
    }
  }
}
