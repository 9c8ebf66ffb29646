internal import StrataEngine

/// Two texts compared as `diff -u` shows it.
struct UnifiedDiff {
  private let diff: LineDiff<[UInt8]>

  init(old: [UInt8], new: [UInt8]) {
    diff = LineDiff(
      old: Lines(old).all.map(Array.init), new: Lines(new).all.map(Array.init))
  }

  /// What no text has: a NUL in its first bytes.
  static func isBinary(_ bytes: [UInt8]) -> Bool { bytes.prefix(8192).contains(0) }

  func bytes(oldName: String, newName: String, _ style: Style) -> [UInt8] {
    let hunks = diff.hunks()
    if hunks.isEmpty { return [] }
    var result = [UInt8](style.bold("--- \(oldName)") + "\n" + style.bold("+++ \(newName)") + "\n")
    for hunk in hunks {
      result += [UInt8](style.cyan(hunk.header) + "\n")
      for edit in hunk.edits {
        switch edit {
        case .keep(let old, _): add(" ", diff.old[old], { $0 }, &result)
        case .remove(let old): add("-", diff.old[old], style.red, &result)
        case .insert(let new): add("+", diff.new[new], style.green, &result)
        }
      }
    }
    return result
  }

  private func add(
    _ sign: String, _ line: [UInt8], _ paint: (String) -> String, _ result: inout [UInt8]
  ) {
    let isWhole = line.last == UInt8(ascii: "\n")
    let text = isWhole ? Array(line.dropLast()) : line
    if String(validating: text, as: UTF8.self) != nil {
      result += [UInt8](paint(sign + text.text))
    } else {
      result += [UInt8](sign) + text
    }
    result.append(UInt8(ascii: "\n"))
    if !isWhole { result += [UInt8]("\\ No newline at end of file\n") }
  }
}
