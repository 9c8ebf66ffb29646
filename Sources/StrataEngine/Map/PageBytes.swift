/// Builds the bytes of a record: numbers in groups of seven bits, low ones first (LEB128), byte
/// strings behind their count.
package struct PageWriter {
  package private(set) var result: [UInt8] = []

  package init() {}

  package mutating func byte(_ value: UInt8) { result.append(value) }

  package mutating func number(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      result.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    result.append(UInt8(truncatingIfNeeded: rest))
  }

  /// A number that may be negative: its sign is the lowest bit.
  package mutating func signed(_ value: Int64) {
    number(UInt64(bitPattern: value << 1 ^ value >> 63))
  }

  package mutating func bytes(_ value: [UInt8]) {
    number(UInt64(value.count))
    result.append(contentsOf: value)
  }
}

/// Takes apart what a ``PageWriter`` has made. Damaged bytes make it throw EIO, never trap.
package struct PageReader {
  private let source: [UInt8]
  private var position = 0

  package init(_ source: [UInt8]) { self.source = source }

  package var isAtEnd: Bool { position == source.count }
  /// How many bytes were taken.
  package var offset: Int { position }

  package mutating func byte() throws(FileError) -> UInt8 {
    guard position < source.count else { throw .damaged }
    defer { position += 1 }
    return source[position]
  }

  package mutating func number() throws(FileError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      let byte = try byte()
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw .damaged
  }

  package mutating func signed() throws(FileError) -> Int64 {
    let value = try number()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// A number of things that each take a byte at least.
  package mutating func count() throws(FileError) -> Int {
    let value = try number()
    guard value <= UInt64(source.count - position) else { throw .damaged }
    return Int(value)
  }

  package mutating func bytes() throws(FileError) -> [UInt8] {
    let count = try count()
    defer { position += count }
    return Array(source[position..<position + count])
  }

  package mutating func number<N: FixedWidthInteger>(as type: N.Type) throws(FileError) -> N {
    guard let value = N(exactly: try number()) else { throw .damaged }
    return value
  }
}

extension FileError {
  /// A record whose bytes make no sense.
  package static let damaged = FileError(.ioError, "damaged")
}
