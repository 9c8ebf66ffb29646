/// Puts the contents of one file together from what two sides have made of it.
struct ContentMerge {
  let comparison: ContentComparison
  let ancestor: SizedContent
  let ours: SizedContent
  let theirs: SizedContent
  /// Larger files are not taken for text: they are merged by blocks only.
  static let textLimit: Int64 = 16 << 20

  enum Outcome {
    /// The blocks of theirs that come into ours, and the size of it all.
    case blocks([UInt64], size: Int64)
    case text([UInt8])
    /// Nil for what is no text.
    case conflict(LineMerge?)
  }

  /// A text is merged by its lines, everything else by blocks, which must be others on either side.
  func run() throws(FileError) -> Outcome {
    if let texts = try texts() {
      let merge = LineMerge(ancestor: texts.0, ours: texts.1, theirs: texts.2)
      return merge.merged.map { .text($0) } ?? .conflict(merge)
    }
    guard ours.size == ancestor.size || theirs.size == ancestor.size || ours.size == theirs.size
    else { return .conflict(nil) }
    let size = ours.size == ancestor.size ? theirs.size : ours.size
    let mine = Set(try comparison.differences(ancestor, ours))
    let its = try comparison.differences(ancestor, theirs)
    return mine.isDisjoint(with: its) ? .blocks(its, size: size) : .conflict(nil)
  }

  /// Nil unless all three are text: have no NUL.
  private func texts() throws(FileError) -> ([UInt8], [UInt8], [UInt8])? {
    var texts: [[UInt8]] = []
    for file in [ancestor, ours, theirs] {
      guard file.size <= Self.textLimit else { return nil }
      let bytes = try comparison.bytes(file)
      if bytes.contains(0) { return nil }
      texts.append(bytes)
    }
    return (texts[0], texts[1], texts[2])
  }
}

extension FileContent {
  /// Takes single blocks of another file's, shared and not copied, but for what is a base's there.
  mutating func share(
    _ blocks: [UInt64], of other: SizedContent, _ comparison: ContentComparison, owner: LayerID
  ) throws(FileError) {
    for block in blocks {
      switch other.content.source(of: block) {
      case .held(.page(let page)): set(block, to: page)
      case .held(.run(let run)): set(block..<block + 1, to: run)
      case .held(.stored(let stored)): set(block..<block + 1, to: stored)
      case .held(.zero): setZero(block..<block + 1)
      case .below:
        let page = Page(owner: owner, count: Block.size, filled: Block.size)
        let bytes = try comparison.bytes(block, other)
        bytes.withUnsafeBytes { page.write($0, at: 0) }
        set(block, to: page)
      }
    }
  }

  /// Makes the whole content these bytes; blocks that have them already stay as they are.
  mutating func rewrite(
    _ bytes: [UInt8], from former: SizedContent, _ comparison: ContentComparison, _ layer: Layer
  ) throws(FileError) {
    for start in stride(from: 0, to: bytes.count, by: Block.size) {
      let block = UInt64(start / Block.size)
      let piece = bytes[start..<min(start + Block.size, bytes.count)]
      let isThere = Int64(start) < former.size
      if isThere, try comparison.bytes(block, former).starts(with: piece) { continue }
      let page = Page(owner: layer.id, count: piece.count, filled: piece.count)
      piece.withUnsafeBytes { page.write($0, at: 0) }
      set(block, to: page)
    }
  }
}
