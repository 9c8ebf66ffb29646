internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem
internal import SystemPackage

extension MachineHost {
  func attributes(_ path: [UInt8], follow: Bool) throws(FileError) -> Attributes {
    var status = stat()
    try call(of: path) { follow ? stat($0, &status) : lstat($0, &status) }
    guard let kind = FileKind(modeBits: status.st_mode) else { throw .invalid }
    return Attributes(
      node: NodeID(UInt64(status.st_ino)), kind: kind, mode: status.st_mode & 0o7777,
      links: UInt32(clamping: status.st_nlink), uid: status.st_uid, gid: status.st_gid,
      size: Int64(status.st_size), blocks: Int64(status.st_blocks), device: UInt64(status.st_rdev),
      accessed: status.st_atim.nanoseconds, modified: status.st_mtim.nanoseconds,
      changed: status.st_ctim.nanoseconds)
  }

  func list(_ path: [UInt8]) throws(FileError) -> [[UInt8]] {
    guard let directory = opendir(try cPath(reachable(path))) else { throw FileError.last }
    defer { closedir(directory) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = readdir(directory) else {
        if errno != 0 { throw FileError.last }
        return names
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
    }
  }

  func readLink(_ path: [UInt8]) throws(FileError) -> [UInt8] {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink(try cPath(reachable(path)), &target, target.count)
    guard count >= 0 else { throw FileError.last }
    return target[..<count].map { UInt8(bitPattern: $0) }
  }

  func open(_ path: [UInt8]) throws(FileError) -> any HostFile {
    try MachineFile(reachable(path), O_RDONLY)
  }

  func create(_ path: [UInt8], mode: UInt32) throws(FileError) -> any HostFile {
    try MachineOutput(reachable(path), mode: masked(mode))
  }

  /// A file that is there from its first byte on.
  func record(to path: [UInt8]) throws(FileError) -> MachineFile {
    try MachineFile(writing: reachable(path), mode: masked(0o644))
  }

  func makeDirectory(_ path: [UInt8], mode: UInt32) throws(FileError) {
    try call(of: path) { mkdir($0, masked(mode)) }
  }

  func makeSymlink(_ path: [UInt8], target: [UInt8]) throws(FileError) {
    let target = try cPath(target)
    try call(of: path) { symlink(target, $0) }
  }

  func setAttributes(_ path: [UInt8], _ changes: AttributeChanges) throws(FileError) {
    // The owner first, for that takes set-id bits away.
    if changes.uid != nil || changes.gid != nil {
      try call(of: path) { lchown($0, changes.uid ?? .max, changes.gid ?? .max) }
    }
    if let mode = changes.mode, try attributes(path, follow: false).kind != .symlink {
      try call(of: path) { chmod($0, mode & 0o7777) }
    }
    if let size = changes.size { try call(of: path) { truncate($0, off_t(size)) } }
    guard changes.accessed != nil || changes.modified != nil else { return }
    let omitted = timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2)  // UTIME_OMIT
    let times = [changes.accessed, changes.modified].map { time in
      time.map { timespec(nanoseconds: $0) } ?? omitted
    }
    try call(of: path) { utimensat(AT_FDCWD, $0, times, AT_SYMLINK_NOFOLLOW) }
  }

  func rename(_ path: [UInt8], to other: [UInt8]) throws(FileError) {
    let other = try cPath(reachable(other))
    try call(of: path) { Glibc.rename($0, other) }
  }

  func remove(_ path: [UInt8]) throws(FileError) {
    try call(of: path) { unlink($0) }
  }

  /// The path from the root with all links resolved; as it is, if there is no such thing.
  func absolutePath(_ path: [UInt8]) -> [UInt8] {
    let path = placed(path)
    guard let cPath = try? cPath(path), let resolved = realpath(cPath, nil) else { return path }
    defer { free(resolved) }
    return Array(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
  }

  /// The path as this process is to open it.
  func placed(_ path: [UInt8]) -> [UInt8] { standpoint?.placed(path) ?? path }

  private func reachable(_ path: [UInt8]) throws(FileError) -> [UInt8] {
    try standpoint?.reachable(path) ?? path
  }

  /// - Throws: EPERM in a run, where paths lead elsewhere than for us.
  func checkOutside() throws(FileError) {
    if standpoint?.isInside == true { throw Standpoint.isElsewhere }
  }

  /// The mode of something new. Another process's mask is taken off here, for ours takes off nothing.
  func masked(_ mode: UInt32) -> UInt32 { mode & ~(standpoint?.umask ?? 0) }

  /// Where relative paths begin; nil if it was removed.
  var directory: [UInt8]? { standpoint?.directory ?? workingDirectory() }

  /// Calls with the path until no signal comes in between.
  private func call(of path: [UInt8], _ body: (UnsafePointer<CChar>) -> Int32) throws(FileError) {
    let path = try cPath(reachable(path))
    while body(path) != 0 {
      if errno != EINTR { throw FileError.last }
    }
  }
}

/// The path with the NUL that the kernel wants.
func cPath(_ path: [UInt8]) throws(FileError) -> [CChar] {
  guard !path.contains(0) else { throw FileError(.invalidArgument, "a NUL in a path") }
  return path.map { CChar(bitPattern: $0) } + [0]
}

extension FileError {
  /// What `errno` says now.
  static var last: FileError { FileError(Errno(rawValue: Glibc.errno)) }
}
