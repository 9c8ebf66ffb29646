internal import Glibc
internal import StrataSystem
internal import SystemPackage

/// Room on the disk that is kept for the day when there is none: a file that is given up so that undo
/// and gc, which need some themselves, can be done.
///
/// It is best effort. A disk without the room for it has none, and nothing fails for that.
final class Reserve {
  private static let name = Array("reserve".utf8)
  private static let size: Int64 = 4 << 20
  private static let smallest: Int64 = 64 << 10

  private let directory: Descriptor
  /// Whether the file is as large as it should be, as far as this process knows.
  private var isWhole = false

  init(in directory: Descriptor) { self.directory = directory }

  /// Takes the room, or what there is of it.
  func make() {
    guard !isWhole else { return }
    var size = Self.size
    while size >= Self.smallest {
      do throws(Errno) {
        let file = try openOrMake()
        let code = posix_fallocate(file.rawValue, 0, off_t(size))
        if code == 0 {
          isWhole = size == Self.size
          return
        }
        guard code == ENOSPC else { throw Errno(rawValue: code) }
        // Some file systems keep what they had taken until then.
        try file.truncate(to: 0)
      } catch {
        return
      }
      size /= 2
    }
  }

  /// Gives the room back.
  /// - Returns: whether there was any.
  func release() -> Bool {
    isWhole = false
    do throws(Errno) {
      let file = try directory.open(entry: Self.name, [.readWrite])
      guard try file.status().blocks > 0 else { return false }
      try file.truncate(to: 0)
      // Some file systems have the room only after that.
      try? file.sync()
      return true
    } catch {
      return false
    }
  }

  /// Whether the disk has room for some more files as large as one in the same directory.
  func hasRoom(for name: String, times count: Int) -> Bool {
    guard let room, let size = size(of: name) else { return false }
    return room.free > size * count
  }

  /// Whether the disk has room for a file in the same directory with another size.
  func hasRoom(for name: String, growingTo size: Int64) -> Bool {
    guard let room, let now = self.size(of: name) else { return false }
    return room.free > Int(clamping: size) - now
  }

  private func size(of name: String) -> Int? {
    (try? directory.status(ofEntry: Array(name.utf8)).size).map { Int(clamping: $0) }
  }

  /// Bytes that the disk would take from this process, and what of them is not for content: the log of
  /// what was done needs some, and going on from there.
  var room: (free: Int, spared: Int)? {
    var disk = statvfs()
    guard fstatvfs(directory.rawValue, &disk) == 0 else { return nil }
    let unit = UInt64(disk.f_frsize)
    let free = UInt64(geteuid() == 0 ? disk.f_bfree : disk.f_bavail)
    let spared = min(Self.size, Int64(clamping: UInt64(disk.f_blocks) * unit / 8))
    return (Int(clamping: free * unit), Int(clamping: spared))
  }

  private func openOrMake() throws(Errno) -> Descriptor {
    do throws(Errno) {
      return try directory.open(entry: Self.name, [.readWrite])
    } catch .noSuchFileOrDirectory {
      return try directory.createFile(Self.name, mode: 0o600)
    }
  }
}
