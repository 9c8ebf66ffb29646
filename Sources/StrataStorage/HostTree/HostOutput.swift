public import StrataEngine
internal import StrataSystem
internal import Synchronization
internal import SystemPackage

/// A file of the host that is being written. It appears under its name when it is finished; one
/// that is let go before leaves nothing behind, and what had the name stays.
public final class HostOutput: Sendable {
  /// How what is written comes to have the name.
  enum Target: Sendable {
    /// A new file under a temporary name in the directory.
    case beside(HostLocation, temporary: [UInt8], HostTree.Existing)
    /// The regular file itself, in a directory where nothing can be made, or where nobody else looks.
    case within
    /// A device, pipe, terminal or standard output, which takes bytes in order only.
    case stream
  }

  private struct State: Sendable {
    /// Where the file ends, or the stream stands.
    var end: Int64 = 0
    var isFinished = false
  }

  private let file: Descriptor
  private let target: Target
  private let isDurable: Bool
  private let state = Mutex(State())

  init(_ file: Descriptor, _ target: Target, isDurable: Bool) {
    self.file = file
    self.target = target
    self.isDurable = isDurable
  }

  deinit {
    guard case .beside(let place, let temporary, _) = target else { return }
    if !state.withLock({ $0.isFinished }) { try? place.directory.unlink(temporary) }
  }

  /// Writes all the bytes at `offset`; what is skipped is a hole.
  /// - Throws: ENOSPC, EDQUOT, EFBIG, EIO; ESPIPE for going back in a stream; EBADF once finished.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileError) {
    try change { state throws(Errno) in
      if case .stream = target {
        try skip(to: offset, in: &state)
        try file.write(bytes)
      } else {
        try file.write(bytes, at: offset)
      }
      state.end = max(state.end, offset + Int64(bytes.count))
    }
  }

  public func write(_ bytes: [UInt8], at offset: Int64) throws(FileError) {
    try bytes.withUnsafeBufferPointer { bytes throws(FileError) in
      try write(UnsafeRawBufferPointer(bytes), at: offset)
    }
  }

  /// Lets the file end at `size`, with a hole behind what was written.
  public func extend(to size: Int64) throws(FileError) {
    try change { state throws(Errno) in
      if case .stream = target { try skip(to: max(size, state.end), in: &state) }
      state.end = max(state.end, size)
    }
  }

  /// Copies a file of `size` bytes, a hole staying a hole.
  /// - Parameters:
  ///   - data: the first range of data that ends behind an offset; nil when only a hole follows.
  ///   - read: fills the buffer from an offset on; returns less only at the end. What it throws
  ///     (that somebody has cancelled) is thrown on.
  /// - Throws: EIO if the file turns out to be shorter than `data` says.
  public func copy(
    size: Int64, data: (Int64) throws(FileError) -> Range<Int64>?,
    read: (UnsafeMutableRawBufferPointer, Int64) throws(FileError) -> Int
  ) throws(FileError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunk, alignment: 4096)
    defer { buffer.deallocate() }
    var offset: Int64 = 0
    while offset < size, let range = try data(offset) {
      offset = max(offset, range.lowerBound)
      let end = min(size, range.upperBound)
      guard offset < end else { break }
      while offset < end {
        let part = UnsafeMutableRawBufferPointer(
          rebasing: buffer[..<min(Self.chunk, Int(end - offset))])
        let count = try read(part, offset)
        guard count > 0 else { throw FileError(.ioError, "the file became shorter") }
        try write(
          UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(part)[..<count]), at: offset)
        offset += Int64(count)
      }
    }
    try extend(to: size)
  }

  /// Copies an open file of a base or of the host.
  public func copy(_ file: any BaseFile) throws(FileError) {
    try copy(
      size: file.stamp().size,
      data: { offset throws(FileError) in try file.data(after: offset) },
      read: { buffer, offset throws(FileError) in try file.read(into: buffer, at: offset) })
  }

  private static let chunk = 1 << 20

  /// Gives the file its length, and sets attributes; best after the last byte, since writing changes
  /// times and set-id bits.
  /// - Returns: what the host would not take; see ``HostTree/setAttributes(_:_:follow:)``. Nothing
  ///   is set on a stream.
  @discardableResult
  public func setAttributes(_ attributes: HostAttributes) throws(FileError) -> [FileError] {
    if case .stream = target { return [] }
    try change { state throws(Errno) in try giveLength(state.end) }
    return try attributes.apply(to: file)
  }

  /// Setting the length sets the times, too.
  private func giveLength(_ end: Int64) throws(Errno) {
    if try file.status().size != end { try file.truncate(to: end) }
  }

  /// Gives the file its length and its name, and waits for the disk if that was asked for.
  /// - Throws: also what the host kept until now: ENOSPC, EDQUOT, EIO. Then nothing has the name
  ///   that did not have it before. EEXIST if somebody took it and must not be replaced.
  public func finish() throws(FileError) {
    try change { state throws(Errno) in
      if case .stream = target {
        state.isFinished = true
        return
      }
      try giveLength(state.end)
      if isDurable { try file.sync() }
      try file.flush()
      if case .beside(let place, let temporary, let existing) = target {
        try place.publish(temporary, existing)
        // What cannot be opened for reading cannot be synced; the file system will in its time.
        if isDurable { try? place.directory.reopen([.read, .directory]).sync() }
      }
      state.isFinished = true
    }
  }

  private func change(
    _ body: (inout State) throws(Errno) -> Void
  ) throws(FileError) {
    try state.withLock { state throws(FileError) in
      guard !state.isFinished else { throw FileError(.badFileDescriptor) }
      do throws(Errno) { try body(&state) } catch { throw FileError(error) }
    }
  }

  /// A stream has no holes: what is skipped is written as zeros.
  private func skip(to offset: Int64, in state: inout State) throws(Errno) {
    guard offset >= state.end else { throw .illegalSeek }
    let zeros = [UInt8](repeating: 0, count: Int(min(65536, offset - state.end)))
    while state.end < offset {
      let count = Int(min(Int64(zeros.count), offset - state.end))
      try zeros.withUnsafeBufferPointer { bytes throws(Errno) in
        try file.write(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[..<count])))
      }
      state.end += Int64(count)
    }
  }
}
