/// How `rename` treats a name that is there already, as renameat2(2) has it.
public struct RenameFlags: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// EEXIST if the new name is taken.
  public static let noReplace = RenameFlags(rawValue: 1)
  /// Both names stay, each with the other's node.
  public static let exchange = RenameFlags(rawValue: 2)
}

/// One end of a rename: a directory and a name in it.
struct Place: Hashable {
  var directory: NodeID
  var name: Name
}

extension Namespace {
  /// Moves a node to another name. Entries name nodes, so nothing is copied: a directory from
  /// below with any number of entries moves by one entry and one whiteout. Never EXDEV.
  mutating func rename(
    _ source: Place, to target: Place, _ flags: RenameFlags, isOpen: (NodeID) -> Bool,
    _ effects: inout [Effect]
  ) throws(FileError) {
    guard !flags.isSuperset(of: [.noReplace, .exchange]) else { throw .invalid }
    _ = try checkDirectory(target.directory)
    for name in [source.name, target.name] where name.isDot || name.isDotDot {
      throw FileError(.resourceBusy)
    }
    let moved = try lookup(source.name, in: source.directory)
    try checkNew(target.name)
    let replaced = try find(target.name, in: target.directory)
    if flags.contains(.noReplace), replaced != nil { throw .exists }
    if flags.contains(.exchange), replaced == nil { throw .notFound }
    try checkLoop(moved, replaced, source, target, flags)
    if moved == replaced { return }
    if flags.contains(.exchange), let replaced {
      try exchange(moved, source, replaced, target, &effects)
    } else {
      try move(moved, source, target, replacing: replaced, isOpen: isOpen, &effects)
    }
    countMetadataCopies(effects)
  }

  private func checkLoop(
    _ moved: NodeID, _ replaced: NodeID?, _ source: Place, _ target: Place, _ flags: RenameFlags
  ) throws(FileError) {
    guard source.directory != target.directory else { return }
    if try isAncestor(moved, of: target.directory) { throw .invalid }
    if let replaced, try isAncestor(replaced, of: source.directory) {
      throw flags.contains(.exchange) ? .invalid : .notEmpty
    }
  }

  /// Whether a node is the directory itself or on the way from it to the root.
  private func isAncestor(_ node: NodeID, of directory: NodeID) throws(FileError) -> Bool {
    guard try kind(node) == .directory else { return false }
    var place = directory
    while place != node {
      if place == .root { return false }
      place = try parent(of: place)
    }
    return true
  }

  private mutating func move(
    _ moved: NodeID, _ source: Place, _ target: Place, replacing replaced: NodeID?,
    isOpen: (NodeID) -> Bool, _ effects: inout [Effect]
  ) throws(FileError) {
    let kind = try kind(moved)
    let isDirectory = kind == .directory
    if let replaced {
      let replacesDirectory = try self.kind(replaced) == .directory
      if isDirectory, !replacesDirectory { throw .notDirectory }
      if !isDirectory, replacesDirectory { throw .isDirectory }
      if replacesDirectory, try !isEmpty(replaced) { throw .notEmpty }
      try bringUp(replaced)
    }
    try noteMetadataCopy(of: moved, &effects)
    for id in [moved, source.directory, target.directory] { try bringUp(id) }
    let hidden = try showsBelow(target.name, in: target.directory)
    let now = context.clock()
    try hide(source.name, in: source.directory, &effects)
    show(moved, kind, as: target.name, in: target.directory)
    if let replaced {
      if isDirectory {
        try dropDirectory(replaced, isOpen: isOpen(replaced), at: now)
      } else {
        try dropLink(replaced, isOpen: isOpen(replaced), at: now)
      }
    }
    try place(moved, at: target, now)
    try touchDirectory(source.directory, links: isDirectory ? -1 : 0, at: now)
    let gained = isDirectory && replaced == nil
    try touchDirectory(target.directory, links: gained ? 1 : 0, at: now)
    try noteOpaque(moved, isDirectory, over: hidden, at: target, &effects)
  }

  /// A directory over one of a base's hides what that holds: it shows only what is its own.
  private func noteOpaque(
    _ moved: NodeID, _ isDirectory: Bool, over hidden: BaseNode?, at target: Place,
    _ effects: inout [Effect]
  ) throws(FileError) {
    guard isDirectory, let hidden, hidden.lastStatus.kind == .directory, let top else { return }
    top.count { $0.opaques += 1 }
    effects.append(
      Effect(
        kind: .opaque, node: moved, directory: target.directory, name: target.name, to: top))
  }

  private mutating func exchange(
    _ first: NodeID, _ source: Place, _ second: NodeID, _ target: Place,
    _ effects: inout [Effect]
  ) throws(FileError) {
    for id in [first, second] { try noteMetadataCopy(of: id, &effects) }
    for id in [first, second, source.directory, target.directory] { try bringUp(id) }
    let now = context.clock()
    let kinds = (try kind(first), try kind(second))
    show(first, kinds.0, as: target.name, in: target.directory)
    show(second, kinds.1, as: source.name, in: source.directory)
    try place(first, at: target, now)
    try place(second, at: source, now)
    let gain = (kinds.0 == .directory ? 1 : 0) - (kinds.1 == .directory ? 1 : 0)
    try touchDirectory(source.directory, links: -gain, at: now)
    try touchDirectory(target.directory, links: gain, at: now)
  }

  /// Writes into a node's record where it is now.
  private mutating func place(
    _ id: NodeID, at place: Place, _ now: Timestamp
  ) throws(FileError) {
    try change(id) { node in
      node.parent = place.directory
      node.name = place.name
      node.changed = now
    }
  }
}
