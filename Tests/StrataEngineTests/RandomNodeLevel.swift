import StrataEngine
import StrataTestSupport
import SystemPackage

/// A fork driven as a kernel drives it: by node and name. Paths are walked here; what only the path
/// level knows (links on the way, odd paths, trailing slashes) is left to it.
struct NodeLevel {
  let fork: Fork

  /// - Returns: nil if the operation is none for this level.
  func perform(_ operation: FileOperation) -> FileOutcome? {
    // Opening closes what was open, also where it fails.
    if case .open = operation { return nil }
    if case .truncate(_, ..<0) = operation { return nil }
    // That a link needs a target is looked at before the path.
    if case .makeSymlink(_, target: []) = operation { return nil }
    guard let path = operation.path, isPlain(path) else { return nil }
    do throws(FileError) {
      return try attempt(operation, path)
    } catch {
      return .failed(error.errno)
    }
  }

  private func isPlain(_ path: [UInt8]) -> Bool {
    guard path.first == 0x2F, path.count > 1, path.last != 0x2F else { return false }
    return path.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false)
      .allSatisfy { !$0.isEmpty && !$0.elementsEqual([0x2E]) && !$0.elementsEqual([0x2E, 0x2E]) }
  }

  /// The directory and the last name; nil if a link is on the way.
  private func place(_ path: [UInt8]) throws(FileError) -> (NodeID, Name)? {
    guard isPlain(path) else { return nil }
    var names = path.split(separator: 0x2F).map { Name($0) }
    let last = names.removeLast()
    var directory = NodeID.root
    for name in names {
      directory = try fork.lookup(name, in: directory)
      if try fork.attributes(of: directory).kind == .symlink { return nil }
    }
    guard try fork.attributes(of: directory).kind == .directory else { throw .notDirectory }
    return (directory, last)
  }

  private func attempt(
    _ operation: FileOperation, _ path: [UInt8]
  ) throws(FileError) -> FileOutcome? {
    guard let (directory, name) = try place(path) else { return nil }
    switch operation {
    case .status(_, false):
      return .status(FileStatus(try fork.attributes(of: try fork.lookup(name, in: directory))))
    case .readLink:
      return .bytes(try fork.readLink(try fork.lookup(name, in: directory)))
    case .create(_, let mode, true): try create(name, directory, .regular, mode)
    case .makeDirectory(_, let mode): try create(name, directory, .directory, mode & 0o1777)
    case .makeSymlink(_, let target): try create(name, directory, .symlink(target), 0o777)
    case .makeSpecial(_, let kind, let device, let mode):
      try create(name, directory, .special(kind, device: device), mode)
    case .unlink: try fork.unlink(name, in: directory, by: .superuser)
    case .removeDirectory: try fork.removeDirectory(name, in: directory, by: .superuser)
    case .rename(_, let target, let flags):
      guard let (newDirectory, newName) = try place(target) else { return nil }
      try fork.rename(name, in: directory, to: newName, in: newDirectory, flags, by: .superuser)
    case .setXattr(_, let key, let value, let mode, false):
      let node = try fork.lookup(name, in: directory)
      try fork.setExtendedAttribute(node, key, value, mode, by: .superuser)
    case .link(_, let other):
      let node = try fork.lookup(name, in: directory)
      guard let (newDirectory, newName) = try place(other) else { return nil }
      try fork.link(node, as: newName, in: newDirectory, by: .superuser)
    default: return nil
    }
    return .done
  }

  private func create(
    _ name: Name, _ directory: NodeID, _ new: NewNode, _ mode: UInt32
  ) throws(FileError) {
    _ = try fork.create(name, in: directory, new, mode: mode, by: .superuser)
  }
}
