internal import Glibc
internal import StrataEngine
internal import Synchronization

/// How much more programs may write, and how much of it waits in memory.
extension Server {
  private static let mostWritten = 64 << 20
  /// After so many bytes of small writes it is seen whether the disk has room for them: to ask at each
  /// would cost more than the write.
  private static let seenWritten = 1 << 20

  /// To be asked before a program's bytes are taken: what is in memory already must not be more than
  /// the store can take, or nothing could be saved any more.
  /// - Throws: ENOSPC.
  func checkRoom(
    forWriteTo file: OpenFile, at offset: Int64, _ count: Int
  ) throws(FileError) {
    if let limits = options.limits {
      let held = try file.attributes().blocks * 512
      return try limits.check(content: held + Int64(count), of: file.node)
    }
    let bytes = fork.bytesInMemory(ofWriteAt: offset, count: count)
    let held = written.load(ordering: .relaxed)
    guard
      bytes < count || held / Self.seenWritten != (held + bytes) / Self.seenWritten
        || isTight.load(ordering: .relaxed)
    else { return }
    // What small files hold goes to the disk twice, and in whole pages.
    guard !fork.hasRoom(for: 3 * held + count) else {
      return isTight.store(false, ordering: .relaxed)
    }
    isTight.store(true, ordering: .relaxed)
    // Only then is it known.
    written.store(0, ordering: .relaxed)
    try fork.flush()
    guard fork.hasRoom(for: count) else { throw FileError(.noSpace) }
  }

  /// Keeps what is held in memory for the store within bounds.
  func noteWritten(_ count: Int, at offset: Int64) throws(FileError) {
    let bytes = fork.bytesInMemory(ofWriteAt: offset, count: count)
    let sum = written.add(bytes, ordering: .relaxed).newValue
    guard sum > Self.mostWritten else { return }
    written.store(0, ordering: .relaxed)
    try fork.flush()
  }

  private func room() -> statvfs {
    var status = statvfs()
    guard let capacity = options.capacity, fstatvfs(capacity.rawValue, &status) == 0 else {
      return status
    }
    if let waiting = options.limits?.unwritten, status.f_frsize > 0 {
      let blocks = UInt(clamping: waiting) / status.f_frsize
      status.f_bfree -= min(blocks, status.f_bfree)
      status.f_bavail -= min(blocks, status.f_bavail)
    }
    return status
  }

  /// - Throws: ENOSPC where there is no room for so many bytes. Room is not set aside: a promise that
  ///   could never be kept is refused, no more.
  func checkRoom(for bytes: Int64) throws(FileError) {
    let status = room()
    let unit = max(UInt64(status.f_frsize), 1)
    guard options.capacity == nil || UInt64(bytes) / unit <= UInt64(status.f_bavail) else {
      throw FileError(.noSpace)
    }
  }

  func statFileSystem(_ reply: inout Reply) throws(FileError) {
    let status = room()
    for number in [
      status.f_blocks, status.f_bfree, status.f_bavail, status.f_files, status.f_ffree,
    ] {
      reply.put(UInt64(number))
    }
    reply.put(UInt32(truncatingIfNeeded: status.f_bsize == 0 ? 4096 : status.f_bsize))
    reply.put(UInt32(Name.maximumLength))
    reply.put(UInt32(truncatingIfNeeded: status.f_frsize == 0 ? 4096 : status.f_frsize))
    reply.put(zeros: 28)
  }
}
