import StrataEngine
import Synchronization

/// An open file of a ``TableBase``: stays on its object when the name is given to another one.
final class TableFile: BaseFile {
  private let base: TableBase
  private let inode: UInt64
  private let names: [Name]

  init(base: TableBase, inode: UInt64, names: [Name]) {
    self.base = base
    self.inode = inode
    self.names = names
  }

  deinit { base.close(inode) }

  func stamp() throws(FileError) -> BaseStamp { try object().status.stamp }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileError) -> Int {
    let content = try object().content
    guard offset < Int64(content.count) else { return 0 }
    let count = min(buffer.count, content.count - Int(offset))
    content.withUnsafeBytes { bytes in
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[Int(offset)...].prefix(count)))
    }
    base.state.withLock { $0.counters.bytesRead += Int64(count) }
    return count
  }

  func data(after offset: Int64) throws(FileError) -> Range<Int64>? {
    try object().data(after: offset)
  }

  private func object() throws(FileError) -> TableBase.Object {
    try base.locked { state throws(FileError) in
      if !state.failures.isEmpty, let errno = state.failures[self.names] {
        throw FileError(errno, "made to fail")
      }
      guard let object = state.objects[self.inode] else { throw FileError(.staleNFSFileHandle) }
      return object
    }
  }
}

extension TableBase {
  func close(_ inode: UInt64) {
    state.withLock { state in
      state.objects[inode]?.opens -= 1
      state.dropIfUnused(inode)
    }
  }
}

extension TableBase.State {
  mutating func dropIfUnused(_ inode: UInt64) {
    guard let object = objects[inode], object.opens == 0, object.status.links == 0 else { return }
    objects[inode] = nil
  }
}
