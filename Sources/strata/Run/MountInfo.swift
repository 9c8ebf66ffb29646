internal import StrataShell

/// What is mounted, as `/proc/self/mountinfo` has it.
enum MountInfo {
  /// The mount points below a directory that are below no other of them.
  static func points(below directory: [UInt8]) -> [[UInt8]] {
    let slash = UInt8(ascii: "/")
    let prefix = directory == [slash] ? directory : directory + [slash]
    guard let text = try? MachineHost().contents(of: Array("/proc/self/mountinfo".utf8)) else {
      return []
    }
    var found: [[UInt8]] = []
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: " "))
      guard fields.count > 5 else { continue }
      let point = unescaped(fields[4])
      if point.count > prefix.count, point.starts(with: prefix) { found.append(point + [slash]) }
    }
    return Set(found).filter { point in
      !found.contains { $0.count < point.count && point.starts(with: $0) }
    }.sorted { $0.lexicographicallyPrecedes($1) }.map { Array($0.dropLast()) }
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
