internal import Glibc

/// A POSIX regular expression, matched against lines of bytes.
final class LinePattern {
  private let compiled: UnsafeMutablePointer<regex_t>

  /// - Throws: ``UsageError`` with what the C library says of a malformed expression.
  init(_ expression: [UInt8], isExtended: Bool, ignoresCase: Bool) throws(UsageError) {
    guard !expression.contains(0) else { throw UsageError("a pattern cannot hold NUL") }
    let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
    compiled.initialize(to: regex_t())
    let flags = (isExtended ? REG_EXTENDED : 0) | (ignoresCase ? REG_ICASE : 0)
    let status = regcomp(compiled, expression.map { CChar(bitPattern: $0) } + [0], flags)
    guard status == 0 else {
      var buffer = [CChar](repeating: 0, count: 256)
      regerror(status, compiled, &buffer, buffer.count)
      compiled.deallocate()
      let text = String(
        decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      throw UsageError("\(expression.shown): \(text)")
    }
    self.compiled = compiled
  }

  deinit {
    regfree(compiled)
    compiled.deallocate()
  }

  /// The first match from an offset on; NUL bytes are bytes like others.
  func firstMatch(in line: [UInt8], from start: Int = 0) -> Range<Int>? {
    var match = regmatch_t(rm_so: 0, rm_eo: regoff_t(line.count - start))
    let flags = REG_STARTEND | (start > 0 ? REG_NOTBOL : 0)
    let isFound = line.withUnsafeBytes { bytes -> Bool in
      guard let base = bytes.baseAddress else {
        return "".withCString { regexec(compiled, $0, 1, &match, flags) == 0 }
      }
      let text = base.advanced(by: start).assumingMemoryBound(to: CChar.self)
      return regexec(compiled, text, 1, &match, flags) == 0
    }
    guard isFound else { return nil }
    return start + Int(match.rm_so)..<start + Int(match.rm_eo)
  }

  /// All matches that are not empty, from left to right.
  func matches(in line: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var start = 0
    while start < line.count, let range = firstMatch(in: line, from: start) {
      if !range.isEmpty { found.append(range) }
      start = max(range.upperBound, range.lowerBound + 1)
    }
    return found
  }
}
