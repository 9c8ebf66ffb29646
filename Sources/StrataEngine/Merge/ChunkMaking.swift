/// Puts the changes of two sides beside each other.
struct ChunkMaking {
  private let ours: [Int]
  private let theirs: [Int]
  private var chunks: [LineMerge.Chunk] = []
  /// Unchanged lines between two conflicts that are too few to part them.
  private static let gap = 3

  init(ours: [Int], theirs: [Int]) { (self.ours, self.theirs) = (ours, theirs) }

  /// Both lists are in the order of the ancestor's lines.
  mutating func align(_ left: [LineHunk], _ right: [LineHunk]) {
    var (i, j) = (0, 0)
    /// How much further the other side is, in its own lines, than the ancestor.
    var (leftShift, rightShift) = (0, 0)
    while i < left.count || j < right.count {
      if j == right.count || (i < left.count && left[i].old.upperBound < right[j].old.lowerBound) {
        let hunk = left[i]
        append(.ours, hunk.new, hunk.old.moved(rightShift))
        leftShift = hunk.new.upperBound - hunk.old.upperBound
        i += 1
        continue
      }
      if i == left.count || right[j].old.upperBound < left[i].old.lowerBound {
        let hunk = right[j]
        append(.theirs, hunk.old.moved(leftShift), hunk.new)
        rightShift = hunk.new.upperBound - hunk.old.upperBound
        j += 1
        continue
      }
      let (a, b) = (left[i], right[j])
      if a.old != b.old || ours[a.new] != theirs[b.new] {
        let start = min(a.old.lowerBound, b.old.lowerBound)
        let end = max(a.old.upperBound, b.old.upperBound)
        append(.conflict, a.widened(start, end), b.widened(start, end))
      }
      let (endA, endB) = (a.old.upperBound, b.old.upperBound)
      if endA >= endB {
        rightShift = b.new.upperBound - endB
        j += 1
      }
      if endB >= endA {
        leftShift = a.new.upperBound - endA
        i += 1
      }
    }
  }

  private mutating func append(
    _ source: LineMerge.Chunk.Source, _ ours: Range<Int>, _ theirs: Range<Int>
  ) {
    if var last = chunks.last,
      ours.lowerBound <= last.ours.upperBound || theirs.lowerBound <= last.theirs.upperBound
    {
      if last.source != source { last.source = .conflict }
      // The later one knows better where the lines end: the first was widened by unchanged ones.
      last.ours = last.ours.lowerBound..<ours.upperBound
      last.theirs = last.theirs.lowerBound..<theirs.upperBound
      chunks[chunks.count - 1] = last
    } else {
      chunks.append(.init(source: source, ours: ours, theirs: theirs))
    }
  }

  /// Leaves out of conflicts what both sides have in common, then joins those that hardly anything
  /// is between.
  /// - Parameter hasWord: whether lines of ours, by number, say anything.
  func refined(_ hasWord: (Range<Int>) -> Bool) -> [LineMerge.Chunk] {
    var parts: [LineMerge.Chunk] = []
    for chunk in chunks {
      guard chunk.source == .conflict, !chunk.ours.isEmpty, !chunk.theirs.isEmpty else {
        parts.append(chunk)
        continue
      }
      let hunks = LineHunk.hunks(from: Array(ours[chunk.ours]), to: Array(theirs[chunk.theirs]))
      if hunks.isEmpty {
        parts.append(.init(source: .both, ours: chunk.ours, theirs: chunk.theirs))
      }
      parts += hunks.map { hunk in
        .init(
          source: .conflict, ours: hunk.old.moved(chunk.ours.lowerBound),
          theirs: hunk.new.moved(chunk.theirs.lowerBound))
      }
    }
    var joined: [LineMerge.Chunk] = []
    for part in parts {
      if var last = joined.last, last.source == .conflict, part.source == .conflict {
        let between = last.ours.upperBound..<part.ours.lowerBound
        if between.count <= Self.gap || !hasWord(between) {
          last.ours = last.ours.lowerBound..<part.ours.upperBound
          last.theirs = last.theirs.lowerBound..<part.theirs.upperBound
          joined[joined.count - 1] = last
          continue
        }
      }
      joined.append(part)
    }
    return joined
  }
}

extension Range<Int> {
  fileprivate func moved(_ distance: Int) -> Range<Int> {
    lowerBound + distance..<upperBound + distance
  }
}

extension LineHunk {
  /// The new lines together with the unchanged ones that belong to these old lines.
  fileprivate func widened(_ start: Int, _ end: Int) -> Range<Int> {
    new.lowerBound - (old.lowerBound - start)..<new.upperBound + (end - old.upperBound)
  }
}
