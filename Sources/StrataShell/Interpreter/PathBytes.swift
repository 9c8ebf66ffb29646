let slash = UInt8(ascii: "/")

/// Paths as bytes, taken apart and put together.
extension [UInt8] {
  init(_ text: String) { self = Array(text.utf8) }

  /// What is shown of it in messages.
  var shown: String { ShownName(self).description }

  /// The bytes as text where they are UTF-8, for words that are no names.
  var text: String { String(decoding: self, as: UTF8.self) }

  /// The last name, as basename(1) has it.
  var lastComponent: [UInt8] {
    let trimmed = withoutTrailingSlashes
    guard let index = trimmed.lastIndex(of: slash), trimmed.count > 1 else { return trimmed }
    return Array(trimmed[(index + 1)...])
  }

  /// The path with its trailing slashes taken off, but for the root's own.
  var withoutTrailingSlashes: [UInt8] {
    var path = self
    while path.count > 1, path.last == slash { path.removeLast() }
    return path
  }

  func appending(component name: [UInt8]) -> [UInt8] {
    if isEmpty { return name }
    return last == slash ? self + name : self + [slash] + name
  }
}

/// The order in which names are shown: by bytes.
func inNameOrder(_ a: [UInt8], _ b: [UInt8]) -> Bool { a.lexicographicallyPrecedes(b) }
