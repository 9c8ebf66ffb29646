/// The patterns of a `grep`, any of which may match.
struct LineMatcher {
  private var patterns: [LinePattern] = []
  private let wholeWords: Bool
  private let wholeLines: Bool

  init(
    _ texts: [[UInt8]], isExtended: Bool, isFixed: Bool, ignoresCase: Bool, wholeWords: Bool,
    wholeLines: Bool
  ) throws(UsageError) {
    self.wholeWords = wholeWords
    self.wholeLines = wholeLines
    for text in texts.flatMap({ $0.split(separator: 0x0A, omittingEmptySubsequences: false) }) {
      let expression = isFixed ? LineMatcher.escaped(text) : Array(text)
      patterns.append(
        try LinePattern(expression, isExtended: isExtended && !isFixed, ignoresCase: ignoresCase))
    }
  }

  /// Text as a basic expression that matches just it.
  private static func escaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
    text.flatMap { ".[]*^$\\".utf8.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
  }

  func matches(_ line: [UInt8]) -> Bool {
    if !wholeWords && !wholeLines {
      return patterns.contains { $0.firstMatch(in: line) != nil }
    }
    return patterns.contains { pattern in
      if wholeLines { return pattern.firstMatch(in: line) == 0..<line.count }
      return words(pattern, line).first != nil
    }
  }

  /// What matches in a line, without overlaps, from left to right.
  func ranges(in line: [UInt8]) -> [Range<Int>] {
    let found = patterns.flatMap { pattern in
      if wholeLines {
        return pattern.firstMatch(in: line) == 0..<line.count ? [0..<line.count] : []
      }
      return wholeWords ? words(pattern, line) : pattern.matches(in: line)
    }
    var result: [Range<Int>] = []
    for range in found.sorted(by: {
      ($0.lowerBound, -$0.upperBound) < ($1.lowerBound, -$1.upperBound)
    }) where range.lowerBound >= result.last?.upperBound ?? 0 {
      result.append(range)
    }
    return result
  }

  private func words(_ pattern: LinePattern, _ line: [UInt8]) -> [Range<Int>] {
    pattern.matches(in: line).filter { range in
      let isStart = range.lowerBound == 0 || !isWordByte(line[range.lowerBound - 1])
      let isEnd = range.upperBound == line.count || !isWordByte(line[range.upperBound])
      return isStart && isEnd
    }
  }

  private func isWordByte(_ byte: UInt8) -> Bool {
    Lexer.isNameByte(byte, first: false) || byte >= 0x80
  }
}
