import StrataTestSupport
import Testing

@testable import StrataEngine

/// A file of some megabytes in several forks, written in large and small pieces, cut, lengthened,
/// punched and squashed, against plain bytes; and what the maps of its blocks must always be.
@Suite struct RandomLargeContentTests {
  private static let path = Array("/file".utf8)
  private static let mostBytes = 8_000_000

  private final class Whole: Policy {
    let interest = EventSet([EventKind.copyUp, .redirect])
    let firstWrite: FirstWrite
    init(_ firstWrite: FirstWrite) { self.firstWrite = firstWrite }
    func decide(_ event: Event, on fork: Fork) throws(FileError) -> Verdict {
      Verdict(firstWrite: firstWrite)
    }
  }

  private struct Line {
    let fork: Fork
    var bytes: [UInt8]

    var client: Client { Client(fork, as: .superuser) }

    mutating func write(_ new: [UInt8], at offset: Int, _ file: OpenFile) throws {
      #expect(try file.write(new, at: Int64(offset)) == new.count)
      bytes += [UInt8](repeating: 0, count: max(0, offset + new.count - bytes.count))
      bytes.replaceSubrange(offset..<offset + new.count, with: new)
    }

    mutating func resize(to size: Int, _ file: OpenFile) throws {
      try file.truncate(to: Int64(size))
      bytes.removeLast(max(0, bytes.count - size))
      bytes += [UInt8](repeating: 0, count: size - bytes.count)
    }
  }

  @Test(arguments: [nil, .copyUp, .redirect(block: 16384)] as [FirstWrite?], 0..<3)
  func `large content is what was written`(_ firstWrite: FirstWrite?, _ run: UInt64) throws {
    let seed = try TestSeed.first(0x4c41_5247) &+ run
    print("large content: STRATA_SEED=\(seed)")
    var random = SeededGenerator(seed: seed)
    let first = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 / Block.size &* 7 &+ $0) }
    let base = TableBase("base", [("file", .file(first))])
    let workspace = try Workspace(bases: [base], clock: { 7 })
    let policy = firstWrite.map { Whole($0) }
    if let policy { workspace.hooks.policy = policy }
    var lines = [Line(fork: workspace.main, bytes: first)]
    var kept: [(value: Namespace, bytes: [UInt8])] = []
    for step in 0..<120 {
      let index = random.below(lines.count)
      var line = lines[index]
      let size = line.bytes.count
      let file = try line.client.open(Self.path, [.read, .write])
      switch random.below(14) {
      case 0 where lines.count < 5:
        let fork = try workspace.fork(line.fork, named: "f\(step)")
        lines.append(Line(fork: fork, bytes: line.bytes))
      case 1: try line.resize(to: random.below(size + 1), file)
      case 2: try line.resize(to: size + random.below(900_000), file)
      case 3 where size > 2:
        let start = random.below(size)
        let range = start..<min(size, start + 1 + random.below(700_000))
        try file.allocate(
          Int64(range.lowerBound)..<Int64(range.upperBound),
          random.chance(50) ? .punchHole : .zeroRange)
        for place in range { line.bytes[place] = 0 }
      case 4, 5:
        try line.write(random.bytes(1 + random.below(9000)), at: random.below(size + 1), file)
      case 6: kept = kept.suffix(3) + [(line.fork.value, line.bytes)]
      case 7: try line.write(random.bytes(65536 + random.below(300_000)), at: size, file)
      case 8 where line.fork !== workspace.main: _ = try? workspace.squash(line.fork)
      default:
        let end = random.chance(60) ? size + Block.size - 1 : random.below(size + 1)
        let count = (16 + random.below(300)) * Block.size
        try line.write(random.bytes(count), at: end / Block.size * Block.size, file)
      }
      if line.bytes.count > Self.mostBytes { try line.resize(to: 100, file) }
      lines[index] = line
      let comment = Comment(rawValue: "STRATA_SEED=\(seed), step \(step)")
      try check(line, comment)
      if step % 10 == 9 {
        for line in lines { #expect(try line.client.read(Self.path) == line.bytes, comment) }
      }
    }
    let node = try lines[0].client.resolve(Self.path)
    for (value, bytes) in kept {
      var found = [UInt8](repeating: 1, count: bytes.count)
      let reader = BelowReader(value.context.bases)
      let count = try found.withUnsafeMutableBytes { try value.read(node, into: $0, at: 0, reader) }
      #expect(count == bytes.count && found == bytes, "STRATA_SEED=\(seed): a value that was kept")
    }
  }

  private func check(_ line: Line, _ comment: Comment) throws {
    let node = try line.fork.value.record(try line.client.resolve(Self.path))
    guard case .file(let content) = node.body else { return }
    let again = FileContent(extents: content.extents, below: content.below, owner: content.owner)
    let blocks = again.allocatedBlocks(size: node.size)
    #expect(blocks == content.allocatedBlocks(size: node.size), comment)
    var last: UInt64 = 0
    content.extents.forEach { start, extent in
      #expect(start >= last && extent.end > start, comment)
      if case .run(let run) = extent.holding {
        #expect(start >= run.first && extent.end <= run.end, comment)
      }
      last = extent.end
    }
  }
}
