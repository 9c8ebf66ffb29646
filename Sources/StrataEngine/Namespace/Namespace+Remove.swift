extension Namespace {
  /// Removes a name that is not a directory's.
  /// - Throws: ENOENT, ENOTDIR, EISDIR.
  mutating func unlink(
    _ name: Name, in directory: NodeID, isOpen: (NodeID) -> Bool, _ effects: inout [Effect]
  ) throws(FileError) {
    if name.isDot || name.isDotDot { throw .isDirectory }
    let id = try lookup(name, in: directory)
    guard try kind(id) != .directory else { throw .isDirectory }
    try bringUp(id)
    try bringUp(directory)
    try hide(name, in: directory, &effects)
    let now = context.clock()
    try dropLink(id, isOpen: isOpen(id), at: now)
    try touchDirectory(directory, at: now)
  }

  /// Removes an empty directory.
  /// - Throws: ENOENT, ENOTDIR, ENOTEMPTY, EBUSY for the root, EINVAL for `.`.
  mutating func removeDirectory(
    _ name: Name, in directory: NodeID, isOpen: (NodeID) -> Bool, _ effects: inout [Effect]
  ) throws(FileError) {
    if name.isDot { throw .invalid }
    if name.isDotDot { throw .notEmpty }
    let id = try lookup(name, in: directory)
    guard try kind(id) == .directory else { throw .notDirectory }
    guard id != .root else { throw FileError(.resourceBusy) }
    guard try isEmpty(id) else { throw .notEmpty }
    try bringUp(id)
    try bringUp(directory)
    try hide(name, in: directory, &effects)
    let now = context.clock()
    try dropDirectory(id, isOpen: isOpen(id), at: now)
    try touchDirectory(directory, links: -1, at: now)
  }

  /// Lets go of a directory that has lost its name, and of the whiteouts in it.
  mutating func dropDirectory(
    _ id: NodeID, isOpen: Bool, at now: Timestamp
  ) throws(FileError) {
    var whiteouts: [EntryKey] = []
    entries.forEach(from: EntryKey(startOf: id)) { key, _ in
      guard key.directory == id else { return false }
      whiteouts.append(key)
      return true
    }
    for key in whiteouts { entries.remove(key) }
    try change(id) { $0.body = .directory(below: nil) }
    try dropLink(id, isOpen: isOpen, at: now)
  }
}
