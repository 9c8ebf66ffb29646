internal import StrataEngine

/// What the commits of a workspace on disk have kept of what they replaced: a directory for each, by
/// its number. See ``KeptPlace``.
struct KeptCommits {
  /// The `.strata` directory.
  let workspace: HeldPath
  /// The host directory that they may be kept in; nil where no mount covers it.
  var base: HeldPath?

  /// Bytes of each commit that has come to its end.
  func sizes() throws(FileError) -> [BaseVersion: Int64] {
    guard let place = try place() else { return [:] }
    let host = HostTree()
    var sizes: [BaseVersion: Int64] = [:]
    for entry in try host.list(place) where entry.kind == .directory {
      guard let number = BaseVersion(String(decoding: entry.name.bytes, as: UTF8.self)),
        try host.status(path(of: number, in: place, HostCommit.done)) != nil
      else { continue }
      sizes[number] = try size(of: path(of: number, in: place))
    }
    return sizes
  }

  /// Removes what a commit has kept. Its end is forgotten first: if the rest is broken off, it is
  /// taken for a commit that never began, and cleared away by the next start.
  func remove(_ number: BaseVersion) throws(FileError) {
    guard let place = try place() else { return }
    let host = HostTree()
    try host.remove(path(of: number, in: place, HostCommit.done))
    host.removeAll(path(of: number, in: place))
  }

  /// - Returns: nil while nothing was committed.
  private func place() throws(FileError) -> [UInt8]? {
    let host = HostTree()
    let place = try KeptPlace.known(workspace: workspace, base: base).path
    return try host.status(place)?.kind == .directory ? place : nil
  }

  private func path(of number: BaseVersion, in place: [UInt8], _ name: [UInt8] = []) -> [UInt8] {
    let path = place + Array("/\(number)".utf8)
    return name.isEmpty ? path : path + [UInt8(ascii: "/")] + name
  }

  private func size(of path: [UInt8]) throws(FileError) -> Int64 {
    let host = HostTree()
    var size: Int64 = 0
    for entry in try host.list(path) {
      let place = path + [UInt8(ascii: "/")] + entry.name.bytes
      size +=
        entry.kind == .directory ? try self.size(of: place) : try host.status(place)?.size ?? 0
    }
    return size
  }
}
