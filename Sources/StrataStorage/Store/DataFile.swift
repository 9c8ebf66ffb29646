internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// One file of ``DataFiles``, open.
struct DataFile {
  private let file: Descriptor
  private let key: DataFiles.Key

  init(_ file: Descriptor, _ key: DataFiles.Key) { (self.file, self.key) = (file, key) }

  /// The checksum of what it holds now.
  /// - Parameter isStopped: asked before each piece.
  /// - Returns: nil if it was stopped.
  func checksum(unless isStopped: () -> Bool = { false }) throws(FileError) -> UInt64? {
    do throws(Errno) {
      var sum: UInt64 = 0
      var position: Int64 = 0
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
      defer { buffer.deallocate() }
      while let data = try file.data(after: position) {
        position = max(position, data.lowerBound / Int64(Block.size) * Int64(Block.size))
        while position < data.upperBound {
          if isStopped() { return nil }
          let count = try file.read(into: buffer, at: position)
          if count == 0 { return sum }
          sum &+= Checksum.ofBlocks(
            UnsafeRawBufferPointer(rebasing: buffer[..<count]),
            first: UInt64(position) / UInt64(Block.size))
          position += Int64(count + Block.size - 1) / Int64(Block.size) * Int64(Block.size)
        }
      }
      return sum
    } catch {
      throw key.failure(error)
    }
  }
}
