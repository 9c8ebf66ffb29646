import Glibc
import StrataTestSupport
import SystemPackage

/// A file system mounted for one test, by root.
final class Mount {
  private let directory: String

  init(_ type: String, _ source: String, _ options: String, on directory: String) throws {
    self.directory = directory
    guard mount(source, directory, type, 0, options) == 0 else { throw Errno(rawValue: errno) }
  }

  deinit { umount2(directory, Int32(MNT_DETACH)) }
}
