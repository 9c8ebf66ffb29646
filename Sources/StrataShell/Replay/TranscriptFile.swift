/// A file with transcripts: a session, or Markdown with fenced `strata-session` blocks.
struct TranscriptFile {
  let path: [UInt8]
  let lines: [[UInt8]]
  /// Whether the last line ends with a newline.
  let endsWithNewline: Bool
  /// The lines of each transcript, and the name of what comes before its first heading.
  private(set) var blocks: [(lines: Range<Int>, name: [UInt8])] = []
  let isMarkdown: Bool

  init(path: [UInt8], contents: [UInt8]) {
    self.path = path
    endsWithNewline = contents.isEmpty || contents.last == UInt8(ascii: "\n")
    var lines = contents.split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
    ).map(Array.init)
    if endsWithNewline { lines.removeLast() }
    self.lines = lines
    let isSession = lines.first?.starts(with: TranscriptSyntax.header) ?? false
    isMarkdown = !isSession && path.suffix(3).elementsEqual(".md".utf8)
    if isMarkdown {
      findFences()
    } else {
      blocks = [(0..<lines.count, fileName)]
    }
  }

  private var fileName: [UInt8] {
    Array(path[((path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...])
  }

  /// The directory that the transcript's paths are relative to.
  var directory: [UInt8] {
    guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return [UInt8(ascii: ".")] }
    return slash == 0 ? [UInt8(ascii: "/")] : Array(path[..<slash])
  }

  private mutating func findFences() {
    var heading = fileName
    var index = 0
    while index < lines.count {
      let line = lines[index]
      index += 1
      guard let fence = Self.fence(line) else {
        if let name = TranscriptSyntax.heading(line) { heading = name }
        continue
      }
      let start = index
      while index < lines.count, !Self.closes(lines[index], fence.marks) { index += 1 }
      if fence.language.elementsEqual("strata-session".utf8) {
        blocks.append((start..<index, heading))
      }
      index += 1
    }
  }

  /// The marks and the language of a line that opens a fenced block.
  private static func fence(_ line: [UInt8]) -> (marks: Int, language: [UInt8])? {
    let marks = line.prefix { $0 == UInt8(ascii: "`") }.count
    guard marks >= 3 else { return nil }
    return (marks, line.dropFirst(marks).trimmed)
  }

  private static func closes(_ line: [UInt8], _ marks: Int) -> Bool {
    let count = line.prefix { $0 == UInt8(ascii: "`") }.count
    return count >= marks && line.dropFirst(count).trimmed.isEmpty
  }

  /// The file with other lines.
  func bytes(of lines: [[UInt8]]) -> [UInt8] {
    var bytes = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
    if endsWithNewline, !lines.isEmpty { bytes.append(UInt8(ascii: "\n")) }
    return bytes
  }
}
