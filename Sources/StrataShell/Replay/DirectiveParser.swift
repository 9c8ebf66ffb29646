/// One `//name arguments` line of a transcript.
struct DirectiveParser {
  /// From 1.
  let line: Int
  private let name: String
  private var words: [[UInt8]]
  /// The lines up to the heredoc's terminator, each with its newline.
  var body: [UInt8]?

  /// - Parameter text: the line without its slashes.
  init(line: Int, text: [UInt8]) {
    self.line = line
    var words = text.split { $0 == 0x20 || $0 == 0x09 }.map(Array.init)
    name = words.isEmpty ? "" : String(decoding: words.removeFirst(), as: UTF8.self)
    self.words = words
  }

  /// Takes a `<<WORD` off the end.
  mutating func takeHeredoc() -> [UInt8]? {
    guard name == "file", let last = words.last, last.starts(with: "<<".utf8), last.count > 2 else {
      return nil
    }
    words.removeLast()
    return Array(last.dropFirst(2))
  }

  func apply(to setting: inout ReplaySetting) throws(TranscriptError) {
    switch name {
    case "base":
      if words.isEmpty {
        setting.bases.append(.inline([]))
      } else {
        setting.bases.append(.directory(try only()))
      }
    case "file": setting.add(try file())
    case "plugin": setting.plugins.append(try only())
    case "env": setting.environment.append(try assignment())
    case "timeout":
      guard let seconds = Int(text(try only())), seconds > 0 else {
        throw error("'//timeout' takes a number of seconds")
      }
      setting.timeout = seconds
    case "trace": setting.trace = try trace()
    default: throw error("there is no directive '//\(name)'")
    }
  }

  private func error(_ message: String) -> TranscriptError {
    TranscriptError(line: line, message)
  }

  private func text(_ word: [UInt8]) -> String { String(decoding: word, as: UTF8.self) }

  private func only() throws(TranscriptError) -> [UInt8] {
    guard words.count == 1 else { throw error("'//\(name)' takes one argument") }
    return words[0]
  }

  private func assignment() throws(TranscriptError) -> (name: [UInt8], value: [UInt8]) {
    let joined = Array(words.joined(separator: [0x20]))
    guard let equals = joined.firstIndex(of: UInt8(ascii: "=")), equals > 0 else {
      throw error("'//env' takes NAME=VALUE")
    }
    return (Array(joined[..<equals]), Array(joined[(equals + 1)...]))
  }

  private func trace() throws(TranscriptError) -> ReplayTrace {
    guard !words.isEmpty else { throw error("'//trace' takes on, off or names of events") }
    switch text(words[0]) {
    case "on" where words.count == 1: return .firstWrites
    case "off" where words.count == 1: return .off
    default: return .events(words.map(text))
    }
  }

  /// `PATH [MODE] <<END`, `PATH [MODE] SIZE`, `PATH/ [MODE]`, `PATH -> TARGET`, `PATH = OTHER`.
  private func file() throws(TranscriptError) -> ReplayFile {
    guard let first = words.first else { throw error("'//file' takes a path") }
    let path = first.drop { $0 == UInt8(ascii: "/") }
    let names = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true)
    guard !names.isEmpty, !names.contains(where: { $0.elementsEqual("..".utf8) }) else {
      throw error("'\(text(first))' is no path inside a base")
    }
    let clean = Array(names.joined(separator: [UInt8(ascii: "/")]))
    var rest = Array(words.dropFirst())
    if rest.count == 2, rest[0].elementsEqual("->".utf8) {
      return ReplayFile(path: clean, content: .symlink(rest[1]))
    }
    if rest.count == 2, rest[0].elementsEqual("=".utf8) {
      return ReplayFile(
        path: clean, content: .hardLink(Array(rest[1].drop { $0 == UInt8(ascii: "/") })))
    }
    var mode: UInt32?
    if let word = rest.first, word.first == UInt8(ascii: "0"), word.count > 1 {
      mode = UInt32(text(word), radix: 8)
      if mode == nil { throw error("'\(text(word))' is no mode") }
      rest.removeFirst()
    }
    return ReplayFile(
      path: clean, content: try content(rest, isDirectory: path.last == 0x2F), mode: mode)
  }

  private func content(_ rest: [[UInt8]], isDirectory: Bool) throws(TranscriptError)
    -> ReplayFile.Content
  {
    if let body, rest.isEmpty { return .bytes(body) }
    if isDirectory, rest.isEmpty { return .directory }
    if rest.count == 1, let size = byteCount(rest[0]) { return .size(size) }
    throw error("'//file' takes PATH <<END, PATH SIZE, PATH/, PATH -> TARGET or PATH = OTHER")
  }

  /// `4096`, `64K`, `16M`, at most 1 GiB.
  private func byteCount(_ word: [UInt8]) -> Int? {
    var digits = word
    var unit = 1
    switch word.last {
    case UInt8(ascii: "K"): unit = 1 << 10
    case UInt8(ascii: "M"): unit = 1 << 20
    default: break
    }
    if unit > 1 { digits.removeLast() }
    guard let count = Int(text(digits)), count >= 0, count <= (1 << 30) / unit else { return nil }
    return count * unit
  }
}

extension ReplaySetting {
  /// Puts the file into the base begun last, or begins one.
  fileprivate mutating func add(_ file: ReplayFile) {
    if case .inline(var files)? = bases.last {
      files.append(file)
      bases[bases.count - 1] = .inline(files)
    } else {
      bases.append(.inline([file]))
    }
  }
}
