/// The name of a directory entry: bytes, neither decoded nor normalised.
///
/// Two names are the same only if all their bytes are. Names of up to 15 bytes, which are most, are
/// held in the value itself. The order is that of ``fingerprint`` first and is the order in which
/// directories list their entries: fixed for a name, so that a listing can go on where it stopped
/// although entries came and went meanwhile.
public struct Name: Hashable, Sendable {
  /// `NAME_MAX`: the most bytes that a name may have.
  public static let maximumLength = 255

  private let low: UInt64
  private var high: UInt64
  private let heap: [UInt8]?

  /// Makes a name of the bytes as they are; whether they make a valid entry name, ``isValid`` says.
  public init(_ bytes: some Collection<UInt8>) {
    self =
      bytes.withContiguousStorageIfAvailable { Name(copying: UnsafeRawBufferPointer($0)) }
      ?? Array(bytes).withUnsafeBytes { Name(copying: $0) }
  }

  @inline(__always)
  package init(copying bytes: UnsafeRawBufferPointer) {
    let count = bytes.count
    guard count <= 15 else {
      let array = Array(bytes)
      (low, high) = (Name.digest(array), UInt64(0xFF) << 56)
      heap = array
      return
    }
    var words = SIMD2<UInt64>(0, 0)
    withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: bytes) }
    (low, high, heap) = (UInt64(littleEndian: words.x), UInt64(littleEndian: words.y), nil)
    high |= UInt64(count) << 56
  }

  /// The UTF-8 bytes of a string; for literals and messages, names from outside come as bytes.
  public init(_ string: String) { self.init(Array(string.utf8)) }

  public var count: Int { heap?.count ?? Int(high >> 56) }

  public var bytes: [UInt8] {
    if let heap { return heap }
    return (0..<count).map { index in
      UInt8(truncatingIfNeeded: index < 8 ? low >> (8 * index) : high >> (8 * (index - 8)))
    }
  }

  /// Copies the bytes, and NULs up to the next multiple of eight, to where there is room for them.
  package func copyPadded(to buffer: UnsafeMutableRawPointer) {
    guard let heap else {
      buffer.storeBytes(of: low.littleEndian, as: UInt64.self)
      guard high >> 56 > 8 else { return }
      let rest = high & ~(UInt64(0xFF) << 56)
      return buffer.storeBytes(of: rest.littleEndian, toByteOffset: 8, as: UInt64.self)
    }
    heap.withUnsafeBytes { bytes in
      for place in bytes.count..<(bytes.count + 7) & ~7 {
        buffer.storeBytes(of: 0, toByteOffset: place, as: UInt8.self)
      }
      UnsafeMutableRawBufferPointer(start: buffer, count: bytes.count).copyMemory(from: bytes)
    }
  }

  /// 63 well-mixed bits of the bytes, at least 16; the place of the name in a directory listing.
  ///
  /// The function is part of the workspace format: it must not change.
  public var fingerprint: UInt64 {
    var mixed = (low ^ 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
    mixed ^= mixed >> 29
    mixed = (mixed ^ high) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 32
    mixed = mixed &* 0xD6E8_FEB8_6659_FD93
    mixed ^= mixed >> 31
    return max(mixed >> 1, 16)
  }

  /// Whether this can name an entry: 1 to 255 bytes, no `/`, no NUL, neither `.` nor `..`.
  public var isValid: Bool {
    count > 0 && count <= Name.maximumLength && !isDot && !isDotDot
      && !bytes.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") })
  }

  public var isDot: Bool { low == 0x2E && high == 1 << 56 }
  public var isDotDot: Bool { low == 0x2E2E && high == 2 << 56 }

  /// FNV-1a, 64 bits, of a long name; its 15-byte cousins need no digest.
  private static func digest(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
  }
}

extension Name: Comparable {
  @inline(__always)
  public static func == (a: Name, b: Name) -> Bool {
    a.low == b.low && a.high == b.high && a.heap == b.heap
  }

  public static func < (a: Name, b: Name) -> Bool {
    let (left, right) = (a.fingerprint, b.fingerprint)
    if left != right { return left < right }
    return a != b && a.bytes.lexicographicallyPrecedes(b.bytes)
  }
}

extension Name: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) { self.init(value) }
}

extension Name: CustomStringConvertible {
  /// For people only: what is not UTF-8 is replaced.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}
