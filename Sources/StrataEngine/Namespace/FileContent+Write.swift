/// The layer that writes, how, and what that came to.
struct WriteContext {
  let layer: Layer
  /// What was sealed by a fork, see ``Namespace/sealedThrough``.
  let sealedThrough: LayerID
  let reader: BelowReader
  /// Where large files and large writes are taken to as they are; nil to take all through memory.
  var store: (store: any WorkspaceStore, file: DataFileID)?
  /// Whether the store has taken something from below. The layer must be closed then: nobody but the
  /// host knows what it is.
  var hasStored = false
  /// Whether large writes go to the store at once. Not while it cannot take them: what stays in memory
  /// can be given up as a whole.
  var storesAtOnce = false
  /// Bytes from below that the layer has come to own.
  var taken: Int64 = 0
  /// Bytes that were copied from below.
  var copied: Int64 = 0
  /// Where the bytes of a write have landed; nil where they are to be copied.
  var landing: Landing?
}

extension FileContent {
  /// Writes bytes, taking only the blocks they touch (in units of `unit` bytes) from below.
  /// Changes nothing when it throws.
  mutating func write(
    _ data: UnsafeRawBufferPointer, at offset: Int64, size: Int64, unit: Int,
    _ context: inout WriteContext
  ) throws(FileError) {
    let end = offset + Int64(data.count)
    let blocks = Self.block(of: offset)..<Self.blocks(upTo: end)
    let edges = try fetchStored(at: offset..<end, size: size, &context)
    var fetched = try fetch(around: offset..<end, size: size, unit: unit, &context)
    var whole = try storeWhole(data, at: offset, size: size, &context)
    for (block, page) in fetched { set(block, to: page) }
    // Nothing else may refer to a page that is written to in its place.
    fetched = []
    if whole.isEmpty { whole = keepWhole(data, at: offset, size: size, &context) }
    for (block, page) in edges { set(block, to: page) }
    for block in blocks where !whole.contains(block) {
      let start = Int64(block) * Int64(Block.size)
      let target = max(offset, start)..<min(end, start + Int64(Block.size))
      let piece = UnsafeRawBufferPointer(
        rebasing: data[Int(target.lowerBound - offset)..<Int(target.upperBound - offset)])
      let held = min(max(size - start, 0), Int64(Block.size))
      put(piece, in: block, at: Int(target.lowerBound - start), held: held, &context)
    }
  }

  /// Has the store take the whole blocks of a large write: pages in memory would cost more than
  /// writing them at once. Blocks of the top layer may be written over by that; nobody has them but
  /// who is writing, since every value that is kept closes its layer.
  /// - Returns: which blocks those are; none where there is no store, or it cannot take them.
  /// - Throws: ENOSPC and EDQUOT. In memory there would be room, but what comes of that could not be
  ///   saved.
  private mutating func storeWhole(
    _ data: UnsafeRawBufferPointer, at offset: Int64, size: Int64, _ context: inout WriteContext
  ) throws(FileError) -> Range<UInt64> {
    let blocks = Self.wholeBlocks(at: offset, count: data.count)
    let first = blocks.lowerBound
    guard context.storesAtOnce, !blocks.isEmpty, let (store, file) = context.store else {
      return first..<first
    }
    // What takes room comes first: where there is none, blocks that the file shows stay as they are.
    for (part, isShown) in parts(of: blocks, in: file).sorted(by: { !$0.isShown && $1.isShown }) {
      let start = Int64(part.lowerBound) * Int64(Block.size)
      let bytes = data[Int(start - offset)..<Int(start - offset) + part.count * Block.size]
      do throws(FileError) {
        try store.writeOpen(
          UnsafeRawBufferPointer(rebasing: bytes), layer: file.layer, node: file.node, at: start,
          isShown: isShown, landing: context.landing)
      } catch {
        if error.isLackOfRoom { throw error }
        context.storesAtOnce = false
        return first..<first
      }
    }
    context.taken += bytesFromBelow(in: blocks, size: size, context)
    join(blocks, to: StoredBlocks(owner: file.layer, node: file.node, in: store))
    return blocks
  }

  /// Some blocks, by whether it is a file of the store that shows what they are now.
  private func parts(
    of blocks: Range<UInt64>, in file: DataFileID
  ) -> [(blocks: Range<UInt64>, isShown: Bool)] {
    var parts: [(blocks: Range<UInt64>, isShown: Bool)] = []
    var next = blocks.lowerBound
    forEachExtent(in: blocks) { extent, holding in
      guard case .stored(let stored) = holding, stored.record == 0, stored.node == file.node,
        stored.owner == file.layer
      else { return }
      let part = extent.clamped(to: blocks)
      if next < part.lowerBound { parts.append((next..<part.lowerBound, false)) }
      parts.append((part, true))
      next = part.upperBound
    }
    if next < blocks.upperBound { parts.append((next..<blocks.upperBound, false)) }
    return parts
  }

  /// From so many bytes on, whole blocks are written to the store at once.
  private static let storedAtOnce = 64 << 10

  /// The blocks of a write that a store takes at once: none of a small one.
  static func wholeBlocks(at offset: Int64, count: Int) -> Range<UInt64> {
    let first = blocks(upTo: offset)
    let blocks = first..<max(block(of: offset + Int64(count)), first)
    return blocks.count >= storedAtOnce / Block.size ? blocks : first..<first
  }

  /// Bytes in these blocks that a layer which is to have them takes from below.
  func bytesFromBelow(
    in blocks: Range<UInt64>, size: Int64, _ context: WriteContext
  ) -> Int64 {
    func bytes(_ blocks: Range<UInt64>, of size: Int64) -> Int64 {
      let (start, end) = (Int64(blocks.lowerBound), Int64(blocks.upperBound))
      return max(0, min(end * Int64(Block.size), size) - start * Int64(Block.size))
    }
    let shown = below?.limit ?? 0
    var sum: Int64 = 0
    var next = blocks.lowerBound
    forEachExtent(in: blocks) { extent, holding in
      let part = extent.clamped(to: blocks)
      if next < part.lowerBound { sum += bytes(next..<part.lowerBound, of: shown) }
      if let owner = holding.owner, owner <= context.sealedThrough { sum += bytes(part, of: size) }
      next = part.upperBound
    }
    return next < blocks.upperBound ? sum + bytes(next..<blocks.upperBound, of: shown) : sum
  }

  /// - Parameter held: bytes that the block had of the file before.
  private mutating func put(
    _ piece: UnsafeRawBufferPointer, in block: UInt64, at offset: Int, held: Int64,
    _ context: inout WriteContext
  ) {
    let end = offset + piece.count
    let layer = context.layer.id
    if writeInPlace(piece, in: block, at: offset, layer) { return }
    let page: Page
    switch source(of: block) {
    case .held(.page(let old)):
      let isWhole = offset == 0 && end >= old.capacity
      page =
        isWhole
        ? Page(owner: layer, count: end, filled: end) : old.copy(owner: layer, count: end)
      if old.owner <= context.sealedThrough { context.taken += held }
      if !isWhole { context.copied += Int64(old.capacity) }
    case .held(.run(let old)):
      let isWhole = piece.count == Block.size
      page =
        isWhole ? Page(owner: layer, count: end, filled: end) : old.page(block, owner: layer)
      if old.owner <= context.sealedThrough { context.taken += held }
      if !isWhole { context.copied += Int64(Block.size) }
    case .held(.stored(let old)):
      page = Page(owner: layer, count: end, filled: offset == 0 ? end : 0)
      if old.owner <= context.sealedThrough { context.taken += held }
    case .held(.zero):
      page = Page(owner: layer, count: end, filled: offset == 0 ? end : 0)
    case .below(let below):
      page = Page(owner: layer, count: end, filled: offset == 0 ? end : 0)
      context.taken += min(below.limit - Int64(block) * Int64(Block.size), Int64(Block.size))
    }
    page.write(piece, at: offset)
    set(block, to: page)
  }

  /// Reads the base's blocks that the write takes but does not fill: at most the unit's remainder
  /// on either side.
  private func fetch(
    around range: Range<Int64>, size: Int64, unit: Int, _ context: inout WriteContext
  ) throws(FileError) -> [(UInt64, Page)] {
    guard let below else { return [] }
    let units = Int64(max(unit, Block.size))
    let start = range.lowerBound / units * units
    let end = min((range.upperBound + units - 1) / units * units, below.limit)
    guard start < end else { return [] }
    var pages: [(UInt64, Page)] = []
    for block in Self.block(of: start)..<Self.blocks(upTo: end) {
      let first = Int64(block) * Int64(Block.size)
      let shown = min(first + Int64(Block.size), below.limit)
      let isFilled = range.lowerBound <= first && range.upperBound >= shown
      guard !isFilled, case .below = source(of: block) else { continue }
      let page = Page(owner: context.layer.id, count: Int(shown - first))
      try context.reader.read(below, into: page.buffer(Int(shown - first)), at: first)
      context.taken += shown - first
      context.copied += shown - first
      pages.append((block, page))
    }
    return pages
  }

  /// Reads the blocks at either end of the write that a store holds and the write does not fill.
  private func fetchStored(
    at range: Range<Int64>, size: Int64, _ context: inout WriteContext
  ) throws(FileError) -> [(UInt64, Page)] {
    var pages: [(UInt64, Page)] = []
    for block in Set([Self.block(of: range.lowerBound), Self.block(of: range.upperBound - 1)]) {
      let start = Int64(block) * Int64(Block.size)
      let held = Int(min(max(size - start, 0), Int64(Block.size)))
      let isFilled = range.lowerBound <= start && range.upperBound >= start + Int64(held)
      guard !isFilled, case .held(.stored(let stored)) = source(of: block) else { continue }
      let page = Page(owner: context.layer.id, count: Block.size)
      try stored.read(into: page.buffer(held), at: start)
      if stored.owner <= context.sealedThrough { context.taken += Int64(held) }
      context.copied += Int64(held)
      pages.append((block, page))
    }
    return pages
  }

  /// Makes a range read as zeros without touching the file's size.
  mutating func zero(
    _ range: Range<Int64>, size: Int64, _ context: inout WriteContext
  ) throws(FileError) {
    let range = range.clamped(to: 0..<max(size, 0))
    guard !range.isEmpty else { return }
    let block = Int64(Block.size)
    let whole =
      Self.blocks(
        upTo: range.lowerBound)..<max(
        Self.block(of: range.upperBound), Self.blocks(upTo: range.lowerBound))
    let inner = Int64(whole.lowerBound) * block..<Int64(whole.upperBound) * block
    let edges =
      inner.isEmpty && Self.block(of: range.lowerBound) == Self.block(of: range.upperBound - 1)
      ? [range] : [range.lowerBound..<inner.lowerBound, inner.upperBound..<range.upperBound]
    for edge in edges where !edge.isEmpty {
      let zeros = [UInt8](repeating: 0, count: edge.count)
      try zeros.withBytes { bytes throws(FileError) in
        try write(bytes, at: edge.lowerBound, size: size, unit: Block.size, &context)
      }
    }
    setZero(whole)
  }

  /// Cuts to a smaller size, zeroing the rest of the last block.
  mutating func shrink(to size: Int64, _ context: inout WriteContext) throws(FileError) {
    let used = Int(size % Int64(Block.size))
    let last = Self.block(of: size)
    var edge: Page?
    if used > 0, case .held(let holding) = source(of: last) {
      switch holding {
      case .page(let page) where page.capacity > used:
        let copy = page.copy(owner: context.layer.id, count: used)
        copy.zero(used..<copy.capacity)
        edge = copy
      case .run(let run):
        let copy = Page(owner: context.layer.id, count: used)
        run.read(into: copy.buffer(used), at: Int64(last) * Int64(Block.size))
        edge = copy
      case .stored(let stored):
        let copy = Page(owner: context.layer.id, count: used)
        try stored.read(into: copy.buffer(used), at: Int64(last) * Int64(Block.size))
        edge = copy
      default: break
      }
    }
    cut(to: size)
    if let edge { set(last, to: edge) }
    trimLast(context.layer.id)
  }
}

extension Page {
  func buffer(_ count: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: bytes, count: count)
  }
}
