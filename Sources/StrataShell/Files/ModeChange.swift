/// What chmod(1) is told to do: `0644`, `u+x,g-w`, `a=rX`, `g=u`.
struct ModeChange: Equatable {
  private enum Operator: Equatable { case add, remove, set }

  private struct Clause: Equatable {
    /// Of 7 for each of user, group and others: `0o700`, `0o070`, `0o007`.
    var who: UInt32
    /// Nobody was named: the umask counts.
    var isUnnamed: Bool
    var action: Operator
    var permissions: [UInt8]
  }

  private var number: UInt32?
  private var clauses: [Clause] = []

  /// - Throws: ``UsageError`` for what is no mode.
  init(_ text: [UInt8]) throws(UsageError) {
    if let first = text.first, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(first) {
      guard let value = UInt32(text.text, radix: 8), value <= 0o7777 else {
        throw UsageError("no such mode: \(text.shown)")
      }
      number = value
      return
    }
    for part in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      try parse(Array(part), of: text)
    }
  }

  private mutating func parse(_ part: [UInt8], of text: [UInt8]) throws(UsageError) {
    var rest = part[...]
    var who: UInt32 = 0
    while let letter = rest.first, let mask = ModeChange.who(letter) {
      who |= mask
      rest.removeFirst()
    }
    var count = 0
    while let sign = rest.popFirst() {
      let action: Operator
      switch sign {
      case UInt8(ascii: "+"): action = .add
      case UInt8(ascii: "-"): action = .remove
      case UInt8(ascii: "="): action = .set
      default: throw UsageError("no such mode: \(text.shown)")
      }
      let permissions = rest.prefix { "rwxXstugo".utf8.contains($0) }
      rest = rest.dropFirst(permissions.count)
      clauses.append(
        Clause(
          who: who == 0 ? 0o777 : who, isUnnamed: who == 0, action: action,
          permissions: Array(permissions)))
      count += 1
    }
    guard count > 0 else { throw UsageError("no such mode: \(text.shown)") }
  }

  private static func who(_ letter: UInt8) -> UInt32? {
    switch letter {
    case UInt8(ascii: "u"): 0o700
    case UInt8(ascii: "g"): 0o070
    case UInt8(ascii: "o"): 0o007
    case UInt8(ascii: "a"): 0o777
    default: nil
    }
  }

  func apply(to mode: UInt32, isDirectory: Bool, umask: UInt32) -> UInt32 {
    if let number {
      // As coreutils: a short number keeps the set-id bits of a directory.
      return isDirectory && number <= 0o777 ? number | mode & 0o6000 : number
    }
    return clauses.reduce(mode) { apply($1, to: $0, isDirectory, umask) }
  }

  private func apply(
    _ clause: Clause, to mode: UInt32, _ isDirectory: Bool, _ umask: UInt32
  ) -> UInt32 {
    var bits: UInt32 = 0
    for letter in clause.permissions {
      switch letter {
      case UInt8(ascii: "r"): bits |= 0o444 & clause.who
      case UInt8(ascii: "w"): bits |= 0o222 & clause.who
      case UInt8(ascii: "x"): bits |= 0o111 & clause.who
      case UInt8(ascii: "X"): if isDirectory || mode & 0o111 != 0 { bits |= 0o111 & clause.who }
      case UInt8(ascii: "s"):
        bits |= (clause.who & 0o700 != 0 ? 0o4000 : 0) | (clause.who & 0o070 != 0 ? 0o2000 : 0)
      case UInt8(ascii: "t"): bits |= 0o1000
      case UInt8(ascii: "u"): bits |= ((mode >> 6) & 7) * 0o111 & clause.who
      case UInt8(ascii: "g"): bits |= ((mode >> 3) & 7) * 0o111 & clause.who
      default: bits |= (mode & 7) * 0o111 & clause.who
      }
    }
    if clause.isUnnamed { bits &= ~(umask & 0o777) }
    switch clause.action {
    case .add: return mode | bits
    case .remove: return mode & ~bits
    case .set:
      var cleared = clause.who
      if !isDirectory {
        cleared |= (clause.who & 0o700 != 0 ? 0o4000 : 0) | (clause.who & 0o070 != 0 ? 0o2000 : 0)
      }
      return mode & ~cleared | bits
    }
  }
}
