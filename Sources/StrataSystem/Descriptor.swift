internal import CStrataSystem
internal import Glibc
public import SystemPackage

/// An open file descriptor, closed when it is let go.
public final class Descriptor: Sendable {
  public let rawValue: Int32

  public init(owning rawValue: Int32) { self.rawValue = rawValue }

  deinit { close(rawValue) }

  /// Another descriptor of what a number stands for, with which it shares where it stands.
  public convenience init(duplicating number: Int32) throws(Errno) {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw Errno.last }
    self.init(owning: copy)
  }

  /// Opens a path as the process sees it, symbolic links followed. Paths of any length.
  /// - Parameter start: the directory that a relative path begins in; nil is the working directory.
  public convenience init(
    path: [UInt8], _ flags: OpenFlags, from start: Descriptor? = nil
  ) throws(Errno) {
    var directory = start
    let rest = try Self.steps(path) { step throws(Errno) in
      directory = try Self.open(step, [.path, .directory], in: directory)
    }
    self.init(owning: try Self.raw(rest, flags, in: directory))
  }

  private static func open(
    _ path: [UInt8], _ flags: OpenFlags, in directory: Descriptor?
  ) throws(Errno) -> Descriptor {
    Descriptor(owning: try raw(path, flags, in: directory))
  }

  private static func raw(
    _ path: [UInt8], _ flags: OpenFlags, in directory: Descriptor?
  ) throws(Errno) -> Int32 {
    let path = try checked(path)
    return try opened(
      path.withCPath {
        strata_open_at(directory?.rawValue ?? -1, $0, flags.rawValue, 0)
      })
  }

  /// Opens a path below this directory. No symbolic link is followed and nothing outside is
  /// reached: ELOOP or ENOTDIR, EXDEV. Paths of any length.
  public func open(
    beneath path: [UInt8], _ flags: OpenFlags, by resolution: Resolution = .kernel
  ) throws(Errno) -> Descriptor {
    var directory = self
    let rest = try Self.steps(path) { step throws(Errno) in
      directory = try directory.openShort(step, [.path, .directory], resolution)
    }
    return try directory.openShort(rest, flags, resolution)
  }

  /// Who goes from name to name below a directory.
  public enum Resolution: Sendable {
    /// openat2; on kernels that lack it, the same as `.steps`.
    case kernel
    /// One openat for each name.
    case steps
  }

  /// Opens for use what this descriptor, opened with `.path`, refers to: that very object, whatever
  /// stands at its path by now.
  /// - Throws: ENOENT where /proc is not mounted.
  public func reopen(_ flags: OpenFlags) throws(Errno) -> Descriptor {
    Descriptor(owning: try opened(strata_reopen(rawValue, flags.rawValue)))
  }

  private func openShort(
    _ path: [UInt8], _ flags: OpenFlags, _ resolution: Resolution
  ) throws(Errno) -> Descriptor {
    let path = try checked(path)
    let fd = path.withCPath {
      switch resolution {
      case .kernel: strata_open_beneath(rawValue, $0, flags.rawValue)
      case .steps: strata_open_walking(rawValue, $0, flags.rawValue)
      }
    }
    return Descriptor(owning: try opened(fd))
  }

  /// Cuts what the kernel would find too long into directories to go through one after the other;
  /// returns what is left for the last step.
  private static func steps(
    _ path: [UInt8], _ enter: ([UInt8]) throws(Errno) -> Void
  ) throws(Errno) -> [UInt8] {
    guard path.count >= maximumPath else { return path }
    var rest = path[...]
    while rest.count >= maximumPath {
      guard let cut = rest.prefix(maximumPath - 1).lastIndex(of: UInt8(ascii: "/")) else {
        throw .fileNameTooLong
      }
      try enter(cut == rest.startIndex ? [UInt8(ascii: "/")] : Array(rest[..<cut]))
      rest = rest[cut...].drop { $0 == UInt8(ascii: "/") }
    }
    return rest.isEmpty ? [UInt8(ascii: ".")] : Array(rest)
  }

  /// `PATH_MAX`, which counts the NUL.
  private static let maximumPath = 4096
}

/// A descriptor, or -errno.
func opened(_ result: Int32) throws(Errno) -> Int32 {
  guard result >= 0 else { throw Errno(rawValue: -result) }
  return result
}

/// A path that the kernel will see to its end.
/// - Throws: EINVAL for a NUL inside.
func checked(_ path: [UInt8]) throws(Errno) -> [UInt8] {
  guard !path.contains(0) else { throw .invalidArgument }
  return path
}

/// How a path is opened.
public struct OpenFlags: OptionSet, Sendable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let read = OpenFlags(rawValue: O_RDONLY)
  /// Only to say which object is meant: opens anything, waits for nothing.
  public static let path = OpenFlags(rawValue: strata_o_path)
  public static let write = OpenFlags(rawValue: O_WRONLY)
  public static let readWrite = OpenFlags(rawValue: O_RDWR)
  public static let append = OpenFlags(rawValue: O_APPEND)
  public static let directory = OpenFlags(rawValue: O_DIRECTORY)
  /// A symbolic link at the end is not followed; ELOOP, unless it is opened with `.path`.
  public static let noFollow = OpenFlags(rawValue: strata_o_nofollow)
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
  /// The bytes as a C string; a NUL inside ends it, see ``checked(_:)``.
  package func withCPath<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
    var terminated = self
    terminated.append(0)
    return terminated.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return "".withCString(body) }
      return base.withMemoryRebound(to: CChar.self, capacity: bytes.count, body)
    }
  }
}
