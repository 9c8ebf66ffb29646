/// What a record says of a base's node that it refers to: enough to find it on the host again.
struct BaseHint: Hashable {
  /// As ``BaseIndex/portable(_:ofBase:)`` writes devices; nil where the record does not say it.
  var identity: BaseIdentity?
  var kind: FileKind
  /// The directory that the record's node is in, and its name there.
  var parent: NodeID
  var name: Name
}

extension NodeRecord {
  func hint(of base: NodeID) -> BaseHint {
    var below = origin
    if case .file(let content) = body, let other = content.below { below = other }
    let identity = below.flatMap { below in
      below.node == base
        ? BaseIdentity(
          device: below.device, inode: below.inode, generation: below.generation) : nil
    }
    return BaseHint(identity: identity, kind: kind, parent: parent, name: name)
  }
}
