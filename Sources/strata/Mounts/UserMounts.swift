internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem

/// What user space knows of mounts beside the kernel: libmount's table, a line a mount.
///
/// umount(8) looks for the helper of a mount's whole type, `fuse.strata`, only if the table has a line
/// for its directory; else it goes by what statfs(2) says, and that is `fuse`. So a line of ours says
/// nothing but that: no mount has its source, so that libmount takes no options from it, for ours or
/// for what is mounted there later. Where there is no table, umount(8) does without the helper.
enum UserMounts {
  private static let table = Array("/run/mount/utab".utf8)
  private static let lock = table + ".lock".utf8
  private static let newline = UInt8(ascii: "\n")

  private static let prefix = Array("SRC=strata:".utf8)

  /// How the lines of a process begin that serves a mount.
  private static func beginning(_ server: pid_t) -> [UInt8] { prefix + "\(server) ".utf8 }

  /// Adds a line for a directory, without symbolic links in its path.
  static func add(_ directory: [UInt8], servedBy server: pid_t) {
    let target = "TARGET=".utf8 + escaped(directory) + " ROOT=/".utf8
    change { $0.append(beginning(server) + target) }
  }

  /// Takes all lines of a process away.
  static func remove(servedBy server: pid_t) {
    change { $0.removeAll { $0.starts(with: beginning(server)) } }
  }

  /// Also takes away what processes have left that were killed.
  private static func change(_ body: (inout [[UInt8]]) -> Void) {
    let host = MachineHost()
    let raw = lock.withCPath { open($0, O_RDONLY | O_CREAT | O_CLOEXEC, 0o644) }
    guard raw >= 0 else { return }
    let lock = Descriptor(owning: raw)
    while flock(lock.rawValue, LOCK_EX) != 0 { guard errno == EINTR else { return } }
    var lines: [[UInt8]] = []
    do throws(FileError) {
      lines = try host.contents(of: table).split(separator: newline).map(Array.init)
    } catch {
      guard error.errno == .noSuchFileOrDirectory else { return }
    }
    lines.removeAll(where: isLeft)
    body(&lines)
    try? host.replace(table, with: lines.flatMap { $0 + [newline] })
  }

  private static func isLeft(_ line: [UInt8]) -> Bool {
    guard line.starts(with: prefix),
      let process = pid_t(
        String(
          decoding: line.dropFirst(prefix.count).prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self))
    else { return false }
    return kill(process, 0) != 0 && errno == ESRCH
  }

  /// With octal escapes for what would end a field.
  private static func escaped(_ path: [UInt8]) -> [UInt8] {
    path.flatMap { byte -> [UInt8] in
      guard " \t\n\\#".utf8.contains(byte) else { return [byte] }
      let digits = String(byte, radix: 8)
      return Array("\\\(String(repeating: "0", count: 3 - digits.count))\(digits)".utf8)
    }
  }
}
