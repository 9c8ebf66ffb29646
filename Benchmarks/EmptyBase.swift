internal import StrataEngine

/// A base with nothing but a root.
final class EmptyBase: BaseReader {
  let title = "empty"

  func status(of path: BasePath) throws(FileError) -> BaseStatus? {
    guard path.parent == nil else { return nil }
    return BaseStatus(
      identity: BaseIdentity(device: 1, inode: 1), kind: .directory, mode: 0o755, links: 2)
  }
  func list(_ path: BasePath) throws(FileError) -> [BaseEntry] { [] }
  func readLink(_ path: BasePath) throws(FileError) -> [UInt8] { throw .invalid }
  func extendedAttributes(of path: BasePath) throws(FileError) -> [Name: [UInt8]] { [:] }
  func open(_ path: BasePath) throws(FileError) -> any BaseFile { throw .notFound }

  static func workspace() throws -> Workspace { try Workspace(bases: [EmptyBase()]) { 0 } }
}

extension Fork {
  /// Fills the fork with `count` empty files, 1,000 a directory.
  func fill(_ count: Int) throws {
    var directory = NodeID.root
    for index in 0..<count {
      if index % 1000 == 0 {
        directory = try create(
          Name("d\(index / 1000)"), in: .root, .directory, mode: 0o755, by: .superuser)
      }
      _ = try create(Name("file\(index)"), in: directory, .regular, mode: 0o644, by: .superuser)
    }
  }
}
