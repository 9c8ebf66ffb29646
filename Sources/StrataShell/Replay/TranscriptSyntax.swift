/// How the lines of a transcript are told apart.
enum TranscriptSyntax {
  static let header = Array("#! strata-session".utf8)
  static let currentHeader = Array("#! strata-session 1".utf8)

  /// The name in a line `# name`; nil if it is none.
  static func heading(_ line: [UInt8]) -> [UInt8]? {
    guard line.first == UInt8(ascii: "#") else { return nil }
    return line.drop { $0 == UInt8(ascii: "#") }.trimmed
  }

  /// The command after a prompt `fork*:/path> `; nil if the line does not begin with one.
  static func prompt(_ line: [UInt8]) -> (prompt: [UInt8], command: [UInt8])? {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
      colon + 1 < line.count, line[colon + 1] == UInt8(ascii: "/")
    else { return nil }
    var name = line[..<colon]
    if name.last == UInt8(ascii: "*") { name.removeLast() }
    guard !name.isEmpty, name.allSatisfy(isForkName) else { return nil }
    var index = colon + 2
    while index < line.count {
      if line[index] == UInt8(ascii: ">") {
        if index + 1 == line.count { return (line, []) }
        if line[index + 1] == UInt8(ascii: " ") {
          return (Array(line[...(index + 1)]), Array(line[(index + 2)...]))
        }
      }
      index += 1
    }
    return nil
  }

  private static func isForkName(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte != 0x7F && !"*/<>@#\"'`\\".utf8.contains(byte)
  }

  /// The rest of a line after `> `; nil if it does not continue a command.
  static func continuation(_ line: [UInt8]) -> [UInt8]? {
    if line == [UInt8(ascii: ">")] { return [] }
    return line.starts(with: "> ".utf8) ? Array(line.dropFirst(2)) : nil
  }

  /// Whether the line ends the output above it.
  static func startsStep(_ line: [UInt8]) -> Bool {
    line.first == UInt8(ascii: "#") || prompt(line) != nil
  }

  static func isEvent(_ line: [UInt8]) -> Bool { line.starts(with: "@ ".utf8) }

  /// A line `[N]`.
  static func isStatus(_ line: [UInt8]) -> Bool {
    line.count > 2 && line.first == UInt8(ascii: "[") && line.last == UInt8(ascii: "]")
      && line.dropFirst().dropLast().allSatisfy { (0x30...0x39).contains($0) }
  }

  /// Whether output may not stand in a transcript as it is, for it would be taken for something
  /// else: a heading, an event, a status, a prompt, more of the command, or a Markdown fence.
  static func isAmbiguous(_ line: [UInt8]) -> Bool {
    startsStep(line) || isEvent(line) || isStatus(line) || continuation(line) != nil
      || line.starts(with: "```".utf8)
  }
}
