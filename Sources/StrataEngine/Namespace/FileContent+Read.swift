extension FileContent {
  /// Fills a buffer that lies within the file's size.
  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int64, _ reader: BelowReader
  ) throws(FileError) {
    let end = offset + Int64(buffer.count)
    var extents: [(Range<UInt64>, Holding)] = []
    forEachExtent(in: Self.block(of: offset)..<Self.blocks(upTo: end)) { extents.append(($0, $1)) }
    var position = offset
    func part(_ until: Int64) -> UnsafeMutableRawBufferPointer {
      UnsafeMutableRawBufferPointer(
        rebasing: buffer[Int(position - offset)..<Int(until - offset)])
    }
    for (blocks, holding) in extents {
      let start = max(Int64(blocks.lowerBound) * Int64(Block.size), offset)
      let until = min(Int64(clamping: blocks.upperBound) * Int64(Block.size), end)
      if position < start {
        try readBelow(into: part(start), at: position, reader)
        position = start
      }
      switch holding {
      case .page(let page):
        page.read(into: part(until), from: Int(position % Int64(Block.size)))
      case .run(let run): run.read(into: part(until), at: position)
      case .stored(let stored): try stored.read(into: part(until), at: position)
      case .zero: part(until).initializeMemory(as: UInt8.self, repeating: 0)
      }
      position = until
    }
    if position < end { try readBelow(into: part(end), at: position, reader) }
  }

  /// What no extent covers: the base up to its limit, then zeros.
  private func readBelow(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int64, _ reader: BelowReader
  ) throws(FileError) {
    var shown = 0
    if let below { shown = Int(min(max(below.limit - offset, 0), Int64(buffer.count))) }
    if let below, shown > 0 {
      try reader.read(
        below, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<shown]), at: offset)
    }
    if shown < buffer.count {
      UnsafeMutableRawBufferPointer(rebasing: buffer[shown...])
        .initializeMemory(as: UInt8.self, repeating: 0)
    }
  }

  /// The first range of data that ends behind `offset`; nil when only a hole follows.
  func data(
    after offset: Int64, size: Int64, _ reader: BelowReader
  ) throws(FileError) -> Range<Int64>? {
    var position = offset
    var found: Range<Int64>?
    while position < size {
      guard let piece = try piece(at: position, size: size, reader) else { return found }
      if let range = found {
        guard piece.lowerBound == range.upperBound else { return range }
        found = range.lowerBound..<piece.upperBound
      } else {
        found = piece
      }
      position = piece.upperBound
    }
    return found
  }

  /// The next stretch of data from one source.
  private func piece(
    at offset: Int64, size: Int64, _ reader: BelowReader
  ) throws(FileError) -> Range<Int64>? {
    let unit = Int64(Block.size)
    var position = offset
    while position < size {
      let block = Self.block(of: position)
      if let (_, extent) = extents.floor(block), block < extent.end {
        let end = min(Int64(clamping: extent.end) * unit, size)
        if !extent.holding.isZero { return position..<end }
        position = end
        continue
      }
      var gap = size
      extents.forEach(from: block) { start, _ in
        gap = min(Int64(start) * unit, size)
        return false
      }
      if let below, position < below.limit {
        let limit = min(gap, below.limit)
        if let data = try reader.data(of: below, after: position), data.lowerBound < limit {
          return max(position, data.lowerBound)..<min(data.upperBound, limit)
        }
      }
      position = gap
    }
    return nil
  }
}
