internal import Glibc
public import SystemPackage

extension ModelTree {
  public func read(_ id: Int, _ count: Int, at offset: Int) throws(Errno) -> [UInt8] {
    let node = try regular(id)
    guard offset >= 0, count >= 0 else { throw .invalidArgument }
    guard offset < node.content.count else { return [] }
    return Array(node.content[offset..<min(offset + count, node.content.count)])
  }

  /// - Parameter offset: nil appends.
  public mutating func write(_ id: Int, _ bytes: [UInt8], at offset: Int?) throws(Errno) {
    let size = try regular(id).content.count
    let start = offset ?? size
    guard start >= 0 else { throw .invalidArgument }
    guard !bytes.isEmpty else { return }
    modify(id) { content in
      content.grow(to: start + bytes.count)
      content.overwrite(bytes, at: start)
    }
  }

  public mutating func truncate(_ id: Int, to size: Int) throws(Errno) {
    _ = try regular(id)
    guard size >= 0 else { throw .invalidArgument }
    modify(id) { content in
      if size < content.count {
        content = content.firstBytes(size)
      } else {
        content.grow(to: size)
      }
    }
  }

  /// `fallocate`, with or without FALLOC_FL_KEEP_SIZE.
  public mutating func allocate(_ id: Int, _ range: Range<Int>, keepSize: Bool) throws(Errno) {
    try check(id, range)
    modify(id) { content in
      if !keepSize { content.grow(to: range.upperBound) }
    }
  }

  /// FALLOC_FL_PUNCH_HOLE, or FALLOC_FL_ZERO_RANGE where the size may grow.
  public mutating func clear(_ id: Int, _ range: Range<Int>, keepSize: Bool) throws(Errno) {
    try check(id, range)
    modify(id) { content in
      if !keepSize { content.grow(to: range.upperBound) }
      let end = min(range.upperBound, content.count)
      if range.lowerBound < end { content.clear(range.lowerBound..<end) }
    }
  }

  private func check(_ id: Int, _ range: Range<Int>) throws(Errno) {
    _ = try regular(id)
    guard range.lowerBound >= 0, !range.isEmpty else { throw .invalidArgument }
  }

  private func regular(_ id: Int) throws(Errno) -> ModelNode {
    let node = try node(id)
    guard node.kind != .directory else { throw .isDirectory }
    guard node.kind == .regular else { throw .invalidArgument }
    return node
  }

  private mutating func modify(_ id: Int, _ body: (inout [UInt8]) -> Void) {
    guard var node = nodes.removeValue(forKey: id) else { return }
    body(&node.content)
    changes += 1
    node.contentVersion += 1
    node.modified = now
    node.changed = now
    nodes[id] = node
  }
}

/// With memcpy and memset: the generic ones take a hundred times as long in a debug build.
extension [UInt8] {
  mutating func grow(to size: Int) {
    guard size > count else { return }
    let old = self
    self = Array(unsafeUninitializedCapacity: size) { buffer, initialized in
      guard let base = buffer.baseAddress else { return }
      old.withUnsafeBytes { source in
        if let start = source.baseAddress { memcpy(base, start, source.count) }
      }
      memset(base + old.count, 0, size - old.count)
      initialized = size
    }
  }

  func firstBytes(_ size: Int) -> [UInt8] {
    Array(unsafeUninitializedCapacity: size) { buffer, initialized in
      withUnsafeBytes { source in
        if let base = buffer.baseAddress, let start = source.baseAddress {
          memcpy(base, start, size)
        }
      }
      initialized = size
    }
  }

  mutating func overwrite(_ bytes: [UInt8], at offset: Int) {
    withUnsafeMutableBytes { buffer in
      bytes.withUnsafeBytes { source in
        if let base = buffer.baseAddress, let start = source.baseAddress {
          memcpy(base + offset, start, source.count)
        }
      }
    }
  }

  mutating func clear(_ range: Range<Int>) {
    withUnsafeMutableBytes { buffer in
      if let base = buffer.baseAddress { memset(base + range.lowerBound, 0, range.count) }
    }
  }
}
