internal import Glibc
internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// The host's tree that is committed to, and the directory of one commit beside it: what is staged,
/// what was taken away, and the journal.
final class HostCommitDirectory {
  let base: Descriptor
  let directory: Descriptor
  /// For ``HostTree``, which takes paths.
  let path: [UInt8]
  let basePath: [UInt8]
  /// For people.
  let shown: [UInt8]

  init(base: HeldPath, directory place: HeldPath) throws(FileError) {
    (basePath, path, shown) = (base.path, place.path, place.shown)
    do throws(Errno) {
      self.base = try Descriptor(path: basePath, [.path, .directory])
      directory = try Descriptor(path: path, [.read, .directory])
    } catch {
      throw FileError(error)
    }
  }

  func staged(_ name: [UInt8]) -> [UInt8] { path + [UInt8(ascii: "/")] + name }

  /// The directory of a path of the base, no symbolic link followed, and the last name.
  func place(_ path: [UInt8]) throws(Errno) -> (Descriptor, [UInt8]) {
    let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
    let parent = Array(path[..<slash].drop { $0 == UInt8(ascii: "/") })
    let name = Array(path[(slash + 1)...])
    let directory =
      try parent.isEmpty
      ? base : base.open(beneath: parent, [.path, .directory], by: .kernel)
    return (directory, name.isEmpty ? [UInt8(ascii: ".")] : name)
  }

  /// What is at a path of the base itself.
  func object(_ path: [UInt8]) throws(Errno) -> Descriptor {
    let (directory, name) = try place(path)
    return try directory.open(entry: name, [.path])
  }

  // MARK: Doing

  /// Does a step, unless it is done already.
  /// - Returns: whether it was not; false as well where something else is in the place by now.
  @discardableResult
  func `do`(_ step: HostStep) throws(FileError) -> Bool {
    do throws(Errno) {
      switch step {
      case .link(let path, let name, let inode):
        // Later steps may have put something else there.
        guard try !isStaged(name), try self.inode(at: path) == inode else { return false }
        let (parent, last) = try place(path)
        try directory.link(last, in: parent, as: name)
      case .add(let name, let path, let inode):
        guard try self.inode(at: path) != inode else { return false }
        let (parent, last) = try place(path)
        try parent.link(name, in: directory, as: last)
      case .drop(let name):
        guard try isStaged(name) else { return false }
        try directory.unlink(name)
      case .unname(let path, let inode):
        guard try self.inode(at: path) == inode else { return false }
        let (parent, last) = try place(path)
        try parent.unlink(last)
      case .take(let path, let name, let inode):
        // Not there any more: it was taken, and may have been put somewhere else already.
        guard try !isStaged(name), try self.inode(at: path) == inode else { return false }
        let (parent, last) = try place(path)
        try parent.move(last, to: directory, name)
      case .put(let name, let path):
        guard try isStaged(name) else { return false }
        let (parent, last) = try place(path)
        try directory.move(name, to: parent, last)
      case .swap(let name, let path, let inode):
        guard try directory.status(ofEntry: name).inode == inode else { return false }
        let (parent, last) = try place(path)
        try directory.exchange(name, with: parent, last)
      case .dress: break
      }
    } catch {
      throw failure(error, step)
    }
    if case .dress(let path, let attributes, _) = step { try dress(path, attributes) }
    return true
  }

  func dress(_ path: [UInt8], _ attributes: HostAttributes) throws(FileError) {
    let object: Descriptor
    do throws(Errno) { object = try self.object(path) } catch { throw FileError(error) }
    do throws(Errno) {
      let present = try object.extendedAttributes().map { Name($0.name) }
      for name in present where attributes.extendedAttributes[name] == nil {
        try object.removeExtendedAttribute(name.bytes)
      }
    } catch {
      throw FileError(error)
    }
    if let refused = try attributes.apply(to: object).first { throw refused }
  }

  func inode(at path: [UInt8]) throws(Errno) -> UInt64? {
    do throws(Errno) {
      return try object(path).status().inode
    } catch {
      guard error == .noSuchFileOrDirectory || error == .notDirectory else { throw error }
      return nil
    }
  }

  func isStaged(_ name: [UInt8]) throws(Errno) -> Bool {
    do throws(Errno) {
      _ = try directory.status(ofEntry: name)
      return true
    } catch .noSuchFileOrDirectory {
      return false
    }
  }

  func failure(_ error: Errno, _ step: HostStep) -> FileError {
    let path =
      switch step {
      case .take(let path, _, _), .put(_, let path), .swap(_, let path, _), .dress(let path, _, _),
        .link(let path, _, _), .add(_, let path, _), .unname(let path, _):
        String(decoding: path, as: UTF8.self)
      case .drop(let name): String(decoding: name, as: UTF8.self)
      }
    return FileError(error, "\(path): \(error.description)")
  }
}
