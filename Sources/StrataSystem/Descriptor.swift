internal import CStrataSystem
internal import Glibc
public import SystemPackage

/// An open file descriptor, closed when it is let go.
public final class Descriptor: Sendable {
  public let rawValue: Int32

  public init(owning rawValue: Int32) { self.rawValue = rawValue }

  deinit { close(rawValue) }

  /// Opens a path as the process sees it, symbolic links followed.
  public init(path: [UInt8], _ flags: OpenFlags) throws(Errno) {
    let fd = path.withCPath { Glibc.open($0, flags.rawValue | O_CLOEXEC) }
    guard fd >= 0 else { throw Errno.last }
    rawValue = fd
  }

  /// Opens a path below this directory. No symbolic link is followed and nothing outside is
  /// reached: ELOOP, EXDEV. Paths of any length.
  public func open(beneath path: [UInt8], _ flags: OpenFlags) throws(Errno) -> Descriptor {
    guard path.count >= Self.maximumPath else { return try openShort(path, flags) }
    var directory = self
    var rest = path[...]
    while rest.count >= Self.maximumPath {
      guard let cut = rest.prefix(Self.maximumPath).lastIndex(of: UInt8(ascii: "/")) else {
        throw .fileNameTooLong
      }
      directory = try directory.openShort(Array(rest[..<cut]), [.path, .directory])
      rest = rest[(cut + 1)...]
    }
    return try directory.openShort(Array(rest), flags)
  }

  /// Below `PATH_MAX` with the NUL.
  private static let maximumPath = 4096

  private func openShort(_ path: [UInt8], _ flags: OpenFlags) throws(Errno) -> Descriptor {
    let fd = path.withCPath { strata_open_beneath(rawValue, $0, flags.rawValue) }
    guard fd >= 0 else { throw Errno(rawValue: -fd) }
    return Descriptor(owning: fd)
  }
}

/// How a path is opened; only what reading needs.
public struct OpenFlags: OptionSet, Sendable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let read = OpenFlags(rawValue: O_RDONLY)
  /// Only to say which object is meant: opens anything, waits for nothing.
  public static let path = OpenFlags(rawValue: strata_o_path)
  public static let directory = OpenFlags(rawValue: O_DIRECTORY)
  /// Leaves the access time alone; EPERM for files of others.
  public static let keepAccessTime = OpenFlags(rawValue: strata_o_noatime)
  public static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
}

/// The process's working directory; nil if it was removed.
public func workingDirectory() -> [UInt8]? {
  guard let path = getcwd(nil, 0) else { return nil }
  defer { free(path) }
  return Array(String(cString: path).utf8)
}

extension Errno {
  static var last: Errno { Errno(rawValue: errno) }
}

extension [UInt8] {
  /// The bytes as a C string; a NUL inside ends it, so names are checked before they come here.
  func withCPath<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
    var terminated = self
    terminated.append(0)
    return terminated.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return "".withCString(body) }
      return base.withMemoryRebound(to: CChar.self, capacity: bytes.count, body)
    }
  }
}
