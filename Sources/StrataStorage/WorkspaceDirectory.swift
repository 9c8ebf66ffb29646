internal import Glibc
public import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// The directory `.strata` of a workspace: where it is found and made, and who owns it.
public final class WorkspaceDirectory: Sendable {
  public static let name = Name(".strata")

  /// The `.strata` directory, absolute; held for as long as this process owns the workspace.
  public let place: HeldPath
  /// Open and locked for as long; nil where there is nothing to lock, for who only reads.
  private let lock: Descriptor?

  private init(path: [UInt8], _ directory: Descriptor, lock: Descriptor?) {
    place = HeldPath(shown: path, directory)
    self.lock = lock
  }

  /// The workspace that a directory is in: its own `.strata`, or that of the nearest directory
  /// above.
  /// - Parameter directory: an absolute path.
  /// - Throws: what ``isWorkspace(_:)`` says of the nearest.
  public static func find(from directory: [UInt8]) throws(FileError) -> [UInt8]? {
    var place = directory[...]
    while true {
      let candidate = join(Array(place), name.bytes)
      if try isWorkspace(candidate) { return candidate }
      guard let slash = place.lastIndex(of: UInt8(ascii: "/")), place.count > 1 else { return nil }
      place = slash == place.startIndex ? place[...slash] : place[..<slash]
    }
  }

  /// Whether a workspace's directory is at a path; false if no directory is.
  /// - Throws: why the directory there is no workspace, or cannot be known to be one; the reason is
  ///   the path.
  public static func isWorkspace(_ path: [UInt8]) throws(FileError) -> Bool {
    guard let directory = try? Descriptor(path: path, [.path, .directory]) else { return false }
    let store = "store.db"
    do throws(Errno) {
      let mode = try directory.status(ofEntry: Array(store.utf8)).mode
      guard mode & 0o170000 == 0o100000 else { throw .invalidArgument }
      return true
    } catch {
      throw FileError(error, "\(String(decoding: path, as: UTF8.self))/\(store)")
    }
  }

  /// Makes the directory in another one; git leaves it out.
  /// - Throws: EEXIST for one that is there already.
  public static func make(in directory: [UInt8]) throws(FileError) -> [UInt8] {
    do throws(Errno) {
      let place = try Descriptor(path: directory, [.path, .directory])
      try place.makeDirectory(name.bytes, mode: 0o700)
      try place.open(entry: name.bytes, [.path, .directory])
        .createFile(Array(".gitignore".utf8), mode: 0o600).write(Array("*\n".utf8), at: 0)
    } catch {
      throw FileError(error)
    }
    return join(directory, name.bytes)
  }

  /// Becomes the owner.
  /// - Throws: EBUSY, naming the owner's process, while another process has it. One that died has
  ///   let go of it.
  public static func own(_ path: [UInt8]) throws(FileError) -> WorkspaceDirectory {
    let (directory, lock): (Descriptor, Descriptor)
    do throws(Errno) {
      directory = try Descriptor(path: path, [.path, .directory])
      lock = try openLock(directory)
    } catch {
      throw FileError(error)
    }
    guard flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 else { throw busy(lock) }
    do throws(Errno) {
      try lock.truncate(to: 0)
      try lock.write(Array(String(getpid()).utf8), at: 0)
    } catch .noSpace {
      // The number is only for people; a full disk must not keep them from making room.
    } catch {
      throw FileError(error)
    }
    return WorkspaceDirectory(path: path, directory, lock: lock)
  }

  /// Whether the process may only read the directory, or it is on a file system that is read-only.
  public static func isReadOnly(_ path: [UInt8]) -> Bool {
    guard let directory = try? Descriptor(path: path, [.read, .directory]) else { return false }
    return faccessat(directory.rawValue, ".", W_OK, AT_EACCESS) != 0
      && [EROFS, EACCES, EPERM].contains(errno)
  }

  /// Microseconds that an owner takes to leave: it stays for 200 ms after its last client, and then
  /// saves what is left. Who is still there is not about to leave.
  private static let patience: UInt32 = 500_000
  private static let interval: UInt32 = 10_000

  /// Keeps others from becoming the owner, as far as they can see this process, while it only reads.
  /// - Throws: EBUSY while another process is the owner, and does not leave.
  public static func read(_ path: [UInt8]) throws(FileError) -> WorkspaceDirectory {
    let directory: Descriptor
    var lock: Descriptor?
    do throws(Errno) {
      directory = try Descriptor(path: path, [.path, .directory])
      do throws(Errno) {
        lock = try directory.open(entry: Array("lock".utf8), [.read])
      } catch .noSuchFileOrDirectory {
        // Nobody has ever owned it, and nobody can from here.
      }
    } catch {
      throw FileError(error)
    }
    var waited: UInt32 = 0
    while let lock, flock(lock.rawValue, LOCK_SH | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK, waited < patience else { throw busy(lock) }
      usleep(interval)
      waited += interval
    }
    return WorkspaceDirectory(path: path, directory, lock: lock)
  }

  /// Why the lock cannot be had.
  private static func busy(_ lock: Descriptor) -> FileError {
    let reason = errno
    guard reason == EWOULDBLOCK else { return FileError(Errno(rawValue: reason)) }
    let owner = owner(lock).map { "process \($0)" } ?? "another process"
    return FileError(.resourceBusy, saying: "the workspace is open in \(owner)")
  }

  private static func openLock(_ directory: Descriptor) throws(Errno) -> Descriptor {
    let name = Array("lock".utf8)
    do throws(Errno) {
      return try directory.createFile(name, mode: 0o600)
    } catch .fileExists {
      return try directory.open(entry: name, [.readWrite])
    }
  }

  private static func owner(_ lock: Descriptor) -> Int? {
    var text = [UInt8](repeating: 0, count: 20)
    let count = text.withUnsafeMutableBytes { try? lock.read(into: $0, at: 0) } ?? 0
    return Int(String(decoding: text[..<count], as: UTF8.self))
  }

  private static func join(_ directory: [UInt8], _ name: [UInt8]) -> [UInt8] {
    (directory == [UInt8(ascii: "/")] ? [] : directory) + [UInt8(ascii: "/")] + name
  }
}
