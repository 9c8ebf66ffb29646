internal import Glibc

/// A compiled POSIX extended regular expression over bytes.
final class PosixPattern {
  private let compiled: UnsafeMutablePointer<regex_t>

  /// Nil if the expression is malformed.
  init?(_ expression: [UInt8]) {
    guard !expression.contains(0) else { return nil }
    let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
    compiled.initialize(to: regex_t())
    let text = expression.map { CChar(bitPattern: $0) } + [0]
    guard regcomp(compiled, text, REG_EXTENDED) == 0 else {
      compiled.deallocate()
      return nil
    }
    self.compiled = compiled
  }

  deinit {
    regfree(compiled)
    compiled.deallocate()
  }

  /// Whether it matches somewhere in the bytes, NUL among them.
  func matches(_ bytes: [UInt8]) -> Bool {
    var range = regmatch_t(rm_so: 0, rm_eo: regoff_t(bytes.count))
    let text = bytes.map { CChar(bitPattern: $0) } + [0]
    return regexec(compiled, text, 1, &range, REG_STARTEND) == 0
  }
}
