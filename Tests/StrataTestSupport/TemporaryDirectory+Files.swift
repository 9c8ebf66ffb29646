public import Glibc
public import SystemPackage

/// What a test puts into its directory, by calls of the C library alone. Paths are relative to it,
/// and short.
extension TemporaryDirectory {
  /// The bytes of a path of something in here.
  public func bytes(_ path: some Sequence<UInt8>) -> [UInt8] {
    Array("\(self.path)/".utf8) + path
  }
  public func bytes(_ path: String) -> [UInt8] { bytes(path.utf8) }

  public func makeDirectory(_ path: String, mode: UInt32 = 0o755) throws(Errno) {
    try call(bytes(path)) { mkdir($0, mode) }
    try call(bytes(path)) { chmod($0, mode) }
  }

  public func write(_ path: String, _ content: String, mode: UInt32 = 0o644) throws(Errno) {
    try write(bytes(path), Array(content.utf8), at: 0, flags: O_TRUNC)
    try call(bytes(path)) { chmod($0, mode) }
  }

  /// Makes or changes the file at an absolute path, from `offset` on.
  public func write(
    _ path: [UInt8], _ content: [UInt8], at offset: Int64, flags: Int32 = 0
  ) throws(Errno) {
    let path = path.map { CChar(bitPattern: $0) } + [0]
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0o644)
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    defer { close(descriptor) }
    guard pwrite(descriptor, content, content.count, off_t(offset)) == content.count else {
      throw Errno(rawValue: errno)
    }
  }

  public func read(_ path: String) throws(Errno) -> [UInt8] {
    let descriptor = open(appending(path), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    defer { close(descriptor) }
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      guard count >= 0 else { throw Errno(rawValue: errno) }
      if count == 0 { return all }
      all += buffer[..<count]
    }
  }

  public func text(_ path: String) throws(Errno) -> String {
    String(decoding: try read(path), as: UTF8.self)
  }

  public func makeSymlink(_ path: String, to target: String) throws(Errno) {
    try call(bytes(path)) { symlink(target, $0) }
  }

  public func link(_ path: String, as other: String) throws(Errno) {
    let other = appending(other)
    try call(bytes(path)) { Glibc.link($0, other) }
  }

  /// - Parameter mode: with the type of the node, `S_IFIFO` for one; devices are root's to make.
  public func makeNode(_ path: String, mode: UInt32, device: UInt64 = 0) throws(Errno) {
    try call(bytes(path)) { mknod($0, mode, dev_t(device)) }
  }

  public func rename(_ path: String, to other: String) throws(Errno) {
    let other = appending(other)
    try call(bytes(path)) { Glibc.rename($0, other) }
  }

  public func remove(_ path: String) throws(Errno) {
    try call(bytes(path)) { unlink($0) }
  }

  public func setMode(_ path: String, _ mode: UInt32) throws(Errno) {
    try call(bytes(path)) { chmod($0, mode) }
  }

  /// `lstat`, as the C library says it.
  public func status(_ path: String) throws(Errno) -> stat {
    var status = stat()
    try call(bytes(path)) { lstat($0, &status) }
    return status
  }

  /// The names in here, sorted; what is there already when the test began included.
  public func names(_ path: String = ".") throws(Errno) -> [String] {
    guard let directory = opendir(appending(path)) else { throw Errno(rawValue: errno) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      names.append(String(decoding: name, as: UTF8.self))
    }
    return names.filter { $0 != "." && $0 != ".." }.sorted()
  }

  private func call(
    _ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Int32
  ) throws(Errno) {
    let path = path.map { CChar(bitPattern: $0) } + [0]
    let result = path.withUnsafeBufferPointer { $0.baseAddress.map(body) ?? -1 }
    guard result == 0 else { throw Errno(rawValue: errno) }
  }
}

extension TemporaryDirectory {
  /// Makes `depth` directories of one name in each other, and a file `leaf` in the last.
  public func makeDeep(_ name: String, _ depth: Int, leaf content: String) throws(Errno) {
    var directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { close(directory) }
    for _ in 0..<depth {
      guard mkdirat(directory, name, 0o755) == 0 else { throw Errno(rawValue: errno) }
      let next = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      close(directory)
      directory = next
      guard next >= 0 else { throw Errno(rawValue: errno) }
    }
    let leaf = openat(directory, "leaf", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard leaf >= 0 else { throw Errno(rawValue: errno) }
    defer { close(leaf) }
    let bytes = Array(content.utf8)
    guard Glibc.write(leaf, bytes, bytes.count) == bytes.count else {
      throw Errno(rawValue: errno)
    }
  }
}
