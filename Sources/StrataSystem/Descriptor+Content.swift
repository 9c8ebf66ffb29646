internal import CStrataSystem
internal import Glibc
public import SystemPackage

extension Descriptor {
  /// Reads until the buffer is full or the file ends; returns how much that was.
  public func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(Errno) -> Int {
    var done = 0
    while done < buffer.count {
      let count = pread(
        rawValue, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset) + done)
      if count == 0 { break }
      if count > 0 {
        done += count
      } else if errno != EINTR {
        throw Errno.last
      }
    }
    return done
  }

  /// The first range of data that ends behind `offset`; nil when only a hole follows.
  public func data(after offset: Int64) throws(Errno) -> Range<Int64>? {
    var (start, end): (Int64, Int64) = (0, 0)
    let result = strata_next_data(rawValue, offset, &start, &end)
    if result == 1 || (result == 0 && end <= start) { return nil }
    guard result == 0 else { throw Errno(rawValue: -result) }
    return start..<end
  }

  /// The target of the symbolic link that this descriptor, opened with `.path`, refers to.
  /// - Throws: EINVAL if it is no link.
  public func readLink() throws(Errno) -> [UInt8] {
    var size = 256
    while true {
      var buffer = [CChar](repeating: 0, count: size)
      let count = readlinkat(rawValue, "", &buffer, size)
      guard count >= 0 else {
        // The kernel's word for an empty path to something else than a link.
        throw errno == ENOENT ? .invalidArgument : Errno.last
      }
      if count < size { return buffer.prefix(count).map { UInt8(bitPattern: $0) } }
      size *= 2
    }
  }

  /// All extended attributes: name and value.
  public func extendedAttributes() throws(Errno) -> [(name: [UInt8], value: [UInt8])] {
    let list = try growing { (buffer: UnsafeMutablePointer<UInt8>?, size: Int) in
      buffer?.withMemoryRebound(to: CChar.self, capacity: size) {
        strata_list_xattr(rawValue, $0, size)
      } ?? strata_list_xattr(rawValue, nil, 0)
    }
    var found: [(name: [UInt8], value: [UInt8])] = []
    for name in (list ?? []).split(separator: 0).map(Array.init) {
      let value = try growing { (buffer: UnsafeMutablePointer<UInt8>?, size: Int) in
        name.withCPath { strata_get_xattr(rawValue, $0, buffer, size) }
      }
      if let value { found.append((name, value)) }
    }
    return found
  }

  /// Nil where there is none of the name, or there are none at all.
  public func extendedAttribute(_ name: [UInt8]) throws(Errno) -> [UInt8]? {
    let name = try checked(name)
    return try growing { (buffer: UnsafeMutablePointer<UInt8>?, size: Int) in
      name.withCPath { strata_get_xattr(rawValue, $0, buffer, size) }
    }
  }

  /// Asks for a size, then for the content, again if it grew in between. Nil if there is nothing of
  /// the kind: it went, or the file system has none.
  private func growing(
    _ call: (UnsafeMutablePointer<UInt8>?, Int) -> Int
  ) throws(Errno) -> [UInt8]? {
    while true {
      let size = call(nil, 0)
      if size == 0 { return [] }
      var count = size
      var buffer = [UInt8](repeating: 0, count: max(size, 0))
      if size > 0 { count = buffer.withUnsafeMutableBufferPointer { call($0.baseAddress, size) } }
      if count >= 0 { return Array(buffer.prefix(count)) }
      switch Errno(rawValue: Int32(-count)) {
      case .outOfRange: continue
      case .noData, .notSupported, .noSuchFileOrDirectory: return nil
      case let error: throw error
      }
    }
  }
}
