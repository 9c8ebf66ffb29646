extension JSON {
  /// A member of an object, the first of that name; nil for what is no object, or has none.
  public subscript(_ name: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  public var stringValue: String? {
    if case .string(let value) = self { value } else { nil }
  }

  public var integerValue: Int64? {
    if case .integer(let value) = self { value } else { nil }
  }

  public var boolValue: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  public var elements: [JSON]? {
    if case .array(let values) = self { values } else { nil }
  }

  /// What ``bytes(_:)`` was made of; nil for another kind of value and for base 64 that is none.
  public var bytesValue: [UInt8]? {
    if case .string(let value) = self { return Array(value.utf8) }
    return self["b64"]?.stringValue.flatMap { base64Decoded($0) }
  }
}

/// RFC 4648, with padding; nil for anything else.
func base64Decoded(_ text: String) -> [UInt8]? {
  let digits = Array(text.utf8)
  guard digits.count % 4 == 0 else { return nil }
  let padding = digits.reversed().prefix { $0 == UInt8(ascii: "=") }.count
  guard padding <= 2 else { return nil }
  var result: [UInt8] = []
  result.reserveCapacity(digits.count / 4 * 3)
  var group: UInt32 = 0
  for (index, digit) in digits.dropLast(padding).enumerated() {
    guard let value = base64Value(digit) else { return nil }
    group = group << 6 | value
    if index % 4 == 3 {
      result += [UInt8(group >> 16 & 255), UInt8(group >> 8 & 255), UInt8(group & 255)]
      group = 0
    }
  }
  switch padding {
  case 1:
    // What is left over of the last digit's bits must be nothing.
    guard group & 3 == 0 else { return nil }
    result += [UInt8(group >> 10 & 255), UInt8(group >> 2 & 255)]
  case 2:
    guard group & 15 == 0 else { return nil }
    result.append(UInt8(group >> 4 & 255))
  default: break
  }
  return result
}

private func base64Value(_ digit: UInt8) -> UInt32? {
  switch digit {
  case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
  case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
  case UInt8(ascii: "+"): 62
  case UInt8(ascii: "/"): 63
  default: nil
  }
}
