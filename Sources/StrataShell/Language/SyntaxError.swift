/// Source that is no command.
public struct SyntaxError: Error, Equatable, Sendable {
  public let message: String
  /// Where in the source, in bytes.
  public let offset: Int
  /// More lines could make it whole: an open quote, a heredoc, a trailing `|`.
  public let isIncomplete: Bool

  init(_ message: String, at offset: Int, isIncomplete: Bool = false) {
    self.message = message
    self.offset = offset
    self.isIncomplete = isIncomplete
  }

  /// Line and column of the error, both from 1; columns count characters.
  public func place(in source: [UInt8]) -> (line: Int, column: Int) {
    let before = source.prefix(offset)
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return (line, String(decoding: before[start...], as: UTF8.self).count + 1)
  }

  /// `line 1, column 7: unterminated quote`, the line itself, and a caret below the place.
  public func text(in source: [UInt8]) -> String {
    let (line, column) = place(in: source)
    let lines = source.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let shown = line <= lines.count ? Array(lines[line - 1]) : []
    let text: [Character] = String(decoding: shown, as: UTF8.self).map { $0.isFit ? $0 : "?" }
    let indent: [Character] = text.prefix(column - 1).map { $0 == "\t" ? "\t" : " " }
    let width = displayWidth(String(text.prefix(column - 1).filter { $0 != "\t" }))
    let padding = String(indent) + String(repeating: " ", count: max(0, width - indent.count))
    return "line \(line), column \(column): \(message)\n  \(String(text))\n  \(padding)^"
  }
}

extension Character {
  fileprivate var isFit: Bool {
    self == "\t" || !unicodeScalars.contains(where: ShownName.isUnfit)
  }
}
