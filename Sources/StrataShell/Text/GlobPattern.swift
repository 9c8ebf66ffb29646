/// A pattern for one name: `*`, `?`, `[a-z]`, `[!a-z]`, and bytes that stand for themselves.
public struct GlobPattern: Equatable, Sendable {
  public enum Element: Equatable, Sendable {
    case byte(UInt8)
    case any
    case one
    case set(ranges: [ClosedRange<UInt32>], isNegated: Bool)
  }

  public var elements: [Element]

  public init(elements: [Element]) { self.elements = elements }

  /// Reads a pattern in which a backslash takes the meaning from what follows.
  public init(_ bytes: [UInt8]) {
    elements = []
    var rest = bytes[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "*"): elements.append(.any)
      case UInt8(ascii: "?"): elements.append(.one)
      case UInt8(ascii: "\\"): elements.append(.byte(rest.popFirst() ?? byte))
      case UInt8(ascii: "["):
        let start = rest.startIndex
        let isNegated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
        let first = isNegated ? start + 1 : start
        if let close = rest.indices.first(where: { $0 > first && rest[$0] == UInt8(ascii: "]") }) {
          elements.append(GlobPattern.set(Array(rest[start..<close])))
          rest = rest[(close + 1)...]
        } else {
          elements.append(.byte(byte))
        }
      default: elements.append(.byte(byte))
      }
    }
  }

  /// The set between the brackets: `a-z`, `!0-9`, `^x`.
  static func set(_ body: [UInt8]) -> Element {
    var scalars = Array(String(decoding: body, as: UTF8.self).unicodeScalars)[...]
    let isNegated = scalars.first == "!" || scalars.first == "^"
    if isNegated { scalars.removeFirst() }
    var ranges: [ClosedRange<UInt32>] = []
    while let first = scalars.popFirst() {
      if scalars.count > 1, scalars.first == "-" {
        scalars.removeFirst()
        let last = scalars.removeFirst()
        if first.value <= last.value { ranges.append(first.value...last.value) }
      } else {
        ranges.append(first.value...first.value)
      }
    }
    return .set(ranges: ranges, isNegated: isNegated)
  }

  /// The bytes, if the pattern fits nothing else.
  public var literal: [UInt8]? {
    var bytes: [UInt8] = []
    for element in elements {
      guard case .byte(let byte) = element else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  /// Whether the whole name fits. Takes time in proportion to name and pattern together, at most
  /// their product.
  public func matches(_ name: [UInt8], ignoringCase: Bool = false) -> Bool {
    var (at, position) = (0, 0)
    var retry: (at: Int, position: Int)?
    while position < name.count || at < elements.count {
      if at < elements.count {
        if case .any = elements[at] {
          retry = (at, position)
          at += 1
          continue
        }
        if let length = match(elements[at], name[position...], ignoringCase) {
          at += 1
          position += length
          continue
        }
      }
      guard let last = retry, last.position < name.count else { return false }
      retry = (last.at, last.position + 1)
      (at, position) = (last.at + 1, last.position + 1)
    }
    return true
  }

  /// How many bytes the element takes from the front; nil if it does not fit.
  private func match(
    _ element: Element, _ rest: ArraySlice<UInt8>, _ ignoringCase: Bool
  ) -> Int? {
    guard let byte = rest.first else { return nil }
    switch element {
    case .any: return 0
    case .byte(let wanted):
      return byte == wanted || ignoringCase && lowercased(byte) == lowercased(wanted) ? 1 : nil
    case .one: return scalar(rest).length
    case .set(let ranges, let isNegated):
      let (value, length) = scalar(rest)
      var isIn = ranges.contains { $0.contains(value) }
      if ignoringCase, !isIn, value < 0x80 {
        let other = UInt32(swappedCase(UInt8(value)))
        isIn = ranges.contains { $0.contains(other) }
      }
      return isIn != isNegated ? length : nil
    }
  }

  /// The character in front, or the byte where the bytes are no UTF-8.
  private func scalar(_ rest: ArraySlice<UInt8>) -> (value: UInt32, length: Int) {
    guard let first = rest.first, first >= 0xC2 else { return (UInt32(rest.first ?? 0), 1) }
    let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    guard let text = String(validating: Array(rest.prefix(length)), as: UTF8.self),
      let scalar = text.unicodeScalars.first
    else { return (UInt32(first), 1) }
    return (scalar.value, length)
  }

  private func lowercased(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte + 32 : byte }

  private func swappedCase(_ byte: UInt8) -> UInt8 {
    switch byte {
    case 65...90: byte + 32
    case 97...122: byte - 32
    default: byte
    }
  }
}
