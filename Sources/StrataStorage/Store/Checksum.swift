internal import StrataEngine

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

  /// What blocks add to the checksum of a data file, which is the sum over its blocks: in whatever
  /// order they come, and nothing for a block of zeros, so that a hole counts as what it reads as.
  /// - Parameters:
  ///   - bytes: whole blocks, but for the last one of the file.
  ///   - first: the number of the first of them.
  static func ofBlocks(_ bytes: UnsafeRawBufferPointer, first: UInt64) -> UInt64 {
    var sum: UInt64 = 0
    var block = first
    var position = 0
    while position < bytes.count {
      let end = min(position + Block.size, bytes.count)
      let piece = UnsafeRawBufferPointer(rebasing: bytes[position..<end])
      sum &+= ofBlock(piece, block)
      block += 1
      position = end
    }
    return sum
  }

  private static func ofBlock(_ bytes: UnsafeRawBufferPointer, _ number: UInt64) -> UInt64 {
    var state: UInt64 = number &* 0x9E37_79B9_7F4A_7C15
    var isZero: UInt64 = 0
    var position = 0
    while position < Block.size {
      var word: UInt64 = 0
      if position + 8 <= bytes.count {
        word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      } else if position < bytes.count {
        withUnsafeMutableBytes(of: &word) {
          $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position...]))
        }
      }
      isZero |= word
      state = (state ^ UInt64(littleEndian: word)) &* 0xFF51_AFD7_ED55_8CCD
      state ^= state >> 32
      position += 8
    }
    return isZero == 0 ? 0 : mix(state)
  }

  static func of(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { of($0) } }

  private static func mix(_ value: UInt64) -> UInt64 {
    var value = (value ^ value >> 33) &* 0xFF51_AFD7_ED55_8CCD
    value = (value ^ value >> 33) &* 0xC4CE_B9FE_1A85_EC53
    return value ^ value >> 33
  }
}
