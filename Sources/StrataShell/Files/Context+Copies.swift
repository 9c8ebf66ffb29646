internal import StrataEngine

/// Copies between the host and the namespace.
extension Context {
  /// Copies one thing with what is in it, if no plugin objects, and tells of it.
  /// - Parameters:
  ///   - kind: `import` or `export`.
  ///   - attributes: of what is copied.
  func announcing(
    _ kind: EventKind, _ place: Place, _ hostPath: [UInt8], _ attributes: Attributes,
    _ copy: () throws -> Void
  ) throws {
    func describe(_ event: inout Event) {
      event.path = place.truePath
      event.path2 = hostPath
      event.fileKind = attributes.kind
      event.size = attributes.kind == .regular ? attributes.size : nil
      event.mode = attributes.mode
    }
    try session.ask(kind, describe)
    try copy()
    session.tell(kind, describe)
  }
}

extension Place {
  /// From the root, without symbolic links on the way; it need not be there.
  fileprivate var truePath: [UInt8] {
    guard let (directory, name) = try? client.resolveParent(name),
      let parent = client.fork.path(of: directory)
    else { return path }
    return parent.appending(component: name.bytes)
  }
}
