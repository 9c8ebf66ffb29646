internal import CStrataSystem
internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem
internal import SystemPackage

/// Who has an upper directory: the process that serves its mount, until it has written back what it
/// holds. The next mount waits for that, and so does `umount`, which finds it by the mount's device.
struct UpperLock {
  /// Writing back takes as long as there is data.
  private static let seconds = 60
  private static let interval: UInt32 = 10_000
  let path: [UInt8]
  /// What is at the path, whatever is mounted over it later.
  let directory: Descriptor
  /// Where who unmounts finds it.
  private var notice: (path: [UInt8], file: Int32)?

  /// Takes the directory, when a former mount has let it go.
  /// - Throws: when that takes too long: another mount has it.
  init(_ path: [UInt8]) throws(Complaint) {
    self.path = path
    do throws(Errno) {
      directory = try Descriptor(path: path, [.read, .directory])
    } catch {
      throw Complaint("upperdir \(ShownName(path)): \(FileError(error).text)")
    }
    for _ in 0..<Self.seconds * 1_000_000 / Int(Self.interval) {
      if flock(directory.rawValue, LOCK_EX | LOCK_NB) == 0 { return }
      usleep(Self.interval)
    }
    throw Complaint("upperdir \(ShownName(path)): another mount has it")
  }

  /// Lets who unmounts find it.
  mutating func announce(_ mount: [UInt8]) {
    guard let path = Self.notice(of: mount) else { return }
    mkdir("/run/strata", 0o755)
    // A former mount of that number has left it.
    _ = path.withCPath { unlink($0) }
    // Left to the end of the process.
    let file = path.withCPath { open($0, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
    guard file >= 0, flock(file, LOCK_EX | LOCK_NB) == 0 else { return }
    let process = Array("\(getpid())\n".utf8)
    _ = Glibc.write(file, process, process.count)
    notice = (path, file)
  }

  /// Whether the directory was removed: then nobody can miss anything in it.
  var isGone: Bool {
    var status = stat()
    return fstat(directory.rawValue, &status) != 0 || status.st_nlink == 0
  }

  /// Says why it is not written back yet.
  func tell(_ reason: String) {
    guard let notice else { return }
    let text = "\(getpid())\n\(reason)"
    ftruncate(notice.file, 0)
    _ = pwrite(notice.file, text, text.utf8.count, 0)
  }

  /// The mount has ended, and its number is another's soon. Who unmounts has the notice open.
  func withdraw() {
    if let notice { _ = notice.path.withCPath { unlink($0) } }
  }

  /// The notice of a mount.
  struct Notice {
    private let file: Int32
    /// Who serves the mount.
    let server: pid_t
    /// To see that end.
    private let process: Int32
    /// Tells of the end of the file system; negative where that is not to be had.
    private let watch: Int32

    /// Nil if it has none.
    init?(of mount: [UInt8]) {
      guard let path = UpperLock.notice(of: mount) else { return nil }
      file = path.withCPath { open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
      guard file >= 0 else { return nil }
      server = Self.content(of: file).pid
      process = strata_process(server)
      watch = mount.withCPath { strata_watch_file_system($0) }
    }

    /// Whether the mount was the last of its file system; it may be in other mount namespaces, too,
    /// or in use after it was taken away lazily. Once it was taken away.
    var hasEnded: Bool { watch < 0 || strata_has_ended(watch) }

    /// Waits until all is written back, and the process has let go of the directories.
    /// - Returns: why it cannot be; nil if it is.
    func wait() -> String? {
      while flock(file, LOCK_SH | LOCK_NB) != 0 {
        let reason = Self.content(of: file).reason
        if !reason.isEmpty { return reason }
        usleep(UpperLock.interval)
      }
      guard process >= 0 else { return nil }
      var end = pollfd(fd: process, events: Int16(POLLIN), revents: 0)
      while poll(&end, 1, -1) < 0, errno == EINTR {}
      return nil
    }

    private static func content(of file: Int32) -> (pid: Int32, reason: String) {
      var text = [UInt8](repeating: 0, count: 512)
      let count = pread(file, &text, text.count, 0)
      let written = text[..<max(count, 0)]
      let pid = written.prefix { $0 != UInt8(ascii: "\n") }
      let reason = written.dropFirst(pid.count + 1)
      return (
        Int32(String(decoding: pid, as: UTF8.self)) ?? -1, String(decoding: reason, as: UTF8.self)
      )
    }
  }

  private static func notice(of mount: [UInt8]) -> [UInt8]? {
    var status = stat()
    guard mount.withCPath({ lstat($0, &status) }) == 0 else { return nil }
    return Array("/run/strata/mount-\(status.st_dev)".utf8)
  }
}
