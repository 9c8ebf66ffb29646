/// What is found under a name, the bases taken together: the topmost, and what that lets show.
extension BaseIndex {
  func findChild(
    _ name: Name, of directory: BaseNode, _ places: [BaseNode.Place]
  ) throws(FileError) -> BaseNode? {
    if places.count == 1 {
      let (base, path) = (places[0].base, places[0].path.appending(name))
      guard let status = try readers[base].status(of: path), !status.isWhiteout else { return nil }
      // As it nearly always is.
      if status.redirect == nil, !status.hasContentBelow {
        return intern(
          name, in: directory.id, status, [.init(base: base, path: path, stamp: status.stamp)])
      }
    }
    let found = try look(for: name, in: places.map { ($0.base, $0.path) }[...])
    guard let top = found.first?.status, let last = found.last else { return nil }
    guard !last.status.hasContentBelow else {
      throw FileError(.ioError, "\(directory.name)/\(name): the content is in no lower directory")
    }
    // Of a file the first has the attributes, the last the content.
    let shown = top.kind == .directory || found.count == 1 ? found : [found[0], last]
    return intern(
      name, in: directory.id, top,
      shown.map { .init(base: $0.base, path: $0.path, stamp: $0.status.stamp) })
  }

  private typealias Spot = (base: Int, path: BasePath)

  /// What bases have under a name in a directory that is at these places: all that shows, topmost
  /// first, and for a file without content of its own all that leads to it.
  private func look(
    for name: Name, in directory: ArraySlice<Spot>
  ) throws(FileError) -> [(base: Int, path: BasePath, status: BaseStatus)] {
    var found: [(base: Int, path: BasePath, status: BaseStatus)] = []
    var (name, rest) = (name, directory)
    while let (base, parent) = rest.popFirst() {
      let path = parent.appending(name)
      guard let status = try readers[base].status(of: path) else { continue }
      if status.isWhiteout || (found.first.map { $0.status.kind != status.kind } ?? false) { break }
      found.append((base, path, status))
      if let redirect = status.redirect {
        (rest, name) = try follow(redirect, below: base, rest)
      } else if status.kind == .directory ? status.isOpaque : !status.hasContentBelow {
        break
      }
    }
    return found
  }

  /// Where the bases below one have the directory, and under which name, that a redirect leads to.
  /// - Parameter directory: where those bases have the one that the redirect is found in.
  private func follow(
    _ redirect: [UInt8], below base: Int, _ directory: ArraySlice<Spot>
  ) throws(FileError) -> (ArraySlice<Spot>, Name) {
    let names = redirect.split(separator: UInt8(ascii: "/")).map { Name($0) }
    guard let last = names.last else { return ([], Name([])) }
    guard redirect.first == UInt8(ascii: "/") else { return (directory, last) }
    var place = (base + 1..<readers.count).map { (base: $0, path: BasePath.empty) }[...]
    for name in names.dropLast() {
      place = try look(for: name, in: place).filter { $0.status.kind == .directory }.map {
        ($0.base, $0.path)
      }[...]
    }
    return (place, last)
  }
}
