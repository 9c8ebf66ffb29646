internal import StrataShell

extension Launch {
  /// What another shell offers for a word of our command line: what Tab offers at our own prompt, for
  /// the command's words and the fork that it would work on.
  /// - Parameters:
  ///   - words: of the command line, from the program's name.
  ///   - index: of the word.
  ///   - typed: the word as far as the cursor.
  static func completions(_ words: [String], _ index: Int, _ typed: String) -> [String] {
    var launch = Launch(
      bases: [], plugins: [], json: false, readsRc: false, color: .never, words: [])
    var first = 1
    while first < index, first < words.count, words[first].hasPrefix("-") {
      let value = first + 1 < words.count ? Array(words[first + 1].utf8) : []
      switch words[first] {
      case "--base": launch.bases.append(value)
      case "--plugin": launch.plugins.append(value)
      default: break
      }
      first += optionsWithArgument.contains(words[first]) ? 2 : 1
    }
    guard first <= index, index <= words.count, let session = try? launch.session() else {
      return []
    }
    defer { (session as? Assembly)?.leave() }
    let line = Array((words[first..<index] + [typed]).joined(separator: " ").utf8)
    let found = session.complete(line, cursor: line.count).candidates.map {
      String(decoding: $0.replacement, as: UTF8.self)
    }
    session.end()
    return found
  }
}
