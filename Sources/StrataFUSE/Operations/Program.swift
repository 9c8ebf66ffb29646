internal import Glibc

/// The program that a request comes from, as events name it.
enum Program {
  /// The name of a process; empty if it is gone.
  static func command(of pid: UInt32) -> String {
    guard pid != 0 else { return "" }
    let file = Glibc.open("/proc/\(pid)/comm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 64)
    let count = Glibc.read(file, &buffer, buffer.count)
    guard count > 0 else { return "" }
    return String(decoding: buffer[..<count].prefix { $0 != 10 }, as: UTF8.self)
  }
}
