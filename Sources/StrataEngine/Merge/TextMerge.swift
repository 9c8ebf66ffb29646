/// Merges two texts that come from one, line by line, as `git merge-file` and diff3 do (S. Khanna, K.
/// Kunal, B. Pierce, "A Formal Investigation of Diff3", 2007).
public struct TextMerge: Sendable {
  /// The merged text; with conflict markers where the two sides differ.
  public private(set) var result: [UInt8] = []
  public private(set) var conflicts = 0

  /// - Parameter names: what stands behind the conflict markers.
  public init(
    base: [UInt8], ours: [UInt8], theirs: [UInt8], names: (ours: String, theirs: String)
  ) {
    let lines = (Self.lines(base), Self.lines(ours), Self.lines(theirs))
    let left = LineDiff(old: lines.0, new: lines.1)
    let right = LineDiff(old: lines.0, new: lines.2)
    let (mine, its) = (Self.matches(left), Self.matches(right))
    var (o, a, b) = (0, 0, 0)
    while o < lines.0.count || a < lines.1.count || b < lines.2.count {
      // The next line of the base that both have kept.
      var next = o
      while next < lines.0.count, mine[next] == nil || its[next] == nil { next += 1 }
      let ends =
        next < lines.0.count
        ? (next, mine[next] ?? lines.1.count, its[next] ?? lines.2.count)
        : (lines.0.count, lines.1.count, lines.2.count)
      add(
        Array(lines.0[o..<ends.0]), Array(lines.1[a..<ends.1]), Array(lines.2[b..<ends.2]), names)
      (o, a, b) = ends
      if next < lines.0.count {
        result += lines.0[next]
        (o, a, b) = (o + 1, a + 1, b + 1)
      }
    }
  }

  private mutating func add(
    _ base: [[UInt8]], _ ours: [[UInt8]], _ theirs: [[UInt8]],
    _ names: (ours: String, theirs: String)
  ) {
    if ours == theirs || theirs == base {
      result += ours.joined()
    } else if ours == base {
      result += theirs.joined()
    } else {
      conflicts += 1
      // What both have in common at either end is no conflict.
      var start = 0
      while start < min(ours.count, theirs.count), ours[start] == theirs[start] { start += 1 }
      var end = 0
      while end < min(ours.count, theirs.count) - start,
        ours[ours.count - 1 - end] == theirs[theirs.count - 1 - end]
      {
        end += 1
      }
      result += ours[..<start].joined()
      mark("<<<<<<< \(names.ours)")
      result += ours[start..<ours.count - end].joined()
      mark("=======")
      result += theirs[start..<theirs.count - end].joined()
      mark(">>>>>>> \(names.theirs)")
      result += ours[(ours.count - end)...].joined()
    }
  }

  private mutating func mark(_ text: String) {
    if let last = result.last, last != 0x0A { result.append(0x0A) }
    result += Array("\(text)\n".utf8)
  }

  /// For each line of the old text where the new one has it.
  private static func matches(_ diff: LineDiff<[UInt8]>) -> [Int?] {
    var places = [Int?](repeating: nil, count: diff.old.count)
    for case .keep(let old, let new) in diff.edits { places[old] = new }
    return places
  }

  /// Lines with their ends.
  private static func lines(_ text: [UInt8]) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var start = 0
    for (index, byte) in text.enumerated() where byte == 0x0A {
      lines.append(Array(text[start...index]))
      start = index + 1
    }
    if start < text.count { lines.append(Array(text[start...])) }
    return lines
  }
}
