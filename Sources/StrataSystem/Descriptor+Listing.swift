internal import CStrataSystem
internal import Glibc
public import SystemPackage

extension Descriptor {
  /// The names in this directory that follow where the descriptor stands, on a new one all, without
  /// `.` and `..`.
  public func names() throws(Errno) -> [[UInt8]] {
    var found: [[UInt8]] = []
    try forEachName { name, _, _ throws(Errno) in found.append(Array(name)) }
    return found
  }

  /// The same one after the other, with `d_type` and `d_ino`; the bytes of a name hold as long as the
  /// call.
  public func forEachName(
    _ body: (_ name: UnsafeRawBufferPointer, _ type: UInt8, _ inode: UInt64) throws(Errno) -> Void
  ) throws(Errno) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32768, alignment: 8)
    defer { buffer.deallocate() }
    while true {
      let count = Int(strata_next_entries(rawValue, buffer.baseAddress, buffer.count))
      guard count >= 0 else { throw Errno(rawValue: Int32(-count)) }
      if count == 0 { return }
      var records = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      while let (name, type, length) = Self.record(records) {
        if !isDotOrDotDot(name) { try body(name, type, records.loadUnaligned(as: UInt64.self)) }
        records = UnsafeRawBufferPointer(rebasing: records[length...])
      }
    }
  }

  /// The first `struct dirent64`: u64 inode, u64 offset, u16 length of the record, u8 type, and the
  /// name up to a NUL.
  private static func record(
    _ records: UnsafeRawBufferPointer
  ) -> (name: UnsafeRawBufferPointer, type: UInt8, length: Int)? {
    guard records.count > nameOffset, let start = records.baseAddress else { return nil }
    let length = Int(records.loadUnaligned(fromByteOffset: 16, as: UInt16.self))
    guard length > nameOffset, length <= records.count else { return nil }
    let name = start + nameOffset
    let count = strnlen(name.assumingMemoryBound(to: CChar.self), length - nameOffset)
    return (UnsafeRawBufferPointer(start: name, count: count), records[18], length)
  }

  private static let nameOffset = 19
}

private func isDotOrDotDot(_ name: UnsafeRawBufferPointer) -> Bool {
  let dot = UInt8(ascii: ".")
  return name.count <= 2 && name.allSatisfy { $0 == dot }
}
