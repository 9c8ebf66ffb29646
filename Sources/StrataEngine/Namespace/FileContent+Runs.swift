/// What is written in large pieces to a workspace in memory is kept in as few.
extension FileContent {
  /// Keeps the whole blocks of a large write as runs.
  /// - Returns: which blocks those are; none of a small write, or where a store is to have them.
  mutating func keepWhole(
    _ data: UnsafeRawBufferPointer, at offset: Int64, size: Int64, _ context: inout WriteContext
  ) -> Range<UInt64> {
    let blocks = Self.wholeBlocks(at: offset, count: data.count)
    guard context.store == nil, !blocks.isEmpty else {
      return blocks.lowerBound..<blocks.lowerBound
    }
    context.taken += bytesFromBelow(in: blocks, size: size, context)
    let start = Int(Int64(blocks.lowerBound) * Int64(Block.size) - offset)
    let bytes = UnsafeRawBufferPointer(rebasing: data[start..<start + blocks.count * Block.size])
    putRuns(bytes, at: blocks, context.layer.id, landing: context.landing)
    return blocks
  }

  /// Makes a range of blocks what a run of another layer has there.
  mutating func putRuns(_ run: PageRun, _ blocks: Range<UInt64>, _ owner: LayerID) {
    run.withBytes(of: blocks) { putRuns($0, at: blocks, owner) }
  }

  /// Makes a range of blocks these bytes; if they are more than the blocks, their beginning.
  /// - Parameter landing: where they have landed.
  mutating func putRuns(
    _ data: UnsafeRawBufferPointer, at blocks: Range<UInt64>, _ owner: LayerID,
    landing: Landing? = nil
  ) {
    var next = blocks.lowerBound
    while next < blocks.upperBound {
      let done = Int(next - blocks.lowerBound) * Block.size
      let rest = UnsafeRawBufferPointer(rebasing: data[done..<(blocks.count * Block.size)])
      next =
        putInPlace(rest, at: next, owner) ?? putBehind(rest, at: next, owner)
        ?? putLanded(rest, at: next, owner, landing) ?? putNew(rest, at: next, owner)
    }
  }

  /// Changes a run that holds the block already.
  /// - Returns: up to where; nil if there is none, or none that may be changed.
  private mutating func putInPlace(
    _ data: UnsafeRawBufferPointer, at block: UInt64, _ owner: LayerID
  ) -> UInt64? {
    guard let end = extents.floor(block)?.value.end, block < end else { return nil }
    let count = min(data.count / Block.size, Int(clamping: end - block))
    let piece = UnsafeRawBufferPointer(rebasing: data[..<(count * Block.size)])
    guard writeInPlace(piece, in: block, at: 0, owner) else { return nil }
    return block + UInt64(count)
  }

  /// Goes on in the run that ends where the block begins, as far as there is room and nothing else is
  /// held.
  private mutating func putBehind(
    _ data: UnsafeRawBufferPointer, at block: UInt64, _ owner: LayerID
  ) -> UInt64? {
    guard let start = startOfExtent(endingAt: block) else { return nil }
    var limit = block + UInt64(data.count / Block.size)
    extents.forEach(from: block) { next, _ in
      limit = min(limit, next)
      return false
    }
    return extendRun(start, owner) { run in
      let end = min(run.end, limit)
      guard block < end else { return nil }
      let piece = UnsafeRawBufferPointer(rebasing: data[..<(Int(end - block) * Block.size)])
      run.write(piece, at: Int64(block) * Int64(Block.size))
      return end
    }
  }

  /// Takes the memory itself that the blocks have landed in.
  private mutating func putLanded(
    _ data: UnsafeRawBufferPointer, at block: UInt64, _ owner: LayerID, _ landing: Landing?
  ) -> UInt64? {
    guard let landing, let bytes = landing.take(for: data) else { return nil }
    let count = data.count / Block.size
    let run = PageRun(owner: owner, first: block, count: count, in: landing, at: bytes)
    set(block..<block + UInt64(count), to: run)
    return block + UInt64(count)
  }

  /// A file that is written from one end to the other gets the largest runs once it is large itself; what
  /// is written elsewhere gets what it takes.
  private mutating func putNew(
    _ data: UnsafeRawBufferPointer, at block: UInt64, _ owner: LayerID
  ) -> UInt64 {
    let count = min(data.count / Block.size, PageRun.largest)
    let room = goesOn(at: block, owner) ? PageRun.largest : count
    let run = PageRun(owner: owner, first: block, room: room)
    let piece = UnsafeRawBufferPointer(rebasing: data[..<(count * Block.size)])
    run.write(piece, at: Int64(block) * Int64(Block.size))
    set(block..<block + UInt64(count), to: run)
    return block + UInt64(count)
  }

  /// Whether a block is the next of a large file, behind a run that is full.
  private func goesOn(at block: UInt64, _ owner: LayerID) -> Bool {
    guard block >= UInt64(PageRun.largest), let start = startOfExtent(endingAt: block),
      case .run(let run)? = extents[start]?.holding, run.owner == owner, run.end == block
    else { return false }
    var isLast = true
    extents.forEach(from: block) { _, _ in
      isLast = false
      return false
    }
    return isLast
  }

  private func startOfExtent(endingAt block: UInt64) -> UInt64? {
    guard block > 0, let (start, extent) = extents.floor(block - 1) else { return nil }
    return extent.end == block ? start : nil
  }

  /// Lets go of a run of which only a smaller part is still shown, at the end of a file that was cut.
  mutating func trimLast(_ owner: LayerID) {
    guard let (start, extent) = extents.floor(.max), case .run(let run) = extent.holding,
      run.owner == owner, (extent.end - start) * 2 < UInt64(run.room)
    else { return }
    let blocks = start..<extent.end
    let copy = PageRun(owner: owner, first: start, room: blocks.count)
    run.withBytes(of: blocks) { copy.write($0, at: Int64(start) * Int64(Block.size)) }
    set(blocks, to: copy)
  }
}
