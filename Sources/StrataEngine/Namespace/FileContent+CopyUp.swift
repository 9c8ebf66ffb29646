/// Taking a file as a whole to a layer.
extension FileContent {
  /// Takes the whole content, up to `size` bytes, to the layer; holes stay holes.
  mutating func copyUp(size: Int64, _ context: inout WriteContext) throws(FileError) {
    var copy = FileContent(below: nil, owner: context.layer)
    try extents.forEach { block, extent throws(FileError) in
      let start = Int64(block) * Int64(Block.size)
      guard start < size, let owner = extent.holding.owner else { return }
      let end = min(extent.end, Self.blocks(upTo: size))
      let isBelow = owner <= context.sealedThrough
      switch extent.holding {
      case .zero: return
      case .page(let page):
        copy.set(block, to: isBelow ? page.copy(owner: context.layer.id, count: 0) : page)
      case .run(let run) where isBelow: copy.putRuns(run, block..<end, context.layer.id)
      case .run(let run): copy.set(block..<end, to: run)
      case .stored(let stored) where isBelow:
        for block in block..<end {
          let start = Int64(block) * Int64(Block.size)
          let page = Page(owner: context.layer.id, count: Block.size)
          try stored.read(into: page.buffer(Int(min(size - start, Int64(Block.size)))), at: start)
          copy.set(block, to: page)
        }
      case .stored(let stored): copy.set(block..<end, to: stored)
      }
      guard isBelow else { return }
      let bytes = min(size, Int64(end) * Int64(Block.size)) - start
      context.taken += bytes
      context.copied += bytes
    }
    if let below { try copyBelow(below, size: size, to: &copy, &context) }
    if context.hasStored, let (store, file) = context.store {
      try store.truncate(layer: file.layer, node: file.node, to: size)
    }
    self = copy
  }

  private func copyBelow(
    _ below: Below, size: Int64, to copy: inout FileContent, _ context: inout WriteContext
  ) throws(FileError) {
    let limit = min(below.limit, size)
    let isStored = context.store != nil && limit >= Self.storedWhole
    var position: Int64 = 0
    while position < limit, let data = try context.reader.data(of: below, after: position),
      data.lowerBound < limit
    {
      let end = min(data.upperBound, limit)
      var start = max(data.lowerBound, position) / Int64(Block.size) * Int64(Block.size)
      if isStored {
        let until = min(Int64(Self.blocks(upTo: end)) * Int64(Block.size), limit)
        try storeRange(start..<until, of: below, to: &copy, &context)
        start = until
      }
      while start < end {
        let next = min(start + Int64(Self.chunk), limit)
        try copyChunk(start..<next, of: below, to: &copy, &context)
        start += Int64(Self.chunk)
      }
      position = max(data.upperBound, position + 1)
    }
  }

  /// Bytes that a copy-up reads at once.
  private static let chunk = 1 << 20
  /// From so many bytes on, a store takes content without it passing through pages in memory.
  private static let storedWhole: Int64 = 128 << 10

  /// Has the store take what still shows of the base in a range that begins with a block.
  private func storeRange(
    _ range: Range<Int64>, of below: Below, to copy: inout FileContent,
    _ context: inout WriteContext
  ) throws(FileError) {
    guard let (store, file) = context.store else { return }
    for gap in gaps(in: range) {
      let start = Int64(gap.lowerBound) * Int64(Block.size)
      let bytes = start..<min(Int64(gap.upperBound) * Int64(Block.size), range.upperBound)
      try context.reader.copy(below, bytes, to: store, file)
      copy.join(gap, to: StoredBlocks(owner: file.layer, node: file.node, in: store))
      context.taken += Int64(bytes.count)
      context.copied += Int64(bytes.count)
      context.hasStored = true
    }
  }

  private func copyChunk(
    _ range: Range<Int64>, of below: Below, to copy: inout FileContent,
    _ context: inout WriteContext
  ) throws(FileError) {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: range.count, alignment: 16)
    defer { bytes.deallocate() }
    try context.reader.read(below, into: bytes, at: range.lowerBound)
    let owner = context.layer.id
    for gap in gaps(in: range) {
      let start = Int(Int64(gap.lowerBound) * Int64(Block.size) - range.lowerBound)
      let shown = bytes[start..<min(start + gap.count * Block.size, bytes.count)]
      var next = gap.lowerBound
      if context.store == nil {
        let whole = Self.wholeBlocks(at: range.lowerBound + Int64(start), count: shown.count)
        copy.putRuns(UnsafeRawBufferPointer(rebasing: shown), at: whole, owner)
        next += UInt64(whole.count)
      }
      for block in next..<gap.upperBound {
        let piece = shown.dropFirst(Int(block - gap.lowerBound) * Block.size).prefix(Block.size)
        let page = Page(owner: owner, count: piece.count, filled: piece.count)
        page.write(UnsafeRawBufferPointer(rebasing: piece), at: 0)
        copy.set(block, to: page)
      }
      context.taken += Int64(shown.count)
      context.copied += Int64(shown.count)
    }
  }

  /// The blocks that a range of bytes touches and no extent holds.
  private func gaps(in range: Range<Int64>) -> [Range<UInt64>] {
    var gaps: [Range<UInt64>] = []
    var next = Self.block(of: range.lowerBound)
    let end = Self.blocks(upTo: range.upperBound)
    forEachExtent(in: next..<end) { blocks, _ in
      if next < blocks.lowerBound { gaps.append(next..<blocks.lowerBound) }
      next = max(next, blocks.upperBound)
    }
    if next < end { gaps.append(next..<end) }
    return gaps
  }
}
