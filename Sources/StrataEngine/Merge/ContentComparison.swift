/// The content of a file and its size, as one value has it.
struct SizedContent {
  var content: FileContent
  var size: Int64

  /// A file without content.
  static let empty = SizedContent(FileContent(below: nil, owner: nil), 0)

  private init(_ content: FileContent, _ size: Int64) {
    (self.content, self.size) = (content, size)
  }

  init?(_ node: Node) {
    guard case .file(let content) = node.body else { return nil }
    (self.content, size) = (content, node.size)
  }
}

/// Finds the blocks in which two files differ. What they share is not read.
struct ContentComparison {
  let reader: BelowReader

  init(_ value: Namespace) { reader = BelowReader(value.context.bases) }

  /// Whether both read the same from the first byte to the last.
  func isEqual(_ a: SizedContent, _ b: SizedContent) throws(FileError) -> Bool {
    guard a.size == b.size else { return false }
    return try differences(a, b, limit: 1).isEmpty
  }

  /// The numbers of the blocks that differ, what is behind a file's end counting as zeros.
  func differences(
    _ a: SizedContent, _ b: SizedContent, limit: Int = .max
  ) throws(FileError) -> [UInt64] {
    var found: [UInt64] = []
    for range in try candidates(a, b) {
      for block in range {
        guard found.count < limit else { return found }
        if isShared(block, a, b) { continue }
        if try bytes(block, a) != bytes(block, b) { found.append(block) }
      }
    }
    return found
  }

  private func isShared(_ block: UInt64, _ a: SizedContent, _ b: SizedContent) -> Bool {
    let start = Int64(block) * Int64(Block.size)
    guard min(a.size - start, Int64(Block.size)) == min(b.size - start, Int64(Block.size)) else {
      return false
    }
    switch (a.content.source(of: block), b.content.source(of: block)) {
    case (.held(let left), .held(let right)): return left.isSame(as: right)
    case (.below(let left), .below(let right)):
      return left.node.id == right.node.id && left.stamp == right.stamp && left.limit == right.limit
    default: return false
    }
  }

  /// Ranges of blocks outside of which both are the same, in order.
  private func candidates(
    _ a: SizedContent, _ b: SizedContent
  ) throws(FileError) -> [Range<UInt64>] {
    let end = FileContent.blocks(upTo: max(a.size, b.size))
    var ranges: [Range<UInt64>] = []
    if isBelowSame(a.content, b.content) {
      b.content.extents.difference(from: a.content.extents) { block, before, after in
        if let before, let after, before.end == after.end, before.holding.isSame(as: after.holding)
        {
          return
        }
        ranges.append(block..<max(before?.end ?? 0, after?.end ?? 0, block + 1))
      }
      if a.size != b.size {
        ranges += try data(a, from: min(a.size, b.size)) + data(b, from: min(a.size, b.size))
      }
    } else {
      ranges = try data(a, from: 0) + data(b, from: 0)
    }
    return Self.joined(ranges.map { $0.clamped(to: 0..<end) })
  }

  private func isBelowSame(_ a: FileContent, _ b: FileContent) -> Bool {
    guard let left = a.below, let right = b.below else { return a.below == nil && b.below == nil }
    return left.node.id == right.node.id && left.stamp == right.stamp && left.limit == right.limit
  }

  private func data(_ file: SizedContent, from start: Int64) throws(FileError) -> [Range<UInt64>] {
    var ranges: [Range<UInt64>] = []
    var position = start / Int64(Block.size) * Int64(Block.size)
    while position < file.size,
      let range = try file.content.data(after: position, size: file.size, reader)
    {
      ranges.append(
        FileContent.block(of: range.lowerBound)..<FileContent.blocks(upTo: range.upperBound))
      position = max(range.upperBound, position + 1)
    }
    return ranges
  }

  private static func joined(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
    var result: [Range<UInt64>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
      if let last = result.last, range.lowerBound <= last.upperBound {
        result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }

  /// A whole block; zeros behind the file's end.
  func bytes(_ block: UInt64, _ file: SizedContent) throws(FileError) -> [UInt8] {
    let start = Int64(block) * Int64(Block.size)
    let held = Int(min(max(file.size - start, 0), Int64(Block.size)))
    return try bytes(of: file, from: start, count: held)
      + [UInt8](repeating: 0, count: Block.size - held)
  }

  func bytes(_ file: SizedContent) throws(FileError) -> [UInt8] {
    try bytes(of: file, from: 0, count: Int(file.size))
  }

  private func bytes(
    of file: SizedContent, from start: Int64, count: Int
  ) throws(FileError) -> [UInt8] {
    guard count > 0 else { return [] }
    var failure: FileError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(FileError) {
        try file.content.read(
          into: UnsafeMutableRawBufferPointer(
            rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]),
          at: start, reader)
        initialized = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }
}
