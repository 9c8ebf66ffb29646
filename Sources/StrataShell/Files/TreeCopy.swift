internal import StrataEngine
internal import SystemPackage

/// Copies files and trees inside the namespace.
final class TreeCopy {
  private let context: Context
  private let isRecursive: Bool
  private let preserves: Bool
  private let follows: Bool
  private let keepsLinks: Bool
  private let clobbers: Bool
  private let forces: Bool
  private let isVerbose: Bool
  /// Where nodes with several names were copied to, for ``keepsLinks``.
  private var copies: [NodeID: [UInt8]] = [:]
  /// Directories made here, which must not be copied into themselves.
  private var made: Set<NodeID> = []

  init(
    context: Context, isRecursive: Bool, preserves: Bool, follows: Bool, keepsLinks: Bool,
    clobbers: Bool, forces: Bool, isVerbose: Bool
  ) {
    self.context = context
    self.isRecursive = isRecursive
    self.preserves = preserves
    self.follows = follows
    self.keepsLinks = keepsLinks
    self.clobbers = clobbers
    self.forces = forces
    self.isVerbose = isVerbose
  }

  func copy(_ source: Place, to target: Place) throws {
    try context.checkCancelled()
    let attributes = try source.attributes(follow: follows)
    let existing = try? target.attributes(follow: attributes.kind != .symlink)
    if let existing {
      if existing.node == attributes.node {
        throw CommandFailure("\(source.path.shown) and \(target.path.shown) are the same file")
      }
      if existing.kind == .directory, attributes.kind != .directory {
        throw PathFailure(target.path, .isDirectory)
      }
      if existing.kind != .directory, attributes.kind == .directory {
        throw PathFailure(target.path, .notDirectory)
      }
      if !clobbers, existing.kind != .directory { return }
    }
    do {
      try copy(source, attributes, to: target, exists: existing != nil)
    } catch let error as FileError {
      throw PathFailure(target.path, error)
    }
    if isVerbose { try context.print("\(source.path.shown) -> \(target.path.shown)") }
  }

  private func copy(
    _ source: Place, _ attributes: Attributes, to target: Place, exists: Bool
  ) throws {
    if attributes.kind == .directory {
      return try copyDirectory(source, attributes, to: target, exists: exists)
    }
    if keepsLinks, attributes.links > 1, !exists {
      if let first = copies[attributes.node] {
        return try context.client.link(first, as: target.path)
      }
      copies[attributes.node] = target.path
    }
    switch attributes.kind {
    case .regular: try copyFile(source, attributes, to: target, exists: exists)
    case .symlink:
      if exists { try target.client.unlink(target.name) }
      let text = try source.client.readLink(source.name)
      try target.client.makeSymlink(target.name, target: text)
    default:
      guard isRecursive else {
        throw CommandFailure("\(source.path.shown) is a \(ModeText.name(attributes.kind)); use -r")
      }
      if exists { try target.client.unlink(target.name) }
      try target.client.makeSpecial(
        target.name, attributes.kind, device: attributes.device, mode: attributes.mode)
    }
    if preserves { try keepAttributes(source, attributes, target) }
  }

  private func copyFile(
    _ source: Place, _ attributes: Attributes, to target: Place, exists: Bool
  ) throws {
    let from: OpenFile
    do {
      from = try source.client.open(source.name, [.read])
    } catch {
      throw PathFailure(source.path, error)
    }
    let mode = attributes.mode & (preserves ? 0o7777 : 0o777)
    let to: OpenFile
    do {
      to = try target.client.open(target.name, [.write, .truncate], create: mode)
    } catch {
      guard forces, exists else { throw error }
      try target.client.unlink(target.name)
      to = try target.client.open(target.name, [.write], create: mode)
    }
    try FileCopy(context: context).copy(from, to: to)
  }

  private func copyDirectory(
    _ source: Place, _ attributes: Attributes, to target: Place, exists: Bool
  ) throws {
    guard isRecursive else {
      throw CommandFailure("\(source.path.shown) is a directory; use -r")
    }
    if made.contains(attributes.node) {
      throw CommandFailure("\(source.path.shown) is not copied into itself")
    }
    if !exists {
      // Writable at first, so that what is in it can be made.
      try target.client.makeDirectory(target.name, mode: attributes.mode & 0o777 | 0o700)
    }
    made.insert(try target.node())
    let inside = try target.inside()
    for child in try source.children() {
      try context.attempt(child.path) {
        try copy(child, to: target.child(child.name, inside))
      }
    }
    if preserves {
      try keepAttributes(source, attributes, target)
    } else if !exists {
      let mode = attributes.mode & 0o777 & ~context.session.caller.umask
      if mode & 0o700 != 0o700 {
        try target.client.setAttributes(target.name, AttributeChanges(mode: mode))
      }
    }
  }

  /// Owners are kept where the caller may; all else must succeed.
  private func keepAttributes(_ source: Place, _ attributes: Attributes, _ target: Place) throws {
    let owners = AttributeChanges(uid: attributes.uid, gid: attributes.gid)
    var keepsMode = attributes.mode
    do {
      try target.client.setAttributes(target.name, owners, follow: false)
    } catch {
      guard error.errno == .notPermitted else { throw error }
      keepsMode &= 0o777
    }
    for (name, value) in try source.client.extendedAttributes(source.name, follow: follows) {
      try target.client.setExtendedAttribute(target.name, name, value, follow: false)
    }
    var changes = AttributeChanges(
      accessed: attributes.accessed, modified: attributes.modified)
    if attributes.kind != .symlink { changes.mode = keepsMode }
    try target.client.setAttributes(target.name, changes, follow: false)
  }
}
