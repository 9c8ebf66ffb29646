internal import CStrataSystem
internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem
internal import SystemPackage

/// `strata umount-helper`, which umount(8) calls as `/sbin/umount.fuse.strata`: comes back when an
/// upper directory has all that the mount held.
enum UnmountHelper {
  static let name = "umount-helper"
  private static let failure: Int32 = 32

  /// The arguments, if this process is a helper.
  static var wanted: [[UInt8]]? {
    let words = Launch.rawArguments(last: .max)
    guard words.first == Array(name.utf8) else { return nil }
    return Array(words.dropFirst())
  }

  /// `DIR [-flnrv] [-N NS] [-t TYPE]`
  static func run(_ words: [[UInt8]]) -> Never {
    if HelperUsage.isWanted(words) { HelperUsage.show(HelperUsage.unmount) }
    var directory: [UInt8]?
    var isLazy = false
    var rest = words[...]
    while let word = rest.popFirst() {
      guard word.first == UInt8(ascii: "-"), word.count > 1 else {
        directory = word
        continue
      }
      switch word {
      case Array("-N".utf8), Array("-t".utf8): _ = rest.popFirst()
      default: isLazy = isLazy || word.contains(UInt8(ascii: "l"))
      }
    }
    guard let directory else {
      Complaint("umount: a directory is needed, see 'strata \(name) --help'").show()
      exit(1)
    }
    let notice = UpperLock.Notice(of: directory)
    let place = MachineHost().absolutePath(directory)
    let isWritten = notice == nil || isLazy || writesBack(directory)
    let result = directory.withCPath { strata_unmount($0, isLazy) }
    guard result == 0 else {
      let error = FileError(Errno(rawValue: -result))
      Complaint("umount: \(ShownName(directory)): \(error.text)").show()
      exit(failure)
    }
    if let notice, !notice.hasEnded {
      // umount(8) takes one line away now, and the mount is not at its end.
      UserMounts.add(place, servedBy: notice.server)
      guard isWritten else {
        Complaint(
          "umount: \(ShownName(directory)) is unmounted, but not written back: it is still mounted in "
            + "another place"
        ).show()
        exit(failure)
      }
    } else if let notice, !isLazy, let reason = notice.wait() {
      Complaint(
        "umount: \(ShownName(directory)) is unmounted, but not written back yet, and that is tried "
          + "again every second: \(reason)"
      ).show()
      exit(failure)
    }
    exit(0)
  }

  /// While the mount is there: a file system that is mounted in another place, or another mount
  /// namespace, too, goes on, and does it only at its end.
  private static func writesBack(_ directory: [UInt8]) -> Bool {
    do throws(Errno) {
      try Descriptor(path: directory, [.read, .directory]).sync()
      return true
    } catch {
      return false
    }
  }
}
