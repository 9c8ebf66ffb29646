public import StrataEngine
internal import SystemPackage

/// The content of files that are no records.
extension DurableStore {
  public func read(
    layer: LayerID, node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(FileError) {
    try locked { () throws(FileError) in
      try files.read(.init(layer: layer, node: node), into: buffer, at: offset)
    }
  }

  public func write(
    _ bytes: UnsafeRawBufferPointer, layer: LayerID, node: NodeID, at offset: Int64
  ) throws(FileError) {
    try changing { () throws(FileError) in
      try files.write(bytes, to: .init(layer: layer, node: node), at: offset)
    }
  }

  public func writeOpen(
    _ bytes: UnsafeRawBufferPointer, layer: LayerID, node: NodeID, at offset: Int64, isShown: Bool,
    landing: Landing?
  ) throws(FileError) {
    let key = DataFiles.Key(layer: layer, node: node)
    try changing { () throws(FileError) in
      files.sumLater(key)
      do throws(FileError) {
        try files.write(bytes, to: key, at: offset, isBehind: !isShown, landing: landing)
      } catch {
        if isShown { throw error }
        let first = UInt64(offset) / UInt64(Block.size)
        try? files.punch(key, [first..<first + UInt64(bytes.count / Block.size)])
        throw error
      }
    }
  }

  /// Bytes that are taken at once, so that others may read meanwhile.
  private static let step: Int64 = 64 << 20

  public func copy(
    _ source: any BaseFile, _ range: Range<Int64>, layer: LayerID, node: NodeID
  ) throws(FileError) {
    let key = DataFiles.Key(layer: layer, node: node)
    func take(_ part: Range<Int64>, isShared: Bool) throws(FileError) -> Int64 {
      let result = source.withDescriptor { file in
        Result { () throws(FileError) in
          try changing { () throws(FileError) in
            try files.take(part, of: file, to: key, isShared: isShared)
          }
        }
      }
      return try result?.get() ?? 0
    }
    var start = range.lowerBound + (try take(range, isShared: true))
    while start < range.upperBound {
      let taken = try take(
        start..<min(start + Self.step, range.upperBound), isShared: false)
      guard taken > 0 else { break }
      start += taken
    }
    if start < range.upperBound { try copyThroughMemory(source, start..<range.upperBound, key) }
  }

  private func copyThroughMemory(
    _ source: any BaseFile, _ range: Range<Int64>, _ key: DataFiles.Key
  ) throws(FileError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    // The write that the copy is for replaces some of it.
    try changing { () throws(FileError) in files.sumLater(key) }
    // Sums are over whole blocks.
    var start = range.lowerBound / Int64(Block.size) * Int64(Block.size)
    while start < range.upperBound {
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer[..<Int(min(Int64(buffer.count), range.upperBound - start))])
      guard try source.read(into: part, at: start) == part.count else {
        throw FileError(.ioError, "the base's file is too short")
      }
      try locked { () throws(FileError) in
        try files.write(UnsafeRawBufferPointer(part), to: key, at: start)
      }
      start += Int64(part.count)
    }
  }

  public func truncate(layer: LayerID, node: NodeID, to size: Int64) throws(FileError) {
    try changing { () throws(FileError) in
      try files.truncate(.init(layer: layer, node: node), to: size)
    }
  }
}
