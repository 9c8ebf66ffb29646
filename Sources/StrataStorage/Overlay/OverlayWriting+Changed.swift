internal import StrataEngine
internal import SystemPackage

extension OverlayWriting {
  /// Brings a directory that holds what a value says up to date: only what differs is made anew.
  /// - Returns: false if it takes all of it: a file has several names, which may be anywhere, or a
  ///   directory has lost an attribute.
  func run(since last: Namespace, to now: Namespace) throws(FileError) -> Bool {
    // Names that lead elsewhere, and all that is to be made.
    var renamed: Set<[UInt8]> = []
    var touched: Set<[UInt8]> = []
    var nodes: [NodeID] = []
    now.differences(
      from: last,
      entry: { directory, name in
        guard let parent = now.path(of: directory) else { return }
        renamed.insert(parent.count <= 1 ? [slash] + name.bytes : parent + [slash] + name.bytes)
      }, node: { nodes.append($0) })
    var dirty = renamed
    for node in nodes {
      // What has no name any more is covered by the entry that it had.
      guard let path = now.path(of: node), let known = try? now.attributes(of: node),
        // Every change of a node shows in its time of change.
        known != (try? last.attributes(of: node))
      else { continue }
      if known.kind == .directory {
        touched.insert(path)
      } else if known.links > 1 {
        return false
      } else {
        dirty.insert(path)
      }
    }
    for path in touched where path.count > 1 {
      if try highestMissing(path + [slash]) != nil { dirty.insert(path) }
    }
    let tops = try topmost(dirty)
    try begin()
    for top in tops { try scaffold(parent(top)) }
    try make(dirty, renamed)
    guard !hasLinks else { return false }
    try setTimes()
    return try replace(tops, touched)
  }

  private func make(_ dirty: Set<[UInt8]>, _ renamed: Set<[UInt8]>) throws(FileError) {
    var returned: Set<[UInt8]> = []
    for path in dirty.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      guard let now = try? client.attributes(path, follow: false) else {
        try whiteout(path)
        continue
      }
      if now.kind != .directory {
        try one(path)
      } else if try !isMerged(path) {
        // What such a directory has is all there itself.
        try whole(path)
      } else if renamed.contains(path) {
        returned.insert(path)
      } else {
        try makeTouched([path])
      }
    }
    // One that is below and has come back has what was changed in it before.
    guard !returned.isEmpty else { return }
    for change in try changes() { try make(change) { isIn(returned, $0) } }
    try makeTouched(Array(returned))
  }

  /// Directories on the way in the staging area, which are there in the upper one.
  private func scaffold(_ path: [UInt8]) throws(FileError) {
    guard path.count > 1, made.insert(path).inserted else { return }
    try scaffold(parent(path))
    try tree.makeDirectory(host(path), mode: 0o700)
  }

  private func replace(
    _ tops: Set<[UInt8]>, _ touched: Set<[UInt8]>
  ) throws(FileError) -> Bool {
    var directories = touched
    // Nothing is to take a place before it is all there.
    if !tops.isEmpty { try upper.sync() }
    for top in tops.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      directories.insert(parent(top))
      let place = upper.join(top)
      let isThere = try tree.status(place) != nil
      if try tree.status(host(top)) == nil {
        if isThere { try tree.move(place, to: host(top)) }
      } else if isThere {
        try tree.exchange(host(top), with: place)
      } else {
        try tree.move(host(top), to: place)
      }
    }
    try tree.clear(staging)
    directories.insert([slash])
    // From the bottom up, or what is done in a directory would change its time again.
    for path in directories.sorted(by: { $1.lexicographicallyPrecedes($0) }) {
      guard (try? client.attributes(path, follow: false))?.kind == .directory,
        try tree.status(upper.join(path))?.kind == .directory
      else { continue }
      let wanted = try client.extendedAttributes(path, follow: false)
      let found = OverlayUpper.shown(try tree.extendedAttributes(of: upper.join(path)))
      guard found.keys.allSatisfy({ wanted[$0] != nil }) else { return false }
      try giveDirectory(path)
    }
    try upper.sync()
    return true
  }

  // MARK: Paths

  private var slash: UInt8 { UInt8(ascii: "/") }

  /// Without those that another one contains. Where the upper directory lacks the way to one, it is
  /// the first that is missing.
  private func topmost(_ paths: Set<[UInt8]>) throws(FileError) -> Set<[UInt8]> {
    var all: Set<[UInt8]> = []
    for path in paths { all.insert(try highestMissing(path) ?? path) }
    return all.filter { path in path.count > 1 && !isIn(all, parent(path)) }
  }

  /// The first directory on the way to a path that is none in the upper directory.
  private func highestMissing(_ path: [UInt8]) throws(FileError) -> [UInt8]? {
    var end = path.index(after: path.startIndex)
    while let next = path[end...].firstIndex(of: slash) {
      let ancestor = Array(path[..<next])
      if try tree.status(upper.join(ancestor))?.kind != .directory { return ancestor }
      end = path.index(after: next)
    }
    return nil
  }

  /// Whether a path is one of them or below one.
  private func isIn(_ paths: Set<[UInt8]>, _ path: [UInt8]) -> Bool {
    var path = path
    while path.count > 1 {
      if paths.contains(path) { return true }
      path = parent(path)
    }
    return false
  }
}
