internal import StrataEngine

private let recursive = Option("r", "recursive", "all files in directories")
private let recursiveToo = Option("R", nil, "the same as -r")
private let extended = Option(
  "E", "extended-regexp", "PATTERN is an extended expression: + ? | ( ) { }")
private let fixed = Option("F", "fixed-strings", "PATTERN is text, not an expression")
private let expression = Option(
  "e", "regexp", argument: "PATTERN", "a pattern; may be given several times")
private let ignoreCase = Option("i", "ignore-case", "a and A are the same")
private let invert = Option("v", "invert-match", "the lines that do not match")
private let wholeWord = Option("w", "word-regexp", "matches that are whole words")
private let wholeLine = Option("x", "line-regexp", "matches that are whole lines")
private let lineNumber = Option("n", "line-number", "line numbers")
private let countOnly = Option("c", "count", "only how many lines match")
private let namesOnly = Option("l", "files-with-matches", "only the names of files that match")
private let otherNames = Option("L", "files-without-match", "only the names of files that do not")
private let matchOnly = Option("o", "only-matching", "only what matches")
private let quiet = Option("q", "quiet", "nothing but the status")
private let withName = Option("H", "with-filename", "always the file's name")
private let withoutName = Option("h", "no-filename", "never the file's name")
private let after = Option("A", "after-context", argument: "N", "N lines behind a match")
private let before = Option("B", "before-context", argument: "N", "N lines before a match")
private let around = Option("C", "context", argument: "N", "N lines around a match")

extension Command {
  static let grep = Command(
    "grep", .text, .reads, "find lines that match a pattern",
    usage: [
      "[-rEFivwxncloqHh] [-A N] [-B N] [-C N] PATTERN [FILE\u{2026}]", "-e PATTERN [FILE\u{2026}]",
    ],
    options: [
      recursive, recursiveToo, extended, fixed, expression, ignoreCase, invert, wholeWord,
      wholeLine, lineNumber, countOnly, namesOnly, otherNames, matchOnly, quiet, withName,
      withoutName, after, before, around,
    ],
    operands: [Operand("PATTERN", .none), Operand("FILE", .path, repeated: true)],
    details: "Patterns are POSIX expressions over bytes. Without FILE standard input is read; with "
      + "-r the current directory. The status is 0 if a line was selected, 1 if none was, 2 after "
      + "an error.",
    examples: ["echo needle | grep -n need"]
  ) { context in
    var search = try Search(context)
    try search.run()
    if context.status != 0 { return 2 }
    return search.isFound ? ExitStatus.success : ExitStatus.failure
  }
}

private struct Search {
  let context: Context
  private let matcher: LineMatcher
  private let paths: [[UInt8]]
  private let isRecursive: Bool
  private let showsName: Bool
  private let linesBefore: Int
  private let linesAfter: Int
  private let style: Style
  private(set) var isFound = false

  init(_ context: Context) throws {
    self.context = context
    let arguments = context.arguments
    var operands = context.operands
    var patterns = arguments.all(expression)
    if patterns.isEmpty {
      guard !operands.isEmpty else { throw UsageError("the PATTERN is missing") }
      patterns = [operands.removeFirst()]
    }
    isRecursive = arguments.has(recursive) || arguments.has(recursiveToo)
    matcher = try LineMatcher(
      patterns, isExtended: arguments.has(extended), isFixed: arguments.has(fixed),
      ignoresCase: arguments.has(ignoreCase), wholeWords: arguments.has(wholeWord),
      wholeLines: arguments.has(wholeLine))
    showsName =
      arguments.has(withName)
      || !arguments.has(withoutName) && (operands.count > 1 || isRecursive)
    paths =
      operands.isEmpty ? [isRecursive ? [UInt8(ascii: ".")] : [UInt8(ascii: "-")]] : operands
    let both = try context.number(around) ?? 0
    linesBefore = try context.number(before) ?? both
    linesAfter = try context.number(after) ?? both
    style = Style(context.output)
  }

  private func has(_ option: Option) -> Bool { context.arguments.has(option) }

  mutating func run() throws {
    for path in paths {
      if isFound, has(quiet) { return }
      if path == [UInt8(ascii: "-")] {
        try context.attempt(path) {
          try search(context.input, shown: [UInt8]("(standard input)"))
        }
        continue
      }
      guard isRecursive else {
        try context.attempt(path) {
          try search(FileSource(try context.openForReading(path)), shown: path)
        }
        continue
      }
      try context.walk(context.place(path), follow: true) { place, attributes in
        guard attributes.kind == .regular else { return attributes.kind == .directory }
        let file = try place.client.open(place.name, [.read])
        try search(FileSource(file), shown: place.path)
        return false
      }
    }
  }

  private mutating func search(_ source: any ByteSource, shown path: [UInt8]) throws {
    var reader = LineReader(source)
    var number = 0
    var count = 0
    var isBinary = false
    var recent: [(number: Int, line: [UInt8])] = []
    var following = 0
    var lastShown = 0
    let isListing = has(countOnly) || has(namesOnly) || has(otherNames) || has(quiet)
    while let line = try reader.next() {
      if number & 0xFF == 0 { try context.checkCancelled() }
      number += 1
      if number == 1 { isBinary = UnifiedDiff.isBinary(line) }
      guard matcher.matches(line) != has(invert) else {
        if following > 0, !isListing {
          try show(line, number, path, isMatch: false)
          lastShown = number
          following -= 1
        } else if linesBefore > 0 {
          recent.append((number, line))
          if recent.count > linesBefore { recent.removeFirst() }
        }
        continue
      }
      count += 1
      if !has(otherNames) { isFound = true }
      if has(quiet) { return }
      if has(namesOnly) || has(otherNames) { break }
      if has(countOnly) { continue }
      if isBinary || line.contains(0) {
        return try context.print("Binary file \(path.shown) matches")
      }
      let first = recent.first?.number ?? number
      if lastShown > 0, first > lastShown + 1, linesBefore + linesAfter > 0 {
        try context.print("--")
      }
      for (number, line) in recent { try show(line, number, path, isMatch: false) }
      recent = []
      try show(line, number, path, isMatch: true)
      lastShown = number
      following = linesAfter
    }
    if has(namesOnly), count > 0 { return try showName(path) }
    if has(otherNames), count == 0 {
      isFound = true
      return try showName(path)
    }
    guard has(countOnly) else { return }
    let prefix = showsName ? context.shown(path) + [UInt8(ascii: ":")] : []
    try context.write(prefix + [UInt8]("\(count)\n"))
  }

  private func showName(_ path: [UInt8]) throws {
    try context.write(context.shown(path) + [UInt8(ascii: "\n")])
  }

  private func show(_ line: [UInt8], _ number: Int, _ path: [UInt8], isMatch: Bool) throws {
    let sign: UInt8 = isMatch ? UInt8(ascii: ":") : UInt8(ascii: "-")
    var prefix: [UInt8] = []
    if showsName { prefix += [UInt8](style.magenta(context.shown(path).text)) + [sign] }
    if has(lineNumber) { prefix += [UInt8](style.green("\(number)")) + [sign] }
    if has(matchOnly) {
      guard isMatch, !has(invert) else { return }
      for range in matcher.ranges(in: line) {
        try context.write(prefix + [UInt8](style.red(line[range].text)) + [UInt8(ascii: "\n")])
      }
      return
    }
    guard context.output.isColored, isMatch, !has(invert) else {
      return try context.write(prefix + line + [UInt8(ascii: "\n")])
    }
    var painted = prefix
    var end = 0
    for range in matcher.ranges(in: line) {
      painted += line[end..<range.lowerBound] + [UInt8](style.red(line[range].text))
      end = range.upperBound
    }
    try context.write(painted + line[end...] + [UInt8(ascii: "\n")])
  }
}

extension ArraySlice<UInt8> {
  fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
