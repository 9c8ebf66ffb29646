/// What contents have in common.
extension FileContent {
  /// Whether both hold the very same block.
  func shares(_ block: UInt64, with other: FileContent) -> Bool {
    guard case .held(let mine) = source(of: block), case .held(let its) = other.source(of: block)
    else { return false }
    return mine.isSame(as: its)
  }

  /// Cuts blocks where an extent of this content or of another one begins or ends, so that each part
  /// is held as one in all of them.
  func parts(of blocks: Range<UInt64>, with others: [FileContent]) -> [Range<UInt64>] {
    guard !blocks.isEmpty else { return [] }
    var cuts: Set = [blocks.lowerBound, blocks.upperBound]
    for content in [self] + others {
      content.forEachExtent(in: blocks) { extent, _ in
        let part = extent.clamped(to: blocks)
        cuts.formUnion([part.lowerBound, part.upperBound])
      }
    }
    let places = cuts.sorted()
    return zip(places, places.dropFirst()).map { $0..<$1 }
  }
}
