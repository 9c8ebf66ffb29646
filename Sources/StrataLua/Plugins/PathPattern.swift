/// A pattern over whole paths: `*` and `?` within a name, `[a-z]`, and `**` across names.
///
/// `/etc/**` matches everything below `/etc` and `/etc` itself. A pattern without a slash in front
/// matches at any depth: `*.o` is `/**/*.o`.
struct PathPattern: Sendable {
  let text: String
  /// The one path that it matches; nil for a pattern that may match several.
  let path: [UInt8]?
  /// What every match begins with, byte by byte: most paths that do not match fail here.
  private let prefix: [UInt8]
  private let rest: [UInt8]

  init(_ text: String) {
    self.text = text
    var bytes = Array(text.utf8)
    if bytes.first != UInt8(ascii: "/") { bytes = Array("/**/".utf8) + bytes }
    // `/x/**` is also `/x`: the literal part ends before that slash.
    let special = bytes.firstIndex { Array("*?[\\".utf8).contains($0) } ?? bytes.count
    let isTree = bytes[special...] == Array("**".utf8)[...] && special > 1
    let literal = isTree ? special - 1 : special
    prefix = Array(bytes[..<literal])
    rest = Array(bytes[literal...])
    let names = bytes.split(separator: Self.slash, omittingEmptySubsequences: false).dropFirst()
    let isPlain = names.allSatisfy {
      !$0.isEmpty && $0 != [Self.dot] && $0 != [Self.dot, Self.dot]
    }
    path = rest.isEmpty && isPlain ? bytes : nil
  }

  func matches(_ path: [UInt8]) -> Bool {
    guard startsWithPrefix(path) else { return false }
    if rest.isEmpty { return path.count == prefix.count }
    return path.withUnsafeBufferPointer { path in
      rest.withUnsafeBufferPointer { Self.match(path[prefix.count...], $0[...]) }
    }
  }

  /// Whether all that it matches lies below a path.
  func isBelow(_ path: [UInt8]) -> Bool { prefix.starts(with: path + [Self.slash]) }

  @inline(__always)
  private func startsWithPrefix(_ path: [UInt8]) -> Bool {
    guard path.count >= prefix.count else { return false }
    return path.withUnsafeBufferPointer { path in
      prefix.withUnsafeBufferPointer { prefix in
        for index in 0..<prefix.count where path[index] != prefix[index] { return false }
        return true
      }
    }
  }

  private typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>
  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")

  private static func match(_ path: Bytes, _ pattern: Bytes) -> Bool {
    var (path, pattern) = (path, pattern)
    while let token = pattern.first {
      switch token {
      case slash where pattern.dropFirst().elementsEqual("**".utf8):
        return path.isEmpty || path.first == slash
      case UInt8(ascii: "*"): return matchStar(path, pattern)
      case UInt8(ascii: "["):
        guard let byte = path.first, byte != slash, let end = set(pattern, holds: byte) else {
          return false
        }
        path = path.dropFirst()
        pattern = pattern[end...]
        continue
      case UInt8(ascii: "?"):
        guard let byte = path.first, byte != slash else { return false }
      case UInt8(ascii: "\\") where pattern.count > 1:
        pattern = pattern.dropFirst()
        guard path.first == pattern.first else { return false }
      default:
        guard path.first == token else { return false }
      }
      path = path.dropFirst()
      pattern = pattern.dropFirst()
    }
    return path.isEmpty
  }

  private static func matchStar(_ path: Bytes, _ pattern: Bytes) -> Bool {
    let isDeep = pattern.dropFirst().first == UInt8(ascii: "*")
    var rest = pattern.dropFirst(isDeep ? 2 : 1)
    // `**/` may stand for no name at all.
    if isDeep, rest.first == slash {
      rest = rest.dropFirst()
      var start = path
      while true {
        if match(start, rest) { return true }
        guard let next = start.firstIndex(of: slash) else { return false }
        start = start[(next + 1)...]
      }
    }
    var start = path
    while true {
      if match(start, rest) { return true }
      guard let byte = start.first, isDeep || byte != slash else { return false }
      start = start.dropFirst()
    }
  }

  /// Where the set ends that the pattern begins with, if it holds the byte.
  private static func set(_ pattern: Bytes, holds byte: UInt8) -> Int? {
    var index = pattern.startIndex + 1
    let isNegated = index < pattern.endIndex && pattern[index] == UInt8(ascii: "!")
    if isNegated { index += 1 }
    var (isIn, isFirst) = (false, true)
    while index < pattern.endIndex, isFirst || pattern[index] != UInt8(ascii: "]") {
      isFirst = false
      if index + 2 < pattern.endIndex, pattern[index + 1] == UInt8(ascii: "-"),
        pattern[index + 2] != UInt8(ascii: "]")
      {
        if (pattern[index]...max(pattern[index], pattern[index + 2])).contains(byte) { isIn = true }
        index += 3
      } else {
        if pattern[index] == byte { isIn = true }
        index += 1
      }
    }
    guard index < pattern.endIndex, isIn != isNegated else { return nil }
    return index + 1
  }
}
