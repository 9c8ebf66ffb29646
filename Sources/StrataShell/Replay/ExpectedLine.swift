/// A line that a transcript expects, exactly or by one of the suffixes.
struct ExpectedLine {
  let raw: [UInt8]
  private let kind: OutputLine.Kind
  private let isComplete: Bool
  private let form: Form

  private enum Form {
    case exact([UInt8])
    case pattern(PosixPattern)
    case glob([UInt8])
  }

  init(_ raw: [UInt8]) {
    self.raw = raw
    if TranscriptSyntax.isEvent(raw) {
      kind = .event
    } else {
      kind = TranscriptSyntax.isStatus(raw) ? .status : .output
    }
    let body = Self.strip(" (no-eol)", from: raw)
    isComplete = body == nil
    form = Self.form(of: body ?? raw)
  }

  private static func strip(_ suffix: String, from line: [UInt8]) -> [UInt8]? {
    let count = suffix.utf8.count
    guard line.count >= count, line.suffix(count).elementsEqual(suffix.utf8) else { return nil }
    return Array(line.dropLast(count))
  }

  private static func form(of line: [UInt8]) -> Form {
    if let body = strip(" (re)", from: line) {
      let anchored = Array("^(".utf8) + body + Array(")$".utf8)
      return PosixPattern(anchored).map(Form.pattern) ?? .exact(line)
    }
    if let body = strip(" (glob)", from: line) { return .glob(body) }
    if let body = strip(" (esc)", from: line), let bytes = EscapedText.unescape(body) {
      return .exact(bytes)
    }
    return .exact(line)
  }

  /// Whether this is what is expected. As it stands comes first, so that output which happens to end
  /// in ` (re)` needs no care.
  func matches(_ actual: OutputLine) -> Bool {
    if raw == actual.rendered { return true }
    guard kind == actual.kind else { return false }
    if actual.isComplete, raw == actual.content { return true }
    guard isComplete == actual.isComplete else { return false }
    switch form {
    case .exact(let bytes): return bytes == actual.content
    case .pattern(let pattern): return pattern.matches(actual.content)
    case .glob(let glob): return Self.matches(glob[...], actual.content[...])
    }
  }

  /// `*` is any bytes, `?` any one, a backslash takes the next as it is.
  private static func matches(_ glob: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    var (glob, text) = (glob, text)
    // Where to go on when what follows the last `*` does not fit: with one byte more in it.
    var retry: (glob: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
    while true {
      if glob.first == UInt8(ascii: "*") {
        glob.removeFirst()
        retry = (glob, text)
        continue
      }
      if glob.isEmpty, text.isEmpty { return true }
      if let rest = step(glob, text) {
        (glob, text) = (rest, text.dropFirst())
        continue
      }
      guard let last = retry, !last.text.isEmpty else { return false }
      (glob, text) = (last.glob, last.text.dropFirst())
      retry = (glob, text)
    }
  }

  /// The rest of the pattern when its first element fits the first byte.
  private static func step(_ glob: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>)
    -> ArraySlice<UInt8>?
  {
    guard var wanted = glob.first, let byte = text.first else { return nil }
    var rest = glob.dropFirst()
    if wanted == UInt8(ascii: "?") { return rest }
    if wanted == UInt8(ascii: "\\"), let quoted = rest.first {
      wanted = quoted
      rest.removeFirst()
    }
    return wanted == byte ? rest : nil
  }
}
