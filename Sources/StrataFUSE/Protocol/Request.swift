internal import StrataEngine

/// Bytes that came from the device.
struct Arrival {
  /// The size of a WRITE's header, behind which its content may be elsewhere.
  static let writeHeader = Request.headerSize + 40

  let bytes: UnsafeRawBufferPointer
  /// The content of a WRITE that has landed by itself.
  var landed: UnsafeRawBufferPointer?
  var landing: Landing?

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// A WRITE whose content has landed.
  init(write header: UnsafeRawBufferPointer, _ count: Int, in landing: Landing) {
    bytes = header
    landed = UnsafeRawBufferPointer(rebasing: landing.bytes[..<count])
    self.landing = landing
  }
}

/// One request as it came from the device, `struct fuse_in_header` and what follows it. Nothing in it
/// is believed: what is not there is EINVAL.
struct Request {
  static let headerSize = 40

  let opcode: UInt32
  let unique: UInt64
  let node: UInt64
  let uid: UInt32
  let gid: UInt32
  let pid: UInt32
  /// What follows the header, without the extensions at the end.
  let body: UnsafeRawBufferPointer
  private let extensions: UnsafeRawBufferPointer
  private let landed: UnsafeRawBufferPointer?
  /// Where ``written()`` has landed.
  let landing: Landing?

  /// Nil for what is shorter than a header or says another length than it has.
  init?(_ arrival: Arrival) {
    let bytes = arrival.bytes
    (landed, landing) = (arrival.landed, arrival.landing)
    guard bytes.count >= Self.headerSize else { return nil }
    func word(_ at: Int) -> UInt32 { bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self) }
    func long(_ at: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) }
    guard Int(word(0)) == bytes.count + (landed?.count ?? 0) else { return nil }
    opcode = word(4)
    unique = long(8)
    node = long(16)
    (uid, gid, pid) = (word(24), word(28), word(32))
    let extra = Int(bytes.loadUnaligned(fromByteOffset: 36, as: UInt16.self)) * 8
    guard extra <= bytes.count - Self.headerSize else { return nil }
    let end = bytes.count - extra
    body = UnsafeRawBufferPointer(rebasing: bytes[Self.headerSize..<end])
    extensions = UnsafeRawBufferPointer(rebasing: bytes[end...])
  }

  func word(_ at: Int) throws(FileError) -> UInt32 {
    guard at + 4 <= body.count else { throw .invalid }
    return body.loadUnaligned(fromByteOffset: at, as: UInt32.self)
  }

  func long(_ at: Int) throws(FileError) -> UInt64 {
    guard at + 8 <= body.count else { throw .invalid }
    return body.loadUnaligned(fromByteOffset: at, as: UInt64.self)
  }

  /// What a WRITE is to write.
  func written() throws(FileError) -> UnsafeRawBufferPointer {
    if let landed { return landed }
    let header = Arrival.writeHeader - Self.headerSize
    guard body.count >= header else { throw .invalid }
    return UnsafeRawBufferPointer(rebasing: body[header...])
  }

  /// A place in a file.
  func offset(_ at: Int) throws(FileError) -> Int64 {
    guard let offset = Int64(exactly: try long(at)) else { throw .invalid }
    return offset
  }

  /// The bytes up to a NUL, and where to go on behind it.
  func string(_ at: Int) throws(FileError) -> (UnsafeRawBufferPointer, next: Int) {
    guard at <= body.count, let end = body[at...].firstIndex(of: 0) else { throw .invalid }
    return (UnsafeRawBufferPointer(rebasing: body[at..<end]), end + 1)
  }

  func name(_ at: Int) throws(FileError) -> Name { Name(try string(at).0) }

  /// The group of a new node that the caller has besides its own: FUSE_EXT_GROUPS.
  var supplementaryGroups: [UInt32] {
    var groups: [UInt32] = []
    var at = 0
    while at + 8 <= extensions.count {
      let size = Int(extensions.loadUnaligned(fromByteOffset: at, as: UInt32.self))
      let type = extensions.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self)
      guard size >= 8, at + size <= extensions.count else { break }
      if type == 32, size >= 12 {
        let count = Int(extensions.loadUnaligned(fromByteOffset: at + 8, as: UInt32.self))
        for index in 0..<min(count, (size - 12) / 4) {
          groups.append(
            extensions.loadUnaligned(fromByteOffset: at + 12 + 4 * index, as: UInt32.self))
        }
      }
      at += (size + 7) & ~7
    }
    return groups
  }
}
