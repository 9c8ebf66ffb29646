internal import Synchronization

/// What nodes of the bases hold: content, targets of links, extended attributes.
extension BaseIndex {
  /// Opens what a file's content was laid on: the host's file, or what was kept of it.
  /// Called with names not being moved.
  func open(_ below: Below) throws(FileError) -> any BaseFile {
    let (places, versions) = below.node.state.withLock { ($0.places, $0.kept) }
    let place = places[places.count - 1]
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
    // The content is of another file than the attributes.
    if places.count > 1 {
      return try file.stamp() == place.stamp ? KeptFile(file, stamp: below.stamp) : file
    }
    guard stamp != below.stamp, try file.stamp() == stamp else { return file }
    return KeptFile(file, stamp: below.stamp)
  }

  /// Gives the body a descriptor of the host's file that content was laid on, if it is still in that
  /// state and can be read through a descriptor that nobody can write through.
  func withDescriptor<R>(of below: Below, _ body: (Int32) -> R) -> R? {
    let (places, isKept) = below.node.state.withLock { ($0.places, !$0.kept.isEmpty) }
    guard !isKept else { return nil }
    let place = places[places.count - 1]
    let stamp = places.count > 1 ? place.stamp : below.stamp
    return readers[place.base].withReadOnlyDescriptor(of: place.path, stamp, body)
  }

  func readLink(_ node: BaseNode, at version: BaseVersion) throws(FileError) -> [UInt8] {
    try moves.undisturbed { () throws(FileError) in
      if let kept = node.kept(at: version) { return kept.target }
      let place = node.state.withLock { $0.places[0] }
      return try readers[place.base].readLink(place.path)
    }
  }

  func extendedAttributes(
    of node: BaseNode, at version: BaseVersion
  ) throws(FileError) -> [Name: [UInt8]] {
    try moves.undisturbed { () throws(FileError) in
      if let kept = node.kept(at: version) { return kept.xattrs }
      let place = node.state.withLock { $0.places[0] }
      return try readers[place.base].extendedAttributes(of: place.path)
    }
  }
}
