/// 64 bits that tell damage, of no use against intent: words are mixed as in MurmurHash3's finalizer.
///
/// Part of the workspace format.
enum Checksum {
  static func of(_ bytes: UnsafeRawBufferPointer, from seed: UInt64 = 0) -> UInt64 {
    var state = seed ^ UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15
    var position = 0
    while position + 8 <= bytes.count {
      let word = UInt64(
        littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      state = mix(state ^ word)
      position += 8
    }
    var rest: UInt64 = 0
    for byte in bytes[position...].reversed() { rest = rest << 8 | UInt64(byte) }
    return mix(state ^ rest)
  }

  static func of(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { of($0) } }

  private static func mix(_ value: UInt64) -> UInt64 {
    var value = (value ^ value >> 33) &* 0xFF51_AFD7_ED55_8CCD
    value = (value ^ value >> 33) &* 0xC4CE_B9FE_1A85_EC53
    return value ^ value >> 33
  }
}
