import Glibc
import StrataTestSupport

/// A call that the shim has recorded.
struct RecordedCall {
  var kind: UInt8
  var path: String
  var offset: Int
  var data: [UInt8]

  static func all(in log: String, under directory: String) throws -> [RecordedCall] {
    let bytes = try ChildProcess(["cat", log]).output
    var calls: [RecordedCall] = []
    var position = 0
    func number(_ index: Int) -> Int {
      bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position + 8 * index, as: Int.self) }
    }
    while position + 32 <= bytes.count {
      let (kind, length, offset, count) = (number(0), number(1), number(2), number(3))
      let start = position + 32
      let path = String(decoding: bytes[start..<start + length], as: UTF8.self)
      let data = Array(bytes[start + length..<start + length + (kind == 0x77 ? count : 0)])
      position = start + length + data.count
      calls.append(
        RecordedCall(
          kind: UInt8(kind), path: String(path.dropFirst(directory.count)), offset: offset,
          data: data))
    }
    return calls
  }
}

/// The files of a directory, with what of them is on the disk and what only in memory.
struct DiskImage {
  private struct File {
    /// What a sync has brought to the disk; nil for a file that is not there yet.
    var durable: [UInt8]?
    var changes: [RecordedCall] = []
    var isRemoved = false
  }

  private var files: [String: File] = [:]
  private var directories: Set<String> = []

  init(of directory: String) throws {
    let names = try ChildProcess(["find", directory, "-mindepth", "1", "-type", "d"]).text
    for name in names.split(separator: "\n") {
      directories.insert(String(name.dropFirst(directory.count)))
    }
    for name in try ChildProcess(["find", directory, "-type", "f"]).text.split(separator: "\n") {
      files[String(name.dropFirst(directory.count))] = File(
        durable: try ChildProcess(["cat", String(name)]).output)
    }
  }

  mutating func apply(_ call: RecordedCall) {
    switch UnicodeScalar(call.kind) {
    case "d": directories.insert(call.path)
    case "c":
      if files[call.path] == nil || files[call.path]?.isRemoved == true {
        files[call.path] = File()
      }
    case "w", "t": files[call.path, default: File()].changes.append(call)
    case "s": sync(call.path)
    case "S": for path in files.keys { sync(path) }
    case "u":
      files[call.path]?.isRemoved = true
      directories.remove(call.path)
    default: break
    }
  }

  private mutating func sync(_ path: String) {
    guard var file = files[path], !file.isRemoved else { return }
    file.durable = Self.content(file.durable ?? [], file.changes[...])
    file.changes = []
    files[path] = file
  }

  private static func content(_ start: [UInt8], _ changes: ArraySlice<RecordedCall>) -> [UInt8] {
    var content = start
    for change in changes {
      let end = change.kind == UInt8(ascii: "t") ? change.offset : change.offset + change.data.count
      if content.count < end { content += [UInt8](repeating: 0, count: end - content.count) }
      if change.kind == UInt8(ascii: "t") {
        content = Array(content[..<change.offset])
      } else {
        content.replaceSubrange(change.offset..<end, with: change.data)
      }
    }
    return content
  }

  /// Of what was not synced, keeps each change by chance. A removal is kept or not, too.
  mutating func losePower(keeping percent: Int, _ random: inout SeededGenerator) {
    for path in files.keys.sorted() {
      guard var file = files[path] else { continue }
      let kept = file.changes.filter { _ in random.chance(percent) }
      if file.durable != nil || !kept.isEmpty {
        file.durable = Self.content(file.durable ?? [], kept[...])
      }
      file.changes = []
      if file.isRemoved, random.chance(percent) { file.durable = nil }
      files[path] = file
    }
  }

  func write(to directory: String) throws {
    for path in directories.sorted() { mkdir("\(directory)\(path)", 0o700) }
    for (path, file) in files {
      guard let content = file.durable else { continue }
      let descriptor = open("\(directory)\(path)", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
      guard descriptor >= 0 else { throw CrashMismatch("\(path): errno \(errno)") }
      defer { close(descriptor) }
      guard Glibc.write(descriptor, content, content.count) == content.count else {
        throw CrashMismatch("\(path): short write")
      }
    }
  }
}
