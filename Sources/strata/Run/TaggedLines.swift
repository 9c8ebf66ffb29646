internal import Glibc
internal import StrataEngine
internal import StrataShell

/// What one of several programs writes, each line with the name of its fork before it.
final class TaggedLines {
  /// One that does not end is passed on in pieces.
  private static let longest = 64 << 10

  private let tag: [UInt8]
  private let output: any ByteSink
  private let errors: any ByteSink
  /// What has come of lines that have not ended.
  private var begun: (output: [UInt8], errors: [UInt8]) = ([], [])

  init(_ name: String, width: Int, _ output: any ByteSink, errors: any ByteSink) {
    let room = String(repeating: " ", count: max(0, width - name.count))
    tag = Array("\(name)\(room) | ".utf8)
    (self.output, self.errors) = (output, errors)
  }

  /// Passes on what a program has written by now. Where nobody takes it any more the program is to end;
  /// whoever prints the table then finds out as well.
  func pass(_ program: any HostProcess) {
    do throws(FileError) {
      while let chunk = try program.readAvailable() {
        switch chunk {
        case .output(let bytes): try pass(bytes, &begun.output, output)
        case .error(let bytes): try? pass(bytes, &begun.errors, errors)
        case .end: return
        }
      }
    } catch {
      program.signal(SIGTERM)
    }
  }

  /// Passes on the last lines, if they have no end.
  func end() {
    for (rest, sink) in [(begun.output, output), (begun.errors, errors)] where !rest.isEmpty {
      try? sink.write(tag + rest + [UInt8(ascii: "\n")])
    }
    begun = ([], [])
  }

  private func pass(
    _ bytes: [UInt8], _ begun: inout [UInt8], _ sink: any ByteSink
  ) throws(FileError) {
    begun += bytes
    var lines: [UInt8] = []
    var start = begun.startIndex
    while let end = begun[start...].firstIndex(of: UInt8(ascii: "\n")) {
      lines += tag + begun[start...end]
      start = end + 1
    }
    begun.removeSubrange(..<start)
    if begun.count > Self.longest {
      lines += tag + begun + [UInt8(ascii: "\n")]
      begun = []
    }
    if !lines.isEmpty { try sink.write(lines) }
  }
}
