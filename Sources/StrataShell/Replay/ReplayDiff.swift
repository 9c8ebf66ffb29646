/// The unified diff between a test as it is written and what happened.
enum ReplayDiff {
  private enum Edit {
    case keep([UInt8]), remove([UInt8]), insert([UInt8])
  }

  private static let context = 3

  /// - Parameter firstLine: of the test in its file, from 1.
  static func text(
    file: [UInt8], name: [UInt8], old: [[UInt8]], new: [[UInt8]], firstLine: Int
  ) -> String {
    let edits = edits(from: old, to: new)
    let title = String(decoding: name, as: UTF8.self)
    let path = String(decoding: file, as: UTF8.self)
    let changed = edits.firstIndex { if case .keep = $0 { false } else { true } } ?? 0
    var text = "--- \(path):\(firstLine + changed): \(title)\n+++ what happened\n"
    for hunk in hunks(edits) { text += Self.text(edits, hunk, firstLine: firstLine) }
    return text
  }

  private static func edits(from old: [[UInt8]], to new: [[UInt8]]) -> [Edit] {
    let difference = new.difference(from: old)
    var removed: Set<Int> = []
    var inserted: Set<Int> = []
    for change in difference {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): inserted.insert(offset)
      }
    }
    var edits: [Edit] = []
    var (i, j) = (0, 0)
    while i < old.count || j < new.count {
      if i < old.count, removed.contains(i) {
        edits.append(.remove(old[i]))
        i += 1
      } else if j < new.count, inserted.contains(j) {
        edits.append(.insert(new[j]))
        j += 1
      } else {
        edits.append(.keep(old[i]))
        (i, j) = (i + 1, j + 1)
      }
    }
    return edits
  }

  /// The changes with their context; those that touch are one.
  private static func hunks(_ edits: [Edit]) -> [Range<Int>] {
    var hunks: [Range<Int>] = []
    for (index, edit) in edits.enumerated() {
      if case .keep = edit { continue }
      let range = max(0, index - context)..<min(edits.count, index + context + 1)
      if let last = hunks.last, last.upperBound >= range.lowerBound {
        hunks[hunks.count - 1] = last.lowerBound..<range.upperBound
      } else {
        hunks.append(range)
      }
    }
    return hunks
  }

  private static func text(_ edits: [Edit], _ hunk: Range<Int>, firstLine: Int) -> String {
    func counts(_ edits: ArraySlice<Edit>) -> (old: Int, new: Int) {
      edits.reduce(into: (0, 0)) { counts, edit in
        switch edit {
        case .keep: counts = (counts.0 + 1, counts.1 + 1)
        case .remove: counts.0 += 1
        case .insert: counts.1 += 1
        }
      }
    }
    let before = counts(edits[..<hunk.lowerBound])
    let inside = counts(edits[hunk])
    var text = "@@ -\(firstLine + before.old),\(inside.old)"
    text += " +\(firstLine + before.new),\(inside.new) @@\n"
    for edit in edits[hunk] {
      let (mark, line) =
        switch edit {
        case .keep(let line): (" ", line)
        case .remove(let line): ("-", line)
        case .insert(let line): ("+", line)
        }
      text += mark + String(decoding: line, as: UTF8.self) + "\n"
    }
    return text
  }
}
