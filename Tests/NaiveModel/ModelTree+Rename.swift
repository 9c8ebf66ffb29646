public import SystemPackage

/// `RENAME_NOREPLACE` and `RENAME_EXCHANGE`.
public struct ModelRenameFlags: OptionSet, Sendable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }
  public static let noReplace = ModelRenameFlags(rawValue: 1)
  public static let exchange = ModelRenameFlags(rawValue: 2)
}

extension ModelTree {
  /// In the order in which Linux finds fault (`do_renameat2`, `vfs_rename`).
  /// - Returns: the node that was replaced and is no directory, if any.
  @discardableResult
  public mutating func rename(
    _ name: [UInt8], in from: Int, to newName: [UInt8], in to: Int, _ flags: ModelRenameFlags = []
  ) throws(Errno) -> Int? {
    guard flags != [.noReplace, .exchange] else { throw .invalidArgument }
    _ = try directory(from)
    _ = try directory(to)
    let source = try lookup(name, in: from)
    let target = try lookupIfPresent(newName, in: to)
    if flags.contains(.noReplace), target != nil { throw .fileExists }
    if flags.contains(.exchange), target == nil { throw .noSuchFileOrDirectory }
    if isInside(to, source) { throw .invalidArgument }
    if let target, isInside(from, target) {
      throw flags.contains(.exchange) ? .invalidArgument : .directoryNotEmpty
    }
    if source == target { return nil }
    if flags.contains(.exchange), let target {
      put(source, as: newName, in: to)
      put(target, as: name, in: from)
      nodes[target]?.changed = now
    } else {
      try replace(target, by: source)
      nodes[from]?.entries[name] = nil
      put(source, as: newName, in: to)
    }
    nodes[source]?.changed = now
    touchDirectory(from)
    touchDirectory(to)
    guard !flags.contains(.exchange), let target, nodes[target] != nil else { return nil }
    return target
  }

  private func lookupIfPresent(_ name: [UInt8], in directory: Int) throws(Errno) -> Int? {
    do {
      return try lookup(name, in: directory)
    } catch .noSuchFileOrDirectory {
      return nil
    }
  }

  private mutating func put(_ id: Int, as name: [UInt8], in directory: Int) {
    nodes[directory]?.entries[name] = id
    if nodes[id]?.kind == .directory { nodes[id]?.parent = directory }
  }

  private mutating func replace(_ target: Int?, by source: Int) throws(Errno) {
    guard let target else { return }
    let old = try node(target)
    if try node(source).kind == .directory {
      guard old.kind == .directory else { throw .notDirectory }
      guard old.entries.isEmpty else { throw .directoryNotEmpty }
      nodes[target] = nil
    } else {
      guard old.kind != .directory else { throw .isDirectory }
      dropName(of: target)
    }
  }
}
