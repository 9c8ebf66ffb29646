/// A file that a commit has replaced: the same content, in another place. It answers for what it was.
final class KeptFile: BaseFile {
  private let file: any BaseFile
  private let former: BaseStamp

  init(_ file: any BaseFile, stamp: BaseStamp) { (self.file, former) = (file, stamp) }

  func stamp() throws(FileError) -> BaseStamp { former }

  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(FileError) -> Int {
    try file.read(into: buffer, at: offset)
  }

  func data(after offset: Int64) throws(FileError) -> Range<Int64>? {
    try file.data(after: offset)
  }

  func withDescriptor<R>(_ body: (Int32) -> R) -> R? { file.withDescriptor(body) }
}
