/// A three-way merge of texts by lines, as `git merge-file` does it.
///
/// Both sides are compared with the ancestor. Changes that touch neither the same lines nor lines
/// next to each other are taken from both; the same change made twice is taken once; the rest is a
/// conflict, of which what both sides have in common is left out.
public struct LineMerge: Sendable {
  /// What a merge with conflicts calls the two sides in its markers.
  public struct Labels: Sendable {
    public var ours: String
    public var theirs: String
    public init(ours: String, theirs: String) { (self.ours, self.theirs) = (ours, theirs) }
  }

  /// A stretch of lines that comes from one side, or from both with a conflict.
  struct Chunk: Equatable {
    enum Source { case ours, theirs, both, conflict }
    var source: Source
    var ours: Range<Int>
    var theirs: Range<Int>
  }

  private let ancestor: [ArraySlice<UInt8>]
  private let ours: [ArraySlice<UInt8>]
  private let theirs: [ArraySlice<UInt8>]
  private let chunks: [Chunk]

  public init(ancestor: [UInt8], ours: [UInt8], theirs: [UInt8]) {
    self.ancestor = Self.lines(ancestor)
    self.ours = Self.lines(ours)
    self.theirs = Self.lines(theirs)
    var numbers = LineNumbers()
    let a = numbers.numbers(of: self.ancestor)
    let o = numbers.numbers(of: self.ours)
    let t = numbers.numbers(of: self.theirs)
    var making = ChunkMaking(ours: o, theirs: t)
    making.align(LineHunk.hunks(from: a, to: o), LineHunk.hunks(from: a, to: t))
    let texts = self.ours
    chunks = making.refined { range in range.contains { Self.hasWord(texts[$0]) } }
  }

  public var conflicts: Int { chunks.count { $0.source == .conflict } }

  /// The merged text; nil where there are conflicts.
  public var merged: [UInt8]? { conflicts == 0 ? text(nil) : nil }

  /// The merged text, with both sides of each conflict between markers.
  public func marked(_ labels: Labels) -> [UInt8] { text(labels) }

  private func text(_ labels: Labels?) -> [UInt8] {
    var result: [UInt8] = []
    var next = 0
    for chunk in chunks {
      for line in ours[next..<chunk.ours.lowerBound] { result += line }
      next = chunk.ours.upperBound
      switch chunk.source {
      case .ours, .both: for line in ours[chunk.ours] { result += line }
      case .theirs: for line in theirs[chunk.theirs] { result += line }
      case .conflict:
        guard let labels else { continue }
        let end: [UInt8] = usesCarriageReturn(chunk) ? [13, 10] : [10]
        result += Array("<<<<<<< \(labels.ours)".utf8) + end
        append(ours[chunk.ours], end, to: &result)
        result += Array("=======".utf8) + end
        append(theirs[chunk.theirs], end, to: &result)
        result += Array(">>>>>>> \(labels.theirs)".utf8) + end
      }
    }
    for line in ours[next...] { result += line }
    return result
  }

  /// Lines before a marker, which begins a line of its own whatever the last one ends with.
  private func append(
    _ lines: ArraySlice<ArraySlice<UInt8>>, _ end: [UInt8], to result: inout [UInt8]
  ) {
    for line in lines { result += line }
    if let last = lines.last, last.last != 10 { result += end }
  }

  /// Markers end as the lines in front of them do.
  private func usesCarriageReturn(_ chunk: Chunk) -> Bool {
    func style(_ lines: [ArraySlice<UInt8>], _ index: Int) -> Bool? {
      guard index < lines.count else { return nil }
      if lines[index].last == 10 { return lines[index].dropLast().last == 13 }
      guard index > 0 else { return nil }
      return lines[index - 1].dropLast().last == 13
    }
    if style(ours, max(chunk.ours.lowerBound - 1, 0)) == false { return false }
    if style(theirs, max(chunk.theirs.lowerBound - 1, 0)) == false { return false }
    return style(ancestor, 0) ?? false
  }

  private static func hasWord(_ line: ArraySlice<UInt8>) -> Bool {
    line.contains { byte in
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }
  }

  /// Bytes cut into lines, each with its newline; the last one may lack it.
  static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var lines: [ArraySlice<UInt8>] = []
    var start = bytes.startIndex
    while start < bytes.endIndex {
      let newline = bytes[start...].firstIndex(of: 10)
      let end = newline.map { $0 + 1 } ?? bytes.endIndex
      lines.append(bytes[start..<end])
      start = end
    }
    return lines
  }
}

/// Gives equal lines equal numbers, so that comparing them costs nothing.
private struct LineNumbers {
  private var known: [ArraySlice<UInt8>: Int] = [:]

  mutating func numbers(of lines: [ArraySlice<UInt8>]) -> [Int] {
    lines.map { line in
      if let number = known[line] { return number }
      known[line] = known.count
      return known.count - 1
    }
  }
}
