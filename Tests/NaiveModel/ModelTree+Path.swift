public import SystemPackage

/// Where the last name of a path is looked for, as `path_parentat` of the kernel finds it.
public struct ModelPlace: Sendable {
  public var directory: Int
  /// `.` for a path that is only slashes.
  public var name: [UInt8]
  /// The path ends with a slash, so it can only mean a directory.
  public var wantsDirectory: Bool
  /// Neither `.`, nor `..`, nor the root.
  public var isNormal: Bool
}

extension ModelTree {
  /// The node that an absolute path leads to.
  public func resolve(_ path: [UInt8], follow: Bool = true) throws(Errno) -> Int {
    var budget = 40
    return try walk(path, from: Self.root, follow: follow, budget: &budget)
  }

  public func resolveParent(_ path: [UInt8]) throws(Errno) -> ModelPlace {
    var budget = 40
    return try parent(path, from: Self.root, budget: &budget)
  }

  private func parent(
    _ path: [UInt8], from start: Int, budget: inout Int
  ) throws(Errno) -> ModelPlace {
    guard !path.isEmpty else { throw .noSuchFileOrDirectory }
    guard path.count < 4096 else { throw .fileNameTooLong }
    let slash = UInt8(ascii: "/")
    var place = path.first == slash ? Self.root : start
    var names = path.split(separator: slash).map(Array.init)
    let wantsDirectory = path.last == slash
    guard let last = names.popLast() else {
      return ModelPlace(
        directory: Self.root, name: Self.dot, wantsDirectory: true, isNormal: false)
    }
    for name in names { place = try step(name, in: place, follow: true, budget: &budget) }
    _ = try directory(place)
    return ModelPlace(
      directory: place, name: last, wantsDirectory: wantsDirectory,
      isNormal: last != Self.dot && last != Self.dotDot)
  }

  private func walk(
    _ path: [UInt8], from start: Int, follow: Bool, budget: inout Int
  ) throws(Errno) -> Int {
    let place = try parent(path, from: start, budget: &budget)
    let found = try step(
      place.name, in: place.directory, follow: follow || place.wantsDirectory, budget: &budget)
    if place.wantsDirectory { _ = try directory(found) }
    return found
  }

  /// The node of that name, and where it is a link to be followed, the one that it leads to.
  private func step(
    _ name: [UInt8], in directory: Int, follow: Bool, budget: inout Int
  ) throws(Errno) -> Int {
    let found = try lookup(name, in: directory)
    let node = try node(found)
    guard follow, node.kind == .symlink else { return found }
    guard budget > 0 else { throw .tooManySymbolicLinkLevels }
    budget -= 1
    return try walk(node.target, from: directory, follow: true, budget: &budget)
  }
}

/// The system calls that take a path.
extension ModelTree {
  @discardableResult
  public mutating func create(
    path: [UInt8], _ new: ModelNewNode, mode: UInt32
  ) throws(Errno) -> Int {
    if case .symlink(let target) = new, target.isEmpty { throw .noSuchFileOrDirectory }
    let isDirectory: Bool
    if case .directory = new { isDirectory = true } else { isDirectory = false }
    let place = try creationPlace(path, isDirectory: isDirectory)
    // mkdir(2) takes no set-id bits.
    let mode = isDirectory ? mode & 0o1777 : mode
    return try create(place.name, in: place.directory, new, mode: mode)
  }

  public mutating func link(_ existing: [UInt8], as path: [UInt8]) throws(Errno) {
    let id = try resolve(existing, follow: false)
    let place = try creationPlace(path, isDirectory: false)
    try link(id, as: place.name, in: place.directory)
  }

  /// The checks of `filename_create`.
  private func creationPlace(_ path: [UInt8], isDirectory: Bool) throws(Errno) -> ModelPlace {
    let place = try resolveParent(path)
    guard place.isNormal else { throw .fileExists }
    let exists = try exists(place)
    if exists { throw .fileExists }
    if place.wantsDirectory, !isDirectory { throw .noSuchFileOrDirectory }
    return place
  }

  private func exists(_ place: ModelPlace) throws(Errno) -> Bool {
    do {
      _ = try lookup(place.name, in: place.directory)
      return true
    } catch .noSuchFileOrDirectory {
      return false
    }
  }

  @discardableResult
  public mutating func unlink(path: [UInt8]) throws(Errno) -> Int {
    let place = try resolveParent(path)
    guard place.isNormal else { throw .isDirectory }
    if place.wantsDirectory {
      let id = try lookup(place.name, in: place.directory)
      throw try node(id).kind == .directory ? .isDirectory : .notDirectory
    }
    return try unlink(place.name, in: place.directory)
  }

  public mutating func removeDirectory(path: [UInt8]) throws(Errno) {
    let place = try resolveParent(path)
    guard place.isNormal else {
      if place.name == Self.dotDot { throw .directoryNotEmpty }
      throw path.contains(UInt8(ascii: ".")) ? .invalidArgument : .resourceBusy
    }
    try removeDirectory(place.name, in: place.directory)
  }

  @discardableResult
  public mutating func rename(
    path: [UInt8], to newPath: [UInt8], _ flags: ModelRenameFlags = []
  ) throws(Errno) -> Int? {
    guard flags != [.noReplace, .exchange] else { throw .invalidArgument }
    let (from, to) = (try resolveParent(path), try resolveParent(newPath))
    guard from.isNormal else { throw .resourceBusy }
    guard to.isNormal else { throw flags.contains(.noReplace) ? .fileExists : .resourceBusy }
    let source = try lookup(from.name, in: from.directory)
    let exists = try exists(to)
    if flags.contains(.noReplace), exists { throw .fileExists }
    if flags.contains(.exchange) {
      guard exists else { throw .noSuchFileOrDirectory }
      let target = try lookup(to.name, in: to.directory)
      if to.wantsDirectory, try node(target).kind != .directory { throw .notDirectory }
    }
    if try node(source).kind != .directory {
      if from.wantsDirectory { throw .notDirectory }
      if to.wantsDirectory, !flags.contains(.exchange) { throw .notDirectory }
    }
    return try rename(from.name, in: from.directory, to: to.name, in: to.directory, flags)
  }

  /// `open` with O_CREAT: the file and whether it is new.
  public mutating func openCreating(
    path: [UInt8], mode: UInt32, exclusive: Bool
  ) throws(Errno) -> (id: Int, isNew: Bool) {
    var path = path
    for _ in 0...40 {
      let place = try resolveParent(path)
      guard place.isNormal, !place.wantsDirectory else { throw .isDirectory }
      guard try exists(place) else {
        return (try create(place.name, in: place.directory, .regular, mode: mode), true)
      }
      if exclusive { throw .fileExists }
      let id = try lookup(place.name, in: place.directory)
      let node = try node(id)
      guard node.kind == .symlink else { return (id, false) }
      path =
        node.target.first == UInt8(ascii: "/")
        ? node.target : self.path(of: place.directory) + [UInt8(ascii: "/")] + node.target
    }
    throw .tooManySymbolicLinkLevels
  }

  /// The absolute path of a directory; of the root it is empty.
  private func path(of directory: Int) -> [UInt8] {
    var place = directory
    var path: [UInt8] = []
    while let node = nodes[place], node.parent != place, let above = nodes[node.parent],
      let name = above.entries.first(where: { $0.value == place })?.key
    {
      path = [UInt8(ascii: "/")] + name + path
      place = node.parent
    }
    return path
  }
}
