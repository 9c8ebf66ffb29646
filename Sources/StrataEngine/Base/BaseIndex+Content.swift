internal import Synchronization

/// What nodes of the bases hold: content, targets of links, extended attributes.
extension BaseIndex {
  /// Opens what a file's content was laid on: the host's file, or what was kept of it.
  func open(_ below: Below) throws(FileError) -> any BaseFile {
    let (place, versions) = below.node.state.withLock { ($0.places[0], $0.kept) }
    var stamp = below.stamp
    for kept in versions where kept.status.stamp == stamp {
      if !kept.file.isEmpty, let reader = keptReader.withLock({ $0 }) {
        let names = kept.file.split(separator: UInt8(ascii: "/")).map { Name($0) }
        return KeptFile(
          try reader.open(names.reduce(.empty) { $0.appending($1) }), stamp: below.stamp)
      }
      // That commit has left it in its place, in another state.
      stamp = kept.after ?? stamp
    }
    let file = try readers[place.base].open(place.path)
    guard stamp != below.stamp, try file.stamp() == stamp else { return file }
    return KeptFile(file, stamp: below.stamp)
  }

  /// Gives the body a descriptor of the host's file that content was laid on, if it is still in that
  /// state and can be read through a descriptor that nobody can write through.
  func withDescriptor<R>(of below: Below, _ body: (Int32) -> R) -> R? {
    let (place, isKept) = below.node.state.withLock { ($0.places[0], !$0.kept.isEmpty) }
    guard !isKept else { return nil }
    return readers[place.base].withReadOnlyDescriptor(of: place.path, below.stamp, body)
  }

  func readLink(_ node: BaseNode, at version: BaseVersion) throws(FileError) -> [UInt8] {
    if let kept = node.kept(at: version) { return kept.target }
    let place = node.state.withLock { $0.places[0] }
    return try readers[place.base].readLink(place.path)
  }

  func extendedAttributes(
    of node: BaseNode, at version: BaseVersion
  ) throws(FileError) -> [Name: [UInt8]] {
    if let kept = node.kept(at: version) { return kept.xattrs }
    let place = node.state.withLock { $0.places[0] }
    return try readers[place.base].extendedAttributes(of: place.path)
  }
}
