internal import Glibc

/// The program that a request comes from, as events name it.
enum Program {
  /// The name of a process; empty if it is gone.
  static func command(of pid: UInt32) -> String {
    String(decoding: read("comm", of: pid, 64).prefix { $0 != 10 }, as: UTF8.self)
  }

  /// Whether a process may leave set-group-ID on what it changes: it has the group among its
  /// supplementary ones, or CAP_FSETID. Who has that in a user namespace of its own has it over
  /// nothing here.
  static func isTrusted(_ pid: UInt32, withGroup group: UInt32) -> Bool {
    for line in read("status", of: pid, 65536).split(separator: 10) {
      let words = line.split { $0 == 32 || $0 == 9 }.map { String(decoding: $0, as: UTF8.self) }
      switch words.first {
      case "Groups:": if words.contains(String(group)) { return true }
      case "CapEff:":
        let mayKeepSetID: UInt64 = 1 << 4
        if words.count > 1, let set = UInt64(words[1], radix: 16), set & mayKeepSetID != 0,
          isInOurUserNamespace(pid)
        {
          return true
        }
      default: continue
      }
    }
    return false
  }

  private static func isInOurUserNamespace(_ pid: UInt32) -> Bool {
    let ours = userNamespace("self")
    return !ours.isEmpty && userNamespace("\(pid)") == ours
  }

  /// Its name; empty if the process is gone, or we may not ask.
  private static func userNamespace(_ process: String) -> [UInt8] {
    var name = [UInt8](repeating: 0, count: 64)
    let count = readlink("/proc/\(process)/ns/user", &name, name.count)
    return Array(name[..<max(count, 0)])
  }

  /// A file about a process; empty if it is gone.
  private static func read(_ name: String, of pid: UInt32, _ limit: Int) -> ArraySlice<UInt8> {
    guard pid != 0 else { return [] }
    let file = Glibc.open("/proc/\(pid)/\(name)", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [] }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: limit)
    let count = Glibc.read(file, &buffer, buffer.count)
    return buffer[..<max(count, 0)]
  }
}
