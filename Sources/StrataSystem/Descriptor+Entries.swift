internal import CStrataSystem
internal import Glibc
public import SystemPackage

/// Names in this directory, which was opened with `.path` or for reading. None of them may have a
/// slash inside; a symbolic link that has the name is meant itself, never its target.
extension Descriptor {
  /// Opens a path from this directory on as the process would, symbolic links followed.
  public func open(from path: [UInt8], _ flags: OpenFlags) throws(Errno) -> Descriptor {
    try Descriptor(path: path, flags, from: self)
  }

  /// Opens what has the name; ELOOP for a symbolic link, unless it is opened with `.path`.
  public func open(entry name: [UInt8], _ flags: OpenFlags) throws(Errno) -> Descriptor {
    try open(from: name, flags.union(.noFollow))
  }

  /// Makes a regular file, open for reading and writing.
  /// - Throws: EEXIST.
  public func createFile(_ name: [UInt8], mode: UInt32) throws(Errno) -> Descriptor {
    let name = try checked(name)
    let flags = O_RDWR | O_CREAT | O_EXCL | strata_o_nofollow
    let fd = name.withCPath { strata_open_at(rawValue, $0, flags, mode) }
    return Descriptor(owning: try opened(fd))
  }

  /// Gives a regular file in this directory other content, on the disk and at once: after a crash it has
  /// the former or the new.
  public func replace(_ name: [UInt8], with bytes: [UInt8]) throws(Errno) {
    let new = name + Array("-new".utf8)
    do throws(Errno) { try unlink(new) } catch .noSuchFileOrDirectory {}
    let file = try createFile(new, mode: 0o600)
    try file.write(bytes, at: 0)
    try file.sync()
    try rename(new, to: name, keepingExisting: false)
    try syncEntries()
  }

  /// Waits until the names are on the disk, also through a descriptor that was opened with `.path`.
  public func syncEntries() throws(Errno) {
    try open(entry: [UInt8(ascii: ".")], [.read, .directory]).sync()
  }

  public func makeDirectory(_ name: [UInt8], mode: UInt32) throws(Errno) {
    try with(name) { mkdirat(rawValue, $0, mode) }
  }

  public func makeSymlink(_ name: [UInt8], target: [UInt8]) throws(Errno) {
    let target = try checked(target)
    try with(name) { name in target.withCPath { symlinkat($0, rawValue, name) } }
  }

  /// - Parameter mode: with the bits of `S_IFMT`.
  public func makeNode(_ name: [UInt8], mode: UInt32, device: UInt64) throws(Errno) {
    try with(name) { mknodat(rawValue, $0, mode, dev_t(device)) }
  }

  public func link(
    _ name: [UInt8], in directory: Descriptor, as other: [UInt8]
  ) throws(Errno) {
    let other = try checked(other)
    try with(name) { name in
      other.withCPath { linkat(directory.rawValue, name, rawValue, $0, 0) }
    }
  }

  public func unlink(_ name: [UInt8]) throws(Errno) {
    try with(name) { unlinkat(rawValue, $0, 0) }
  }

  public func removeDirectory(_ name: [UInt8]) throws(Errno) {
    try with(name) { unlinkat(rawValue, $0, AT_REMOVEDIR) }
  }

  /// - Parameter keepingExisting: whether what has the new name already is an EEXIST; EINVAL on file
  ///   systems that cannot promise that.
  public func rename(
    _ name: [UInt8], to other: [UInt8], keepingExisting: Bool
  ) throws(Errno) {
    let (name, other) = (try checked(name), try checked(other))
    let result = name.withCPath { name in
      other.withCPath { strata_rename_within(rawValue, name, $0, keepingExisting ? 1 : 0) }
    }
    _ = try opened(result)
  }

  /// Gives what has the name here a name in another directory, which nothing has.
  public func move(
    _ name: [UInt8], to directory: Descriptor, _ other: [UInt8]
  ) throws(Errno) {
    try rename(name, to: directory, other, exchange: 0)
  }

  /// Lets two names change places, in one step.
  public func exchange(
    _ name: [UInt8], with directory: Descriptor, _ other: [UInt8]
  ) throws(Errno) {
    try rename(name, to: directory, other, exchange: 1)
  }

  private func rename(
    _ name: [UInt8], to directory: Descriptor, _ other: [UInt8], exchange: Int32
  ) throws(Errno) {
    let (name, other) = (try checked(name), try checked(other))
    let result = name.withCPath { name in
      other.withCPath {
        strata_rename(rawValue, name, directory.rawValue, $0, exchange)
      }
    }
    _ = try opened(result)
  }

  private func with(
    _ name: [UInt8], _ call: (UnsafePointer<CChar>) -> Int32
  ) throws(Errno) {
    let name = try checked(name)
    try retrying { name.withCPath(call) }
  }
}
