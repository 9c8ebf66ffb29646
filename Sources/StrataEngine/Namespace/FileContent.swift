/// The content of a file: a map from block ranges to what owns them, over what lies below.
///
/// ```
/// block        0      1      2      3      4 …
/// extents             [page] [zero ——]
/// below        ██████████████████████▌          (shows up to `below.limit`)
/// reads as     base   page   zeros         zeros up to the file's size
/// ```
struct FileContent: Sendable {
  private(set) var extents: PersistentMap<UInt64, Extent>
  /// The base's file that shows where no extent is; nil once the top owns everything.
  var below: Below? {
    didSet { if below?.limit != oldValue?.limit { recount() } }
  }
  /// Blocks that extents hold, zeros apart; and blocks of what lies below that extents hide.
  private var held: Int64 = 0
  private var hidden: Int64 = 0
  /// The layer that took the file as a whole, by making it or by copy-up; nil while it is a base's.
  var owner: Layer?

  init(extents: PersistentMap<UInt64, Extent> = .init(), below: Below?, owner: Layer?) {
    (self.extents, self.below, self.owner) = (extents, below, owner)
    if !extents.isEmpty { recount() }
  }

  /// Blocks from the extent's key up to `end`, and what holds them.
  struct Extent: Sendable {
    var end: UInt64
    var holding: Holding

    /// Lends what holds the blocks for a change in its place, if the layer owns it and nothing else
    /// refers to it: the one rule.
    /// - Returns: what the change says; false, having called nothing, where a write must go to new
    ///   blocks.
    @discardableResult
    mutating func changeInPlace(_ owner: LayerID, _ change: (Holding) -> Bool) -> Bool {
      guard holding.owner == owner else { return false }
      // The map must not refer to the memory meanwhile: it would be a second reference.
      switch holding {
      case .page(var page):
        holding = .zero
        defer { holding = .page(page) }
        return isKnownUniquelyReferenced(&page) && change(.page(page))
      case .run(var run):
        holding = .zero
        defer { holding = .run(run) }
        return isKnownUniquelyReferenced(&run) && change(.run(run))
      case .zero, .stored: return false
      }
    }
  }

  enum Holding: Sendable {
    /// Zeros that hide what lies below.
    case zero
    /// One block in memory.
    case page(Page)
    /// Blocks of a large write in memory.
    case run(PageRun)
    /// A run of blocks that the workspace's store holds.
    case stored(StoredBlocks)

    /// The layer that owns the blocks; nil for zeros.
    var owner: LayerID? {
      switch self {
      case .zero: nil
      case .page(let page): page.owner
      case .run(let run): run.owner
      case .stored(let blocks): blocks.owner
      }
    }

    var isZero: Bool { if case .zero = self { true } else { false } }

    /// Whether both are the very same blocks, not only equal ones.
    func isSame(as other: Holding) -> Bool {
      switch (self, other) {
      case (.zero, .zero): true
      case (.page(let a), .page(let b)): a === b
      case (.run(let a), .run(let b)): a === b
      case (.stored(let a), .stored(let b)): a.isSame(as: b)
      default: false
      }
    }
  }

  /// What a block is made of.
  enum Source {
    case held(Holding)
    case below(Below)
  }

  static func block(of offset: Int64) -> UInt64 { UInt64(offset) / UInt64(Block.size) }
  /// The number of the first block behind `offset`.
  static func blocks(upTo offset: Int64) -> UInt64 {
    (UInt64(offset) + UInt64(Block.size) - 1) / UInt64(Block.size)
  }

  func source(of block: UInt64) -> Source {
    if let (_, extent) = extents.floor(block), block < extent.end { return .held(extent.holding) }
    guard let below, Int64(block) * Int64(Block.size) < below.limit else { return .held(.zero) }
    return .below(below)
  }

  /// Visits the extents that touch the blocks, in order.
  func forEachExtent(
    in blocks: Range<UInt64>, _ body: (Range<UInt64>, Holding) -> Void
  ) {
    guard !blocks.isEmpty else { return }
    let first = extents.floor(blocks.lowerBound).map { $0.key } ?? blocks.lowerBound
    extents.forEach(from: first) { start, extent in
      guard start < blocks.upperBound else { return false }
      if extent.end > blocks.lowerBound { body(start..<extent.end, extent.holding) }
      return true
    }
  }

  /// Makes one block a page.
  mutating func set(_ block: UInt64, to page: Page) {
    carve(block..<block + 1)
    put(block, Extent(end: block + 1, holding: .page(page)))
  }

  /// Makes blocks a part of a run.
  mutating func set(_ blocks: Range<UInt64>, to run: PageRun) {
    carve(blocks)
    put(blocks.lowerBound, Extent(end: blocks.upperBound, holding: .run(run)))
  }

  /// Makes a run of blocks what a store holds.
  mutating func set(_ blocks: Range<UInt64>, to stored: StoredBlocks) {
    carve(blocks)
    put(blocks.lowerBound, Extent(end: blocks.upperBound, holding: .stored(stored)))
  }

  /// The same, as one extent with what stands next to it in the same file.
  mutating func join(_ blocks: Range<UInt64>, to stored: StoredBlocks) {
    var blocks = blocks
    if stored.record == 0 {
      func isSame(_ extent: Extent) -> Bool {
        if case .stored(let other) = extent.holding { other.isSame(as: stored) } else { false }
      }
      if blocks.lowerBound > 0, let (start, extent) = extents.floor(blocks.lowerBound - 1),
        extent.end == blocks.lowerBound, isSame(extent)
      {
        blocks = start..<blocks.upperBound
      }
      if let next = extents[blocks.upperBound], isSame(next) {
        blocks = blocks.lowerBound..<next.end
      }
    }
    set(blocks, to: stored)
  }

  /// Makes a range of blocks read as zeros, also over what lies below.
  mutating func setZero(_ blocks: Range<UInt64>) {
    guard !blocks.isEmpty else { return }
    carve(blocks)
    if let below {
      let end = min(blocks.upperBound, Self.blocks(upTo: below.limit))
      if blocks.lowerBound < end {
        put(blocks.lowerBound, Extent(end: end, holding: .zero))
      }
    }
  }

  /// Writes bytes from an offset in a block on in their place, where that may be and one extent holds
  /// all of it. Returns false, having done nothing, where they must go to new blocks.
  mutating func writeInPlace(
    _ piece: UnsafeRawBufferPointer, in block: UInt64, at offset: Int, _ owner: LayerID
  ) -> Bool {
    guard let start = extents.floor(block)?.key else { return false }
    let end = block + UInt64((offset + piece.count + Block.size - 1) / Block.size)
    return extents.update(start) { extent in
      guard end <= extent.end else { return false }
      return extent.changeInPlace(owner) { holding in
        switch holding {
        case .page(let page):
          guard page.capacity >= offset + piece.count else { return false }
          page.write(piece, at: offset)
        case .run(let run): run.write(piece, at: Int64(block) * Int64(Block.size) + Int64(offset))
        case .zero, .stored: return false
        }
        return true
      }
    } ?? false
  }

  /// Has more written to the run of an extent, where it may be changed in its place.
  /// - Parameter write: says up to which block the run holds the file then; nil for no further. No
  ///   other extent may begin before.
  mutating func extendRun(
    _ start: UInt64, _ owner: LayerID, _ write: (PageRun) -> UInt64?
  ) -> UInt64? {
    var end: UInt64?
    _ = extents.update(start) { extent in
      extent.changeInPlace(owner) { holding in
        if case .run(let run) = holding { end = write(run) }
        return true
      }
    }
    if let end, let extent = extents[start] {
      put(start, Extent(end: end, holding: extent.holding))
    }
    return end
  }

  /// Forgets all content from `size` bytes on; what comes behind it later reads as zeros.
  mutating func cut(to size: Int64) {
    let end = Self.blocks(upTo: size)
    carve(end..<UInt64.max)
    if let below, below.limit > size {
      self.below = size == 0 ? nil : Below(node: below.node, stamp: below.stamp, limit: size)
    }
  }

  /// Removes what the extents say of these blocks.
  private mutating func carve(_ blocks: Range<UInt64>) {
    if let (start, extent) = extents.floor(blocks.lowerBound), start < blocks.lowerBound,
      extent.end > blocks.lowerBound
    {
      put(start, Extent(end: blocks.lowerBound, holding: extent.holding))
      if extent.end > blocks.upperBound { put(blocks.upperBound, extent) }
    }
    var covered: [(UInt64, Extent)] = []
    extents.forEach(from: blocks.lowerBound) { start, extent in
      guard start < blocks.upperBound else { return false }
      if start >= blocks.lowerBound { covered.append((start, extent)) }
      return true
    }
    for (start, extent) in covered {
      take(start)
      if extent.end > blocks.upperBound { put(blocks.upperBound, extent) }
    }
  }

  // MARK: Counting

  /// Blocks that what lies below would show.
  private var shown: UInt64 { below.map { Self.blocks(upTo: $0.limit) } ?? 0 }

  private mutating func recount() {
    (held, hidden) = (0, 0)
    let shown = shown
    var counts = (held: Int64(0), hidden: Int64(0))
    extents.forEach { start, extent in Self.count(start, extent, shown, 1, &counts) }
    (held, hidden) = counts
  }

  private static func count(
    _ start: UInt64, _ extent: Extent, _ shown: UInt64, _ sign: Int64,
    _ counts: inout (held: Int64, hidden: Int64)
  ) {
    if !extent.holding.isZero { counts.held += sign * Int64(extent.end - start) }
    counts.hidden += sign * (Int64(min(extent.end, shown)) - Int64(min(start, shown)))
  }

  /// Puts an extent where there is none, or in the place of the one that begins there.
  private mutating func put(_ start: UInt64, _ extent: Extent) {
    var counts = (held: held, hidden: hidden)
    if let old = extents[start] { Self.count(start, old, shown, -1, &counts) }
    Self.count(start, extent, shown, 1, &counts)
    (held, hidden) = counts
    extents.insert(start, extent)
  }

  private mutating func take(_ start: UInt64) {
    guard let old = extents[start] else { return }
    var counts = (held: held, hidden: hidden)
    Self.count(start, old, shown, -1, &counts)
    (held, hidden) = counts
    extents.remove(start)
  }

  /// In units of 512 bytes: own blocks, and what the base has allocated of what still shows.
  func allocatedBlocks(size: Int64) -> Int64 {
    let own = min(held, Int64(clamping: Self.blocks(upTo: size)))
    guard let below else { return own * 8 }
    let shows = Int64(clamping: Self.blocks(upTo: min(below.limit, size)))
    return own * 8 + min(below.node.lastStatus.blocks, max(shows - hidden, 0) * 8)
  }
}
