internal import SystemPackage

/// The operations that change the tree, by path.
extension Client {
  /// Opens a file, making it if `create` gives the mode for that.
  /// - Parameter exclusive: EEXIST if the name is there already, also as a symbolic link.
  public func open(
    _ path: [UInt8], _ options: OpenOptions, create mode: UInt32? = nil, exclusive: Bool = false
  ) throws(FileError) -> OpenFile {
    guard let mode else { return try openExisting(try find(path), options) }
    // Step by step as open(2) with O_CREAT: where a symbolic link leads nowhere, the file is made
    // there; what names a directory by its form is never made nor opened.
    var (here, path) = (self, path)
    for _ in 0...Client.maximumLinks {
      guard path.contains(where: { $0 != UInt8(ascii: "/") }) || path.isEmpty else {
        throw .isDirectory
      }
      let (directory, name) = try here.resolveParent(path)
      guard path.last != UInt8(ascii: "/"), !name.isDot, !name.isDotDot else { throw .isDirectory }
      guard let node = try fork.value.find(name, in: directory) else {
        // What is new is empty: there is nothing to truncate, and nobody to ask about it.
        let options = options.subtracting(.truncate)
        return try fork.open(try here.makeFile(path, mode: mode), options, by: caller)
      }
      if exclusive { throw .exists }
      guard try fork.attributes(of: node).kind == .symlink else {
        if try fork.attributes(of: node).kind == .directory { throw .isDirectory }
        return try openExisting((node, Place(directory: directory, name: name)), options)
      }
      path = try fork.readLink(node)
      here.directory = directory
    }
    throw FileError(.tooManySymbolicLinkLevels)
  }

  private func openExisting(
    _ found: (node: NodeID, place: Place?), _ options: OpenOptions
  ) throws(FileError) -> OpenFile {
    let node = found.node
    var access: Access = []
    if options.contains(.read) { access.insert(.read) }
    if options.contains(.write) { access.insert(.write) }
    if options.contains(.write), try fork.attributes(of: node).kind == .directory {
      throw .isDirectory
    }
    try check(node, access)
    return try fork.open(node, at: found.place, options, by: caller)
  }

  private func makeFile(_ path: [UInt8], mode: UInt32) throws(FileError) -> NodeID {
    try make(path, .regular, mode: mode)
  }

  private func make(
    _ path: [UInt8], _ new: NewNode, mode: UInt32
  ) throws(FileError) -> NodeID {
    let (directory, name) = try parentForNew(path, new.kind)
    return try fork.create(name, in: directory, new, mode: mode & ~caller.umask, by: caller)
  }

  private func parentForNew(
    _ path: [UInt8], _ kind: FileKind
  ) throws(FileError) -> (NodeID, Name) {
    if !path.isEmpty, path.allSatisfy({ $0 == UInt8(ascii: "/") }) { throw .exists }
    let (directory, name) = try resolveParent(path)
    if try fork.value.find(name, in: directory) != nil || name.isDot || name.isDotDot {
      throw .exists
    }
    if kind != .directory, path.last == UInt8(ascii: "/") { throw .notFound }
    try checkChange(directory)
    return (directory, name)
  }

  /// Replaces a file's content, or adds to its end; makes the file if it is not there.
  public func write(
    _ path: [UInt8], _ bytes: [UInt8], append: Bool = false, mode: UInt32 = 0o666
  ) throws(FileError) {
    let file = try open(path, append ? [.write, .append] : [.write, .truncate], create: mode)
    _ = try file.write(bytes, at: 0)
  }

  public func makeDirectory(_ path: [UInt8], mode: UInt32 = 0o777) throws(FileError) {
    // As mkdir(2), which takes no set-id bits.
    _ = try make(path, .directory, mode: mode & 0o1777)
  }

  public func makeSymlink(_ path: [UInt8], target: [UInt8]) throws(FileError) {
    guard !target.isEmpty else { throw .notFound }
    guard target.count < Client.maximumPathLength else { throw FileError(.fileNameTooLong) }
    _ = try make(path, .symlink(target), mode: 0o777)
  }

  /// - Parameter device: as `makedev` gives it; for devices only, which only the superuser makes.
  public func makeSpecial(
    _ path: [UInt8], _ kind: FileKind, device: UInt64 = 0, mode: UInt32 = 0o666
  ) throws(FileError) {
    if kind == .characterDevice || kind == .blockDevice, !caller.isSuperuser {
      throw .notPermitted
    }
    _ = try make(path, .special(kind, device: device), mode: mode)
  }

  /// Gives an existing node a further name.
  public func link(
    _ existing: [UInt8], as path: [UInt8], follow: Bool = false
  ) throws(FileError) {
    let node = try resolve(existing, follow: follow)
    let (directory, name) = try parentForNew(path, try fork.attributes(of: node).kind)
    try fork.link(node, as: name, in: directory, by: caller)
  }

  /// - Throws: EISDIR for a directory, as `.`, `..` and the root are.
  public func unlink(_ path: [UInt8]) throws(FileError) {
    let (directory, name) = try resolveLast(path)
    if name.isDot || name.isDotDot { throw .isDirectory }
    let node = try fork.lookup(name, in: directory)
    if path.last == UInt8(ascii: "/"), try fork.attributes(of: node).kind != .directory {
      throw .notDirectory
    }
    try checkRemove(name, in: directory)
    try fork.unlink(name, in: directory, by: caller)
  }

  /// - Throws: EBUSY for the root, EINVAL for `.`, ENOTEMPTY also for `..`.
  public func removeDirectory(_ path: [UInt8]) throws(FileError) {
    let (directory, name) = try resolveParent(path)
    if !name.isDot, !name.isDotDot { try checkRemove(name, in: directory) }
    try fork.removeDirectory(name, in: directory, by: caller)
  }

  /// Finds fault in the order in which Linux does.
  public func rename(
    _ from: [UInt8], to: [UInt8], _ flags: RenameFlags = []
  ) throws(FileError) {
    guard !flags.isSuperset(of: [.noReplace, .exchange]) else { throw .invalid }
    let (source, name) = try resolveLast(from)
    let (target, newName) = try resolveLast(to)
    if name.isDot || name.isDotDot { throw FileError(.resourceBusy) }
    if newName.isDot || newName.isDotDot {
      throw flags.contains(.noReplace) ? .exists : FileError(.resourceBusy)
    }
    let node = try fork.lookup(name, in: source)
    let existing = try fork.value.find(newName, in: target)
    if flags.contains(.noReplace), existing != nil { throw .exists }
    let isExchange = flags.contains(.exchange)
    if isExchange, existing == nil {
      throw newName.count > Name.maximumLength ? .tooLong : .notFound
    }
    let isDirectory = try fork.attributes(of: node).kind == .directory
    let slash = UInt8(ascii: "/")
    if isExchange, let existing, to.last == slash,
      try fork.attributes(of: existing).kind != .directory
    {
      throw .notDirectory
    }
    if !isDirectory, from.last == slash || (to.last == slash && !isExchange) {
      throw .notDirectory
    }
    try checkRemove(name, in: source)
    try checkChange(target)
    if existing != nil { try checkRemove(newName, in: target) }
    if isDirectory, source != target { try check(node, .write) }
    try fork.rename(name, in: source, to: newName, in: target, flags, by: caller)
  }

  public func setAttributes(
    _ path: [UInt8], _ changes: AttributeChanges, follow: Bool = true
  ) throws(FileError) {
    if let size = changes.size, size < 0 { throw .invalid }
    let (node, place) = try find(path, follow: follow)
    try fork.setAttributes(node, at: place, try checked(changes, of: node), by: caller)
  }

  public func setExtendedAttribute(
    _ path: [UInt8], _ name: Name, _ value: [UInt8], _ mode: XattrMode = .any, follow: Bool = true
  ) throws(FileError) {
    let (node, place) = try find(path, follow: follow)
    try checkExtended(node, name)
    try fork.setExtendedAttribute(node, at: place, name, value, mode, by: caller)
  }

  public func removeExtendedAttribute(
    _ path: [UInt8], _ name: Name, follow: Bool = true
  ) throws(FileError) {
    let (node, place) = try find(path, follow: follow)
    try checkExtended(node, name)
    try fork.removeExtendedAttribute(node, at: place, name, by: caller)
  }

  /// `user.` needs write permission, ACLs the owner, all else the superuser, as xattr(7) has it.
  private func checkExtended(_ node: NodeID, _ name: Name) throws(FileError) {
    if caller.isSuperuser { return }
    let bytes = name.bytes
    if bytes.starts(with: Array("user.".utf8)) { return try check(node, .write) }
    let isOwner = try fork.attributes(of: node).uid == caller.uid
    guard isOwner, bytes.starts(with: Array("system.posix_acl".utf8)) else { throw .notPermitted }
  }
}
