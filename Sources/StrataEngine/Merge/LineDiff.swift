/// The shortest way from one list of lines to another, after E. Myers, "An O(ND) Difference
/// Algorithm and Its Variations" (1986).
public struct LineDiff<Line: Hashable & Sendable>: Sendable {
  public enum Edit: Equatable, Sendable {
    /// A line of both: its number in the old list and in the new one, from 0.
    case keep(old: Int, new: Int)
    case remove(old: Int)
    case insert(new: Int)
  }

  public let old: [Line]
  public let new: [Line]
  public let edits: [Edit]

  /// - Parameter limit: differences above which the middle is simply replaced, so that two large
  ///   texts that have nothing in common take neither time nor memory without bound.
  public init(old: [Line], new: [Line], limit: Int = 2000) {
    self.old = old
    self.new = new
    var start = 0
    while start < min(old.count, new.count), old[start] == new[start] { start += 1 }
    var end = 0
    while end < min(old.count, new.count) - start,
      old[old.count - 1 - end] == new[new.count - 1 - end]
    {
      end += 1
    }
    var edits = (0..<start).map { Edit.keep(old: $0, new: $0) }
    let (a, b) = (old[start..<old.count - end], new[start..<new.count - end])
    edits += LineDiff.middle(a, b, limit: limit)
    edits += (0..<end).map { .keep(old: old.count - end + $0, new: new.count - end + $0) }
    self.edits = edits
  }

  public var isEmpty: Bool {
    edits.allSatisfy { if case .keep = $0 { true } else { false } }
  }

  private static func middle(
    _ a: ArraySlice<Line>, _ b: ArraySlice<Line>, limit: Int
  ) -> [Edit] {
    let replaced = a.indices.map { Edit.remove(old: $0) } + b.indices.map { .insert(new: $0) }
    if a.isEmpty || b.isEmpty { return replaced }
    guard let trace = search(a, b, limit: limit) else { return replaced }
    return walk(back: trace, a, b)
  }

  /// For each number of differences, how far each diagonal has come.
  private static func search(
    _ a: ArraySlice<Line>, _ b: ArraySlice<Line>, limit: Int
  ) -> [[Int]]? {
    let (n, m) = (a.count, b.count)
    let most = min(n + m, limit)
    var furthest = [Int](repeating: 0, count: 2 * most + 3)
    var trace: [[Int]] = []
    for distance in 0...most {
      trace.append(Array(furthest[(most + 1 - distance)...(most + 1 + distance)]))
      for diagonal in stride(from: -distance, through: distance, by: 2) {
        let index = diagonal + most + 1
        let goesDown =
          diagonal == -distance
          || diagonal != distance && furthest[index - 1] < furthest[index + 1]
        var x = goesDown ? furthest[index + 1] : furthest[index - 1] + 1
        while x < n, x - diagonal < m,
          a[a.startIndex + x] == b[b.startIndex + x - diagonal]
        {
          x += 1
        }
        furthest[index] = x
        if x >= n, x - diagonal >= m { return trace }
      }
    }
    return nil
  }

  private static func walk(
    back trace: [[Int]], _ a: ArraySlice<Line>, _ b: ArraySlice<Line>
  ) -> [Edit] {
    var edits: [Edit] = []
    var (x, y) = (a.count, b.count)
    for distance in trace.indices.reversed() {
      // The row holds the diagonals from -distance to distance, as they were before this step.
      let row = trace[distance]
      func furthest(_ diagonal: Int) -> Int { row[diagonal + distance] }
      let diagonal = x - y
      var previous = 0
      var start = 0
      if distance > 0 {
        let goesDown =
          diagonal == -distance
          || diagonal != distance && furthest(diagonal - 1) < furthest(diagonal + 1)
        previous = goesDown ? diagonal + 1 : diagonal - 1
        start = furthest(previous)
      }
      // Where the diagonal was entered, by one step from the diagonal before.
      let entry = distance == 0 ? 0 : previous > diagonal ? start : start + 1
      while x > entry {
        x -= 1
        y -= 1
        edits.append(.keep(old: a.startIndex + x, new: b.startIndex + y))
      }
      guard distance > 0 else { break }
      if previous > diagonal {
        y -= 1
        edits.append(.insert(new: b.startIndex + y))
      } else {
        x -= 1
        edits.append(.remove(old: a.startIndex + x))
      }
    }
    return edits.reversed()
  }
}

extension LineDiff {
  /// A stretch of changed lines with a few unchanged ones around it.
  public struct Hunk: Equatable, Sendable {
    public var old: Range<Int>
    public var new: Range<Int>
    public var edits: ArraySlice<Edit>

    /// `@@ -1,3 +1,4 @@`
    public var header: String { "@@ -\(Self.text(old)) +\(Self.text(new)) @@" }

    private static func text(_ range: Range<Int>) -> String {
      let first = range.isEmpty ? range.lowerBound : range.lowerBound + 1
      return range.count == 1 ? "\(first)" : "\(first),\(range.count)"
    }
  }

  /// - Parameter context: unchanged lines shown before and after a change.
  public func hunks(context: Int = 3) -> [Hunk] {
    let changed = edits.indices.filter { if case .keep = edits[$0] { false } else { true } }
    var ranges: [Range<Int>] = []
    for index in changed {
      let range = max(0, index - context)..<min(edits.count, index + context + 1)
      if let last = ranges.last, range.lowerBound <= last.upperBound {
        ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
      } else {
        ranges.append(range)
      }
    }
    return ranges.map { range in
      let before = counts(edits[..<range.lowerBound])
      let inside = counts(edits[range])
      return Hunk(
        old: before.old..<before.old + inside.old, new: before.new..<before.new + inside.new,
        edits: edits[range])
    }
  }

  private func counts(_ edits: ArraySlice<Edit>) -> (old: Int, new: Int) {
    edits.reduce(into: (old: 0, new: 0)) { counts, edit in
      if case .insert = edit {} else { counts.old += 1 }
      if case .remove = edit {} else { counts.new += 1 }
    }
  }
}
