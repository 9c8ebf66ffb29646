internal import StrataEngine
internal import Synchronization

/// The target of `>` and `>>`.
final class FileSink: ByteSink {
  private let file: OpenFile
  private let offset = Mutex<Int64>(0)

  init(_ file: OpenFile) { self.file = file }

  func write(_ bytes: [UInt8]) throws(FileError) {
    let start = offset.withLock { offset in
      defer { offset += Int64(bytes.count) }
      return offset
    }
    _ = try file.write(bytes, at: start)
  }
}

/// A file read from its beginning on: the target of `<`, an operand of `cat`.
final class FileSource: ByteSource {
  static let chunk = 1 << 17
  private let file: OpenFile
  private let offset: Mutex<Int64>

  init(_ file: OpenFile, from offset: Int64 = 0) {
    self.file = file
    self.offset = Mutex(offset)
  }

  func read() throws(FileError) -> [UInt8] {
    let bytes = try file.read(FileSource.chunk, at: offset.withLock { $0 })
    offset.withLock { $0 += Int64(bytes.count) }
    return bytes
  }
}
