internal import Glibc
internal import StrataEngine
internal import StrataShell

/// Who has an upper directory: the process that serves its mount, until it has written back what it
/// holds. The next mount waits for that, and so does `umount`, which finds it by the mount's device.
struct UpperLock {
  /// Writing back takes as long as there is data.
  private static let seconds = 60
  private let descriptor: Int32
  private var notice: [UInt8]?

  /// Takes the directory, when a former mount has let it go.
  /// - Throws: when that takes too long: another mount has it.
  init(_ directory: [UInt8]) throws(Complaint) {
    descriptor = directory.withCPath { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else {
      throw Complaint("upperdir \(ShownName(directory)): \(FileError.last.text)")
    }
    for _ in 0..<Self.seconds * 100 {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
      usleep(10_000)
    }
    throw Complaint("upperdir \(ShownName(directory)): another mount has it")
  }

  /// Lets who unmounts find it.
  mutating func announce(_ mount: [UInt8]) {
    guard let path = Self.notice(of: mount) else { return }
    mkdir("/run/strata", 0o755)
    let file = path.withCPath { open($0, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600) }
    // Left to the end of the process.
    guard file >= 0, flock(file, LOCK_EX | LOCK_NB) == 0 else { return }
    notice = path
  }

  func withdraw() {
    if let notice { _ = notice.withCPath { unlink($0) } }
  }

  /// Opens the notice of a mount; nil if it has none.
  static func find(noticeOf mount: [UInt8]) -> Int32? {
    guard let path = notice(of: mount) else { return nil }
    let file = path.withCPath { open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
    return file >= 0 ? file : nil
  }

  private static func notice(of mount: [UInt8]) -> [UInt8]? {
    var status = stat()
    guard mount.withCPath({ lstat($0, &status) }) == 0 else { return nil }
    return Array("/run/strata/mount-\(status.st_dev)".utf8)
  }
}
