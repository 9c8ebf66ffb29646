import Glibc
import StrataEngine
import StrataTestSupport
import SystemPackage

/// The file system of the kernel that the calling thread has for its root.
struct KernelUnderTest: FileSystemUnderTest {
  private let calls = Calls()
  /// UTIME_OMIT.
  private static let omit = (1 << 30) - 2
  private var open: [Int: Descriptor] = [:]

  /// Closed when it is let go.
  private final class Descriptor {
    let raw: Int32
    init(_ raw: Int32) { self.raw = raw }
    deinit { Glibc.close(raw) }
  }

  private struct Calls {
    let rename = try? OverlayCalls.find("renameat2", OverlayCalls.RenameAt2.self)
    let setXattr = try? OverlayCalls.find("lsetxattr", OverlayCalls.SetXattr.self)
    let getXattr = try? OverlayCalls.find("lgetxattr", OverlayCalls.GetXattr.self)
    let listXattr = try? OverlayCalls.find("llistxattr", OverlayCalls.ListXattr.self)
    let removeXattr = try? OverlayCalls.find("lremovexattr", OverlayCalls.RemoveXattr.self)
    let followSet = try? OverlayCalls.find("setxattr", OverlayCalls.SetXattr.self)
    let followGet = try? OverlayCalls.find("getxattr", OverlayCalls.GetXattr.self)
    let followList = try? OverlayCalls.find("listxattr", OverlayCalls.ListXattr.self)
    let followRemove = try? OverlayCalls.find("removexattr", OverlayCalls.RemoveXattr.self)
    let fallocate = try? OverlayCalls.find("fallocate", OverlayCalls.Fallocate.self)
  }

  mutating func perform(_ operation: FileOperation) -> FileOutcome {
    do throws(Errno) {
      return try attempt(operation)
    } catch {
      return .failed(error)
    }
  }

  private func host(_ path: [UInt8]) -> [CChar] {
    OverlayCalls.cString(path)
  }

  private func check(_ result: some SignedInteger) throws(Errno) { try OverlayCalls.check(result) }

  private func need<Function>(_ function: Function?) throws(Errno) -> Function {
    guard let function else { throw .noFunction }
    return function
  }

  private mutating func attempt(_ operation: FileOperation) throws(Errno) -> FileOutcome {
    switch operation {
    case .status(let path, let follow): return .status(try status(path, follow: follow))
    case .list(let path): return .names(try list(path))
    case .read(let path, let count, let offset):
      guard try isRegular(path) else { return .skipped }
      return .bytes(try read(try descriptor(path, O_RDONLY), count, offset))
    case .readLink(let path): return .bytes(try readLink(path))
    case .attributesList(let path, let follow): return .xattrs(try xattrs(path, follow: follow))
    case .create, .makeDirectory, .makeSymlink, .makeSpecial, .link, .unlink, .removeDirectory,
      .rename:
      return try changeNames(operation)
    case .setMode, .setOwner, .setTimes, .setXattr, .removeXattr: try changeAttributes(operation)
    case .truncate, .write, .allocate: return try changeContent(operation)
    default: return try changeOpen(operation)
    }
    return .done
  }
}

// MARK: Looking

extension KernelUnderTest {
  func status(_ path: [UInt8], follow: Bool) throws(Errno) -> FileStatus {
    var row = stat()
    try check(follow ? stat(host(path), &row) : lstat(host(path), &row))
    return try Self.status(row)
  }

  /// Link counts of directories, sizes of directories and times are compared elsewhere or not.
  private static func status(_ row: stat) throws(Errno) -> FileStatus {
    guard let kind = FileKind(modeBits: row.st_mode) else { throw .ioError }
    return FileStatus(
      kind: kind, mode: row.st_mode & 0o7777, uid: row.st_uid, gid: row.st_gid,
      links: UInt32(row.st_nlink), size: kind == .directory ? nil : Int64(row.st_size),
      device: UInt64(row.st_rdev),
      times: [row.st_atim, row.st_mtim, row.st_ctim].map {
        Timestamp($0.tv_sec) * 1_000_000_000 + Timestamp($0.tv_nsec)
      })
  }

  private func list(_ path: [UInt8]) throws(Errno) -> [Name: FileKind] {
    guard let directory = opendir(host(path)) else { throw Errno(rawValue: errno) }
    defer { closedir(directory) }
    var names: [Name: FileKind] = [:]
    while let entry = readdir(directory) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      let name = Name(bytes)
      if name.isDot || name.isDotDot { continue }
      guard let kind = FileKind(modeBits: UInt32(entry.pointee.d_type) << 12) else {
        throw .ioError
      }
      names[name] = kind
    }
    return names
  }

  private func readLink(_ path: [UInt8]) throws(Errno) -> [UInt8] {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = try OverlayCalls.check(readlink(host(path), &buffer, buffer.count))
    return buffer[..<count].map { UInt8(bitPattern: $0) }
  }

  private func xattrs(_ path: [UInt8], follow: Bool) throws(Errno) -> [Name: [UInt8]] {
    let list = try need(follow ? calls.followList : calls.listXattr)
    let get = try need(follow ? calls.followGet : calls.getXattr)
    var buffer = [CChar](repeating: 0, count: 65536)
    let count = try OverlayCalls.check(list(host(path), &buffer, buffer.count))
    var values: [Name: [UInt8]] = [:]
    for name in buffer[..<count].split(separator: 0) {
      var value = [UInt8](repeating: 0, count: 65536)
      let length = try OverlayCalls.check(get(host(path), Array(name) + [0], &value, value.count))
      values[Name(name.map { UInt8(bitPattern: $0) })] = Array(value[..<length])
    }
    return values
  }

  private func read(_ file: Descriptor, _ count: Int, _ offset: Int64) throws(Errno) -> [UInt8] {
    defer { withExtendedLifetime(file) {} }
    var buffer = [UInt8](repeating: 0, count: count)
    let got = try OverlayCalls.check(pread(file.raw, &buffer, count, Int(offset)))
    return Array(buffer[..<got])
  }

  private func isRegular(_ path: [UInt8]) throws(Errno) -> Bool {
    let kind = try status(path, follow: true).kind
    return kind == .regular || kind == .directory
  }

  /// A directory is not opened, as if all opening were for reading or writing bytes.
  private func descriptor(_ path: [UInt8], _ flags: Int32) throws(Errno) -> Descriptor {
    let raw = try OverlayCalls.check(Glibc.open(host(path), flags | O_CLOEXEC | O_NONBLOCK))
    let descriptor = Descriptor(raw)
    var row = stat()
    try check(fstat(raw, &row))
    if try Self.status(row).kind == .directory { throw .isDirectory }
    return descriptor
  }
}

// MARK: Changing

extension KernelUnderTest {
  private func changeNames(_ operation: FileOperation) throws(Errno) -> FileOutcome {
    switch operation {
    case .create(let path, let mode, let exclusive):
      if !exclusive, let kind = try? status(path, follow: true).kind, kind != .regular,
        kind != .directory
      {
        return .skipped
      }
      let flags = O_CREAT | O_WRONLY | O_CLOEXEC | (exclusive ? O_EXCL : 0)
      Glibc.close(try OverlayCalls.check(Glibc.open(host(path), flags, mode)))
    case .makeDirectory(let path, let mode): try check(mkdir(host(path), mode))
    case .makeSymlink(let path, let target):
      try check(symlink(OverlayCalls.cString(target), host(path)))
    case .makeSpecial(let path, let kind, let device, let mode):
      try check(mknod(host(path), kind.modeBits | mode, dev_t(device)))
    case .link(let path, let other): try check(Glibc.link(host(path), host(other)))
    case .unlink(let path): try check(Glibc.unlink(host(path)))
    case .removeDirectory(let path): try check(rmdir(host(path)))
    case .rename(let path, let other, let flags):
      let rename = try need(calls.rename)
      try check(rename(AT_FDCWD, host(path), AT_FDCWD, host(other), flags.rawValue))
    default: throw .notSupported
    }
    return .done
  }

  private func changeAttributes(_ operation: FileOperation) throws(Errno) {
    switch operation {
    case .setMode(let path, let mode): try check(chmod(host(path), mode))
    case .setOwner(let path, let uid, let gid, let follow):
      let (uid, gid) = (uid ?? .max, gid ?? .max)
      try check(follow ? chown(host(path), uid, gid) : lchown(host(path), uid, gid))
    case .setTimes(let path, let accessed, let modified, let follow):
      let times = [accessed, modified].map { time in
        time.map { timespec(tv_sec: Int($0 / 1_000_000_000), tv_nsec: Int($0 % 1_000_000_000)) }
          ?? timespec(tv_sec: 0, tv_nsec: Self.omit)
      }
      try check(utimensat(AT_FDCWD, host(path), times, follow ? 0 : AT_SYMLINK_NOFOLLOW))
    case .setXattr(let path, let name, let value, let mode, let follow):
      let set = try need(follow ? calls.followSet : calls.setXattr)
      let flag: Int32 = mode == .create ? 1 : mode == .replace ? 2 : 0
      let name = OverlayCalls.cString(name.bytes)
      try check(value.withUnsafeBytes { set(host(path), name, $0.baseAddress, $0.count, flag) })
    case .removeXattr(let path, let name, let follow):
      let remove = try need(follow ? calls.followRemove : calls.removeXattr)
      try check(remove(host(path), OverlayCalls.cString(name.bytes)))
    default: throw .notSupported
    }
  }

  private func changeContent(_ operation: FileOperation) throws(Errno) -> FileOutcome {
    switch operation {
    case .truncate(let path, let size):
      if size >= 0, try !isRegular(path) { return .skipped }
      try check(Glibc.truncate(host(path), Int(size)))
    case .write(let path, let bytes, let offset):
      guard try isRegular(path) else { return .skipped }
      let file = try descriptor(path, offset == nil ? O_WRONLY | O_APPEND : O_WRONLY)
      try write(file, bytes, at: offset ?? 0)
    case .allocate(let path, let range, let mode):
      guard try isRegular(path) else { return .skipped }
      try allocate(try descriptor(path, O_WRONLY), range, mode)
    default: throw .notSupported
    }
    return .done
  }

  private func write(_ file: Descriptor, _ bytes: [UInt8], at offset: Int64) throws(Errno) {
    defer { withExtendedLifetime(file) {} }
    let count = bytes.withUnsafeBytes { pwrite(file.raw, $0.baseAddress, $0.count, Int(offset)) }
    guard try OverlayCalls.check(count) == bytes.count else { throw .ioError }
  }

  private func allocate(
    _ file: Descriptor, _ range: Range<Int64>, _ mode: AllocateMode
  ) throws(Errno) {
    defer { withExtendedLifetime(file) {} }
    let fallocate = try need(calls.fallocate)
    let flags: Int32 =
      switch mode {
      case .extend: 0
      case .keepSize: 1
      case .punchHole: 1 | 2
      case .zeroRange: 0x10
      }
    try check(fallocate(file.raw, flags, Int(range.lowerBound), range.count))
  }

  private mutating func changeOpen(_ operation: FileOperation) throws(Errno) -> FileOutcome {
    switch operation {
    case .open(let slot, let path, let options):
      open[slot] = nil
      guard try isRegular(path) else { return .skipped }
      var flags = options.contains(.read) ? O_RDWR : O_WRONLY
      if !options.contains(.write) { flags = O_RDONLY }
      if options.contains(.append) { flags |= O_APPEND }
      if options.contains(.truncate) { flags |= O_TRUNC }
      open[slot] = try descriptor(path, flags)
    case .close(let slot): open[slot] = nil
    case .readOpen(let slot, let count, let offset):
      guard let file = open[slot] else { return .skipped }
      return .bytes(try read(file, count, offset))
    case .writeOpen(let slot, let bytes, let offset):
      guard let file = open[slot] else { return .skipped }
      try write(file, bytes, at: offset)
    case .truncateOpen(let slot, let size):
      guard let file = open[slot] else { return .skipped }
      try check(ftruncate(file.raw, Int(size)))
    case .allocateOpen(let slot, let range, let mode):
      guard let file = open[slot] else { return .skipped }
      try allocate(file, range, mode)
    case .statusOpen(let slot):
      guard let file = open[slot] else { return .skipped }
      var row = stat()
      try check(fstat(file.raw, &row))
      return .status(try Self.status(row))
    default: throw .notSupported
    }
    return .done
  }
}
