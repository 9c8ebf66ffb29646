internal import StrataEngine

/// A base as a transcript sees it, the same wherever it is replayed: the files of whoever replays it
/// belong to user and group 1000, and sizes that depend on the host's file system are those of ext4.
final class ReplayedBase: BaseReader {
  static let owner: UInt32 = 1000

  private let base: any BaseReader
  private let uid: UInt32
  private let gid: UInt32
  let title: String

  /// - Parameters:
  ///   - caller: whose files change hands.
  ///   - title: what stands for the base's own, which may tell where it is.
  init(_ base: any BaseReader, of caller: Caller, title: String) {
    self.base = base
    (uid, gid) = (caller.uid, caller.gid)
    self.title = title
  }

  func status(of path: BasePath) throws(FileError) -> BaseStatus? {
    guard var status = try base.status(of: path) else { return nil }
    if status.uid == uid { status.uid = ReplayedBase.owner }
    if status.gid == gid { status.gid = ReplayedBase.owner }
    switch status.kind {
    case .directory: (status.size, status.blocks) = (4096, 8)
    case .regular: status.blocks = (status.size + 4095) / 4096 * 8
    default: status.blocks = 0
    }
    return status
  }

  func list(_ path: BasePath) throws(FileError) -> [BaseEntry] { try base.list(path) }

  func readLink(_ path: BasePath) throws(FileError) -> [UInt8] { try base.readLink(path) }

  func extendedAttributes(of path: BasePath) throws(FileError) -> [Name: [UInt8]] {
    try base.extendedAttributes(of: path)
  }

  func open(_ path: BasePath) throws(FileError) -> any BaseFile { try base.open(path) }
}
