internal import CStrataSystem
internal import Glibc
internal import StrataEngine
internal import StrataFUSE
internal import StrataShell

/// What is mounted, as `/proc/self/mountinfo` has it.
enum MountInfo {
  /// The mount points below a directory that are below no other of them.
  static func points(below directory: [UInt8]) -> [[UInt8]] {
    let slash = UInt8(ascii: "/")
    let prefix = directory == [slash] ? directory : directory + [slash]
    let found = rows.map(\.point).filter { $0.count > prefix.count && $0.starts(with: prefix) }
      .map { $0 + [slash] }
    return Set(found).filter { point in
      !found.contains { $0.count < point.count && point.starts(with: $0) }
    }.sorted { $0.lexicographicallyPrecedes($1) }.map { Array($0.dropLast()) }
  }

  /// Takes mounts of forks away that lie over the working directory or one above it and have lost
  /// their process, and goes to what they have covered.
  static func clearDead(over directory: [UInt8]) {
    guard Mount.isDead(directory) else { return }
    for row in rows.reversed() where row.isFork && directory.isBelow([row.point]) {
      Mount.clear(row.point)
    }
    _ = directory.withCPath { chdir($0) }
  }

  /// Whether a fork is mounted at the directory, of whichever workspace.
  static func hasFork(at directory: [UInt8]) -> Bool {
    rows.last { $0.point == directory }?.isFork ?? false
  }

  /// Whether a file system of that number is mounted at the directory, covered or not.
  static func has(_ device: UInt64, at directory: [UInt8]) -> Bool {
    let number = Array("\(strata_device_major(device)):\(strata_device_minor(device))".utf8)
    return rows.contains { $0.point == directory && $0.device == number }
  }

  private struct Row {
    /// As `MAJOR:MINOR`.
    var device: [UInt8]
    var point: [UInt8]
    var type: [UInt8]

    var isFork: Bool { type == Array("fuse.strata".utf8) }
  }

  private static var rows: [Row] {
    guard let text = try? MachineHost().contents(of: Array("/proc/self/mountinfo".utf8)) else {
      return []
    }
    return text.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let fields = line.split(separator: UInt8(ascii: " "))
      // Optional fields end with a hyphen, which the type follows.
      guard fields.count > 6,
        let end = fields[6...].firstIndex(of: [UInt8(ascii: "-")]), end + 1 < fields.count
      else { return nil }
      return Row(
        device: Array(fields[2]), point: unescaped(fields[4]), type: Array(fields[end + 1]))
    }
  }

  /// Without the octal escapes of blanks and backslashes.
  private static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      guard byte == UInt8(ascii: "\\"), digits.count == 3,
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
      else {
        bytes.append(byte)
        continue
      }
      bytes.append(value)
      rest = rest.dropFirst(3)
    }
    return bytes
  }
}
