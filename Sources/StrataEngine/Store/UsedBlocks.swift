/// The blocks of a data file that something leads to.
struct UsedBlocks {
  /// Bytes that the file must have at the least.
  private(set) var size: Int64 = 0
  private var runs: [Range<UInt64>] = []
  /// How many runs there were when they were last put in order.
  private var settled = 0

  mutating func add(_ blocks: Range<UInt64>, size: Int64) {
    self.size = max(self.size, size)
    if let last = runs.last, last.lowerBound <= blocks.lowerBound,
      last.upperBound >= blocks.lowerBound
    {
      runs[runs.count - 1] = last.lowerBound..<max(last.upperBound, blocks.upperBound)
      return
    }
    runs.append(blocks)
    // Each version of a file brings much the same runs again.
    if runs.count > 2 * settled + 16 { settle() }
  }

  /// In order, none touching another.
  private mutating func settle() {
    var merged: [Range<UInt64>] = []
    for run in runs.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, last.upperBound >= run.lowerBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, run.upperBound)
      } else {
        merged.append(run)
      }
    }
    (runs, settled) = (merged, merged.count)
  }

  /// The runs up to the end of a file that nothing leads to, and how many blocks are used.
  func rest(of size: Int64) -> (unused: [Range<UInt64>], used: Int64) {
    var copy = self
    copy.settle()
    let end = FileContent.blocks(upTo: size)
    var unused: [Range<UInt64>] = []
    var (next, used) = (UInt64(0), Int64(0))
    for run in copy.runs {
      let run = run.clamped(to: 0..<end)
      if next < run.lowerBound { unused.append(next..<run.lowerBound) }
      used += Int64(run.count)
      next = max(next, run.upperBound)
    }
    if next < end { unused.append(next..<end) }
    return (unused, used)
  }
}
