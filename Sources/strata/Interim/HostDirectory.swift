internal import Glibc
internal import StrataEngine

/// A directory of the host as a base, read by plain paths: stands in until StrataStorage has its own.
final class HostDirectory: BaseReader {
  private let root: [UInt8]
  let title: String

  init(_ path: [UInt8]) throws(FileError) {
    root = MachineHost().absolutePath(path)
    title = String(decoding: root, as: UTF8.self)
    guard try MachineHost().attributes(root, follow: true).kind == .directory else {
      throw .notDirectory
    }
  }

  private func place(_ path: BasePath) -> [UInt8] { root + [UInt8(ascii: "/")] + path.bytes }

  func status(of path: BasePath) throws(FileError) -> BaseStatus? {
    var status = stat()
    guard lstat(try cPath(place(path)), &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw FileError.last
    }
    guard let kind = FileKind(modeBits: status.st_mode) else { return nil }
    return BaseStatus(
      identity: BaseIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)),
      kind: kind,
      mode: status.st_mode & 0o7777, links: UInt32(clamping: status.st_nlink), uid: status.st_uid,
      gid: status.st_gid, size: Int64(status.st_size), blocks: Int64(status.st_blocks),
      device: UInt64(status.st_rdev), accessed: status.st_atim.nanoseconds,
      modified: status.st_mtim.nanoseconds, changed: status.st_ctim.nanoseconds)
  }

  func list(_ path: BasePath) throws(FileError) -> [BaseEntry] {
    var entries: [BaseEntry] = []
    for name in try MachineHost().list(place(path)) {
      let child = Name(name)
      guard let kind = try status(of: path.appending(child))?.kind else { continue }
      entries.append(BaseEntry(name: child, kind: kind))
    }
    return entries
  }

  func readLink(_ path: BasePath) throws(FileError) -> [UInt8] {
    try MachineHost().readLink(place(path))
  }

  func extendedAttributes(of path: BasePath) throws(FileError) -> [Name: [UInt8]] { [:] }

  func open(_ path: BasePath) throws(FileError) -> any BaseFile {
    guard let status = try status(of: path) else { throw .notFound }
    return OpenBaseFile(
      try MachineFile(place(path), O_RDONLY | O_NOFOLLOW),
      { [self] () throws(FileError) in
        try self.status(of: path)?.stamp ?? status.stamp
      })
  }
}

private final class OpenBaseFile: BaseFile {
  private let file: MachineFile
  private let current: @Sendable () throws(FileError) -> BaseStamp

  init(_ file: MachineFile, _ current: @escaping @Sendable () throws(FileError) -> BaseStamp) {
    self.file = file
    self.current = current
  }

  func stamp() throws(FileError) -> BaseStamp { try current() }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileError) -> Int {
    let bytes = try file.read(buffer.count, at: offset)
    buffer.copyBytes(from: bytes)
    return bytes.count
  }

  func data(after offset: Int64) throws(FileError) -> Range<Int64>? {
    let size = try current().size
    return offset < size ? offset..<size : nil
  }
}
