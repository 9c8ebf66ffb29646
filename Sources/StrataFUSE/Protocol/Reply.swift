internal import StrataEngine

/// The answer to one request as it goes to the device: `struct fuse_out_header` and what follows it.
/// What does not fit is not written.
struct Reply {
  static let headerSize = 16

  let buffer: UnsafeMutableRawBufferPointer
  private(set) var count = headerSize
  /// Nodes that the kernel knows once more when it has the answer.
  var lookedUp: [UInt64] = []
  /// The directory that it lists from the start, if that is what it does.
  var listed: NodeID?
  /// How long names and attributes hold, unless said otherwise.
  var validity = Validity.long
  /// Whose owners are shown; nil for everybody's.
  var onlyUser: OnlyUser?
  /// The numbers that programs see; nil for the engine's own.
  var numbering: (any NodeNumbering)?

  init(_ buffer: UnsafeMutableRawBufferPointer) { self.buffer = buffer }

  mutating func reset() {
    count = Self.headerSize
    listed = nil
    if !lookedUp.isEmpty { lookedUp.removeAll(keepingCapacity: true) }
  }

  var room: Int { buffer.count - count }

  /// Room that is written to directly; `advance` says how much of it was.
  var rest: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
  }

  mutating func advance(_ bytes: Int) { count += min(bytes, room) }
  mutating func rewind(to place: Int) { count = max(Self.headerSize, min(place, count)) }

  @inline(__always)
  mutating func put<T: BitwiseCopyable>(_ value: T) {
    let size = MemoryLayout<T>.size
    guard size <= room else { return }
    buffer.storeBytes(of: value, toByteOffset: count, as: T.self)
    count += size
  }

  mutating func put(_ bytes: some Collection<UInt8>) {
    guard bytes.count <= room else { return }
    UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyBytes(from: bytes)
    count += bytes.count
  }

  mutating func put(zeros: Int) {
    guard zeros > 0, zeros <= room else { return }
    UnsafeMutableRawBufferPointer(rebasing: buffer[count..<count + zeros])
      .initializeMemory(as: UInt8.self, repeating: 0)
    count += zeros
  }

  mutating func finish(_ unique: UInt64, error: Int32) -> UnsafeRawBufferPointer {
    if error != 0 { count = Self.headerSize }
    buffer.storeBytes(of: UInt32(count), toByteOffset: 0, as: UInt32.self)
    buffer.storeBytes(of: -error, toByteOffset: 4, as: Int32.self)
    buffer.storeBytes(of: unique, toByteOffset: 8, as: UInt64.self)
    return UnsafeRawBufferPointer(rebasing: buffer[..<count])
  }
}

/// How long the kernel believes us. We are the only writer, except where a fork has several mounts, and
/// say when that changes.
struct Validity {
  var seconds: UInt64
  static let long = Validity(seconds: 86_400)
  static let none = Validity(seconds: 0)
}

extension Reply {
  mutating func put(number node: NodeID) { put(number(of: node)) }

  func number(of node: NodeID) -> UInt64 { numbering?.number(of: node) ?? node.rawValue }

  /// `struct fuse_attr`
  mutating func put(_ attributes: Attributes) {
    put(number: attributes.node)
    put(UInt64(bitPattern: attributes.size))
    put(UInt64(bitPattern: attributes.blocks))
    let accessed = attributes.accessed.quotientAndRemainderRoundedDown(1_000_000_000)
    let modified = attributes.modified.quotientAndRemainderRoundedDown(1_000_000_000)
    let changed = attributes.changed.quotientAndRemainderRoundedDown(1_000_000_000)
    put(accessed.quotient)
    put(modified.quotient)
    put(changed.quotient)
    put(UInt32(accessed.remainder))
    put(UInt32(modified.remainder))
    put(UInt32(changed.remainder))
    put(attributes.kind.modeBits | attributes.mode)
    put(attributes.links)
    let owners = onlyUser?.owners(of: attributes) ?? (attributes.uid, attributes.gid)
    put(owners.0)
    put(owners.1)
    put(Self.kernelDevice(attributes.device))
    put(Self.transferSize(of: attributes.kind))
    put(UInt32(0))
  }

  private static func parts(ofDevice device: UInt64) -> (major: UInt32, minor: UInt32) {
    (
      UInt32(truncatingIfNeeded: (device >> 8) & 0xFFF | (device >> 32) & 0xFFFF_F000),
      UInt32(truncatingIfNeeded: device & 0xFF | (device >> 12) & 0xFFFF_FF00)
    )
  }

  /// The kernel's own packing, `new_encode_dev`, of what `makedev` gives.
  static func kernelDevice(_ device: UInt64) -> UInt32 {
    let (major, minor) = parts(ofDevice: device)
    return minor & 0xFF | major << 8 | (minor & ~0xFF) << 12
  }

  static func userDevice(_ device: UInt32) -> UInt64 {
    let major = UInt64(device & 0xF_FF00) >> 8
    let minor = UInt64(device & 0xFF | (device >> 12) & 0xF_FF00)
    return (minor & 0xFF) | (major & 0xFFF) << 8 | (minor & ~0xFF) << 12 | (major & ~0xFFF) << 32
  }

  /// `struct fuse_entry_out`
  mutating func put(
    entry node: UInt64, _ attributes: Attributes, entry entryValidity: Validity
  ) {
    put(node)
    put(UInt64(0))
    put(min(entryValidity.seconds, validity.seconds))
    put(validity.seconds)
    put(UInt64(0))
    put(attributes)
  }

  /// An entry that is not there, which the kernel may believe as well.
  mutating func putMissing() {
    put(UInt64(0))
    put(UInt64(0))
    put(validity.seconds)
    put(zeros: 104)
  }

  /// The size of ``put(entry:_:number:cookie:)``.
  static func size(ofEntry name: Name) -> Int { 24 + (name.count + 7) & ~7 }

  /// `struct fuse_dirent`
  mutating func put(entry name: Name, _ kind: FileKind, number: UInt64, cookie: UInt64) {
    let size = Self.size(ofEntry: name)
    guard size <= room, let start = buffer.baseAddress?.advanced(by: count) else { return }
    start.storeBytes(of: number, as: UInt64.self)
    start.storeBytes(of: cookie, toByteOffset: 8, as: UInt64.self)
    start.storeBytes(of: UInt32(name.count), toByteOffset: 16, as: UInt32.self)
    start.storeBytes(of: kind.modeBits >> 12, toByteOffset: 20, as: UInt32.self)
    name.copyPadded(to: start + 24)
    count += size
  }

  /// `struct fuse_attr_out`
  mutating func put(attributes: Attributes) {
    put(validity.seconds)
    put(UInt64(0))
    put(attributes)
  }

  /// The size of transfers that programs are advised to make (`st_blksize`). The C library lists
  /// directories by as much, and so has most of them with one request and one that ends it.
  private static func transferSize(of kind: FileKind) -> UInt32 {
    UInt32(kind == .directory ? 16 * Block.size : Block.size)
  }

  private static let basicStatus: UInt32 = 0x7FF
  private static let birthStatus: UInt32 = 0x800

  /// `struct fuse_statx_out`
  /// - Parameter born: when it was made; nil if that is not known.
  mutating func put(status attributes: Attributes, born: Timestamp?) {
    put(validity.seconds)
    put(zeros: 24)
    put(Self.basicStatus | (born == nil ? 0 : Self.birthStatus))
    put(Self.transferSize(of: attributes.kind))
    put(UInt64(0))
    put(attributes.links)
    let owners = onlyUser?.owners(of: attributes) ?? (attributes.uid, attributes.gid)
    put(owners.0)
    put(owners.1)
    put(UInt32(attributes.kind.modeBits | attributes.mode))
    put(number: attributes.node)
    put(UInt64(bitPattern: attributes.size))
    put(UInt64(bitPattern: attributes.blocks))
    put(UInt64(0))
    for time in [attributes.accessed, born ?? 0, attributes.changed, attributes.modified] {
      let (seconds, rest) = time.quotientAndRemainderRoundedDown(1_000_000_000)
      put(seconds)
      put(UInt32(rest))
      put(UInt32(0))
    }
    let device = Self.parts(ofDevice: attributes.device)
    put(device.major)
    put(device.minor)
    put(zeros: 120)
  }

  /// `struct fuse_open_out`
  mutating func put(open handle: UInt64, _ flags: OpenFlags, backing: Int32 = 0) {
    put(handle)
    put(flags.rawValue)
    put(backing)
  }
}

extension Int64 {
  fileprivate func quotientAndRemainderRoundedDown(
    _ divisor: Int64
  ) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
