/// Lines of one text that stand in the place of lines of another.
struct LineHunk: Equatable {
  var old: Range<Int>
  var new: Range<Int>

  /// The differences between two texts, each moved as far to the end as it can be: of several ways
  /// to see the same change the one that `git` shows.
  static func hunks(from old: [Int], to new: [Int]) -> [LineHunk] {
    let diff = LineDiff(old: old, new: new)
    var removed = [Bool](repeating: false, count: old.count)
    var inserted = [Bool](repeating: false, count: new.count)
    for edit in diff.edits {
      switch edit {
      case .keep: break
      case .remove(let index): removed[index] = true
      case .insert(let index): inserted[index] = true
      }
    }
    slide(&removed, old, beside: inserted)
    slide(&inserted, new, beside: removed)
    return hunks(removed, inserted)
  }

  private static func hunks(_ removed: [Bool], _ inserted: [Bool]) -> [LineHunk] {
    var hunks: [LineHunk] = []
    var (i, j) = (0, 0)
    while i < removed.count || j < inserted.count {
      let (oldStart, newStart) = (i, j)
      while i < removed.count, removed[i] { i += 1 }
      while j < inserted.count, inserted[j] { j += 1 }
      if i > oldStart || j > newStart {
        hunks.append(LineHunk(old: oldStart..<i, new: newStart..<j))
      }
      if i < removed.count { i += 1 }
      if j < inserted.count { j += 1 }
    }
    return hunks
  }

  /// Moves groups of changed lines down while the line behind equals their first, joining those they
  /// meet; one that can stand beside a group of the other text is left there.
  private static func slide(_ changed: inout [Bool], _ lines: [Int], beside other: [Bool]) {
    var groups = Groups(changed)
    var others = Groups(other)
    while true {
      if groups.start != groups.end { settle(&groups, &others, lines) }
      guard groups.next(), others.next() else { break }
    }
    changed = groups.changed
  }

  private static func settle(_ groups: inout Groups, _ others: inout Groups, _ lines: [Int]) {
    var size = 0
    var matchEnd: Int?
    repeat {
      size = groups.end - groups.start
      matchEnd = nil
      while groups.slideUp(lines) { others.previous() }
      if others.end > others.start { matchEnd = groups.end }
      while groups.slideDown(lines) {
        _ = others.next()
        if others.end > others.start { matchEnd = groups.end }
      }
    } while size != groups.end - groups.start
    guard let matchEnd else { return }
    while groups.end > matchEnd, groups.slideUp(lines) { others.previous() }
  }
}

/// A place in a text: a group of changed lines, maybe an empty one between two unchanged lines.
private struct Groups {
  var changed: [Bool]
  private(set) var start = 0
  private(set) var end = 0

  init(_ changed: [Bool]) {
    self.changed = changed
    while end < changed.count, changed[end] { end += 1 }
  }

  /// Goes to the next group; false at the end.
  mutating func next() -> Bool {
    guard end < changed.count else { return false }
    start = end + 1
    end = start
    while end < changed.count, changed[end] { end += 1 }
    return true
  }

  mutating func previous() {
    guard start > 0 else { return }
    end = start - 1
    start = end
    while start > 0, changed[start - 1] { start -= 1 }
  }

  mutating func slideDown(_ lines: [Int]) -> Bool {
    guard end < lines.count, lines[start] == lines[end] else { return false }
    changed[start] = false
    changed[end] = true
    start += 1
    end += 1
    while end < changed.count, changed[end] { end += 1 }
    return true
  }

  mutating func slideUp(_ lines: [Int]) -> Bool {
    guard start > 0, lines[start - 1] == lines[end - 1] else { return false }
    start -= 1
    end -= 1
    changed[start] = true
    changed[end] = false
    while start > 0, changed[start - 1] { start -= 1 }
    return true
  }
}
