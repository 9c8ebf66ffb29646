internal import Glibc
internal import StrataEngine
internal import SystemPackage

/// The requests that change files' content.
extension Server {
  private static let killsPrivileges: UInt32 = 4
  /// FUSE_WRITE_CACHE: pages that were mapped.
  private static let isFromCache: UInt32 = 1
  /// O_DIRECT, which the C library tells only to those who ask for GNU's names.
  #if arch(arm64)
    private static let direct: Int32 = 0x10000
  #else
    private static let direct: Int32 = 0x4000
  #endif

  func write(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let handle = try handles.get(try request.long(0))
    let file = handle.file
    let offset = try request.offset(8)
    let size = Int(try request.word(16))
    let bytes = try request.written()
    guard size == bytes.count else { throw .invalid }
    try checkEnd(offset, size)
    let kind = try request.word(20)
    let flags = Int32(bitPattern: try request.word(32))
    let drops = kind & Self.killsPrivileges != 0 ? privileges(file.node, request) : .nothing
    // Parts of a direct write come at once, and each must be where it is sent.
    let isCached =
      kind & Self.isFromCache == 0 && flags & Self.direct == 0 && !handle.isDirect
    var place = offset
    try checkRoom(forWriteTo: file, at: offset, size)
    if isCached, size > 0, flags & O_APPEND != 0 {
      // The kernel knows nothing of what others have added since: another mount of the fork, or a
      // command. It takes the bytes to be where it has sent them.
      place = try file.append(bytes, drops: drops)
      if place != offset { others.sendLater(.changed(request.node), on: device) }
    } else {
      _ = try file.write(bytes, at: offset, drops: drops, landing: request.landing)
    }
    // Of what goes through its cache the kernel takes them itself.
    if handle.isDirect { try dropCapabilities(of: file) }
    try noteWritten(size, at: place)
    if isCached { letGo(of: request.node, behind: place, size) }
    reply.put(UInt32(size))
    reply.put(UInt32(0))
  }

  /// - Throws: EFBIG where a mount has a limit and it would be passed.
  private func checkEnd(_ offset: Int64, _ count: Int) throws(FileError) {
    try options.limits?.check(size: offset.addingReportingOverflow(Int64(count)).partialValue)
  }

  /// What a program may do is void once its file is written to. Its attributes are the fork's own by
  /// then.
  private func dropCapabilities(of file: OpenFile) throws(FileError) {
    guard fork.isCurrent(file) else { return }
    guard try fork.extendedAttributes(of: file.node)[Self.capabilities] != nil else { return }
    try fork.removeExtendedAttribute(file.node, Self.capabilities, by: .superuser)
  }

  private static let capabilities = Name("security.capability")

  /// A piece that no program writes who reads it at once.
  private static let largeWrite = 256 << 10
  /// How much the kernel keeps of what is written in such pieces, the one at work not counted.
  private static let keptBehind: Int64 = 16 << 20

  /// Has the kernel let go of what a stream of large writes has left behind: the store has it in
  /// memory as well, and memory that was in use just now takes what comes next sooner than fresh.
  private func letGo(of number: UInt64, behind offset: Int64, _ size: Int) {
    let part = offset / Self.keptBehind
    guard size >= Self.largeWrite, part > 0, (offset + Int64(size)) / Self.keptBehind > part else {
      return
    }
    let behind = (part - 1) * Self.keptBehind..<part * Self.keptBehind
    others.sendLater(.changed(number, behind), on: device)
  }

  func allocate(_ request: Request) throws(FileError) {
    let file = try handles.file(try request.long(0))
    let (start, length) = (try request.offset(8), try request.offset(16))
    let (end, isTooLarge) = start.addingReportingOverflow(length)
    guard !isTooLarge else { throw FileError(.fileTooLarge) }
    try options.limits?.check(size: end)
    guard length > 0 else { throw .invalid }
    let flags = Int32(bitPattern: try request.word(24))
    if flags & Allocation.punchHole == 0 { try checkRoom(for: length) }
    let mode: AllocateMode
    switch flags {
    case 0: mode = .extend
    case Allocation.keepSize: mode = .keepSize
    case Allocation.keepSize | Allocation.punchHole: mode = .punchHole
    case Allocation.zeroRange: mode = .zeroRange
    case Allocation.zeroRange | Allocation.keepSize:
      let size = try file.attributes().size
      if start < min(end, size) {
        try file.allocate(start..<min(end, size), .zeroRange, drops: .nothing)
      }
      if size < end { try file.allocate(max(start, size)..<end, .keepSize, drops: .nothing) }
      return
    default: throw FileError(.notSupportedOnSocket)
    }
    // Set-user-ID goes by a request of its own.
    try file.allocate(start..<end, mode, drops: .nothing)
  }

  func copyRange(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let source = try handles.file(try request.long(0))
    let target = try handles.file(try request.long(24))
    var (from, to) = (try request.offset(8), try request.offset(32))
    var rest = Int(min(try request.long(40), 16 << 20))
    var done = 0
    while rest > 0 {
      let bytes = try source.read(min(rest, Worker.largestTransfer), at: from)
      if bytes.isEmpty { break }
      do throws(FileError) {
        try checkEnd(to, bytes.count)
        try checkRoom(forWriteTo: target, at: to, bytes.count)
      } catch {
        if done == 0 { throw error }
        break
      }
      let count = try target.write(bytes, at: to, drops: .nothing)
      try noteWritten(count, at: to)
      (from, to, done, rest) = (from + Int64(count), to + Int64(count), done + count, rest - count)
    }
    reply.put(UInt32(done))
    reply.put(UInt32(0))
  }
}

/// Modes of fallocate(2), from linux/falloc.h.
private enum Allocation {
  static let keepSize: Int32 = 1
  static let punchHole: Int32 = 2
  static let zeroRange: Int32 = 16
}
