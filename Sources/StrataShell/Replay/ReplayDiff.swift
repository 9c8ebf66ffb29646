internal import StrataEngine

/// The unified diff between a test as it is written and what happened.
enum ReplayDiff {
  /// - Parameter firstLine: of the test in its file, from 1.
  static func text(
    file: [UInt8], name: [UInt8], old: [[UInt8]], new: [[UInt8]], firstLine: Int
  ) -> String {
    let diff = LineDiff(old: old, new: new)
    let hunks = diff.hunks().map { $0.moved(by: firstLine - 1) }
    let same = diff.edits.prefix { if case .keep = $0 { true } else { false } }.count
    let title = String(decoding: name, as: UTF8.self)
    let path = String(decoding: file, as: UTF8.self)
    var text = "--- \(path):\(firstLine + same): \(title)\n+++ what happened\n"
    for hunk in hunks {
      text += hunk.header + "\n"
      for edit in hunk.edits {
        let (mark, line) =
          switch edit {
          case .keep(let index, _): (" ", old[index])
          case .remove(let index): ("-", old[index])
          case .insert(let index): ("+", new[index])
          }
        text += mark + String(decoding: line, as: UTF8.self) + "\n"
      }
    }
    return text
  }
}

extension LineDiff.Hunk {
  /// Counted from further on: the lines are a part of a file.
  fileprivate func moved(by offset: Int) -> LineDiff.Hunk {
    var hunk = self
    hunk.old = old.lowerBound + offset..<old.upperBound + offset
    hunk.new = new.lowerBound + offset..<new.upperBound + offset
    return hunk
  }
}
