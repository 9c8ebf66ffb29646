import StrataTestSupport
import Testing

@testable import StrataEngine

@Suite struct PageRunTests {
  private let block = Block.size
  private let layer = LayerID(1)

  private func content() -> FileContent { FileContent(below: nil, owner: nil) }

  private func put(
    _ content: inout FileContent, _ blocks: Range<UInt64>, _ byte: UInt8, _ owner: LayerID
  ) {
    let bytes = [UInt8](repeating: byte, count: blocks.count * block)
    bytes.withUnsafeBytes { content.putRuns($0, at: blocks, owner) }
  }

  private func runs(_ content: FileContent) -> [Range<UInt64>] {
    var found: [Range<UInt64>] = []
    content.extents.forEach { start, extent in found.append(start..<extent.end) }
    return found
  }

  @Test func `what is written behind a large run goes on in it`() {
    var content = content()
    for start in stride(from: UInt64(0), to: 2048, by: 256) {
      put(&content, start..<start + 256, UInt8(start / 256 + 1), layer)
    }
    #expect(runs(content) == [0..<256, 256..<512, 512..<1024, 1024..<1536, 1536..<2048])
  }

  @Test func `a run that nobody else has is written in its place`() {
    var content = content()
    put(&content, 0..<256, 1, layer)
    put(&content, 10..<100, 2, layer)
    #expect(runs(content) == [0..<256])
    let kept = content
    put(&content, 20..<50, 3, layer)
    #expect(runs(kept) == [0..<256])
    #expect(runs(content) == [0..<20, 20..<50, 50..<256])
    put(&content, 300..<400, 4, LayerID(2))
    put(&content, 310..<330, 5, layer)
    #expect(runs(content).suffix(3) == [300..<310, 310..<330, 330..<400])
  }

  /// Files of some megabytes in several forks, each against its bytes.
  @Test(arguments: 0..<4)
  func `large writes agree with plain bytes`(_ run: UInt64) throws {
    let seed = try TestSeed.first(0x52554e << 16) &+ run
    print("large writes: STRATA_SEED=\(seed)")
    var random = SeededGenerator(seed: seed)
    let workspace = try Workspace(bases: [TableBase("base", [])], clock: { 7 })
    let path = Array("/file".utf8)
    try Client(workspace.main, as: .superuser).write(path, [])
    var lines: [(fork: Fork, bytes: [UInt8], next: Int)] = [(workspace.main, [], 0)]
    for step in 0..<120 {
      let index = random.below(lines.count)
      var line = lines[index]
      let file = try Client(line.fork, as: .superuser).open(path, [.read, .write])
      switch random.below(12) {
      case 0 where lines.count < 4:
        lines.append((try workspace.fork(line.fork, named: "f\(step)"), line.bytes, line.next))
      case 1:
        let size = random.below(line.bytes.count + 1)
        try file.truncate(to: Int64(size))
        line.bytes.removeLast(line.bytes.count - size)
      case 2:
        let bytes = random.bytes(1 + random.below(6000))
        try write(bytes, at: random.below(line.bytes.count + 1), file, &line.bytes)
      default:
        if random.chance(20) { line.next = random.below(line.bytes.count + 1) / block * block }
        let count = (random.chance(80) ? 256 : 1 + random.below(256)) * block
        let bytes = [UInt8](repeating: UInt8(random.below(256)), count: count)
        try write(bytes, at: line.next, file, &line.bytes)
        line.next += count
      }
      lines[index] = line
    }
    for line in lines {
      let found = try Client(line.fork, as: .superuser).read(path)
      #expect(found == line.bytes, "STRATA_SEED=\(seed), fork \(line.fork.name)")
    }
  }

  private func write(
    _ bytes: [UInt8], at offset: Int, _ file: OpenFile, _ model: inout [UInt8]
  ) throws {
    #expect(try file.write(bytes, at: Int64(offset)) == bytes.count)
    let missing = offset + bytes.count - model.count
    if missing > 0 { model += [UInt8](repeating: 0, count: missing) }
    model.replaceSubrange(offset..<offset + bytes.count, with: bytes)
  }

  @Test func `two files that differ in one block of a run differ by that block`() throws {
    let workspace = try Workspace(bases: [TableBase("base", [])], clock: { 7 })
    let client = Client(workspace.main, as: .superuser)
    let path = Array("/file".utf8)
    try client.write(path, [UInt8](repeating: 1, count: 64 * block))
    let fork = try workspace.fork(workspace.main, named: "other")
    let file = try Client(fork, as: .superuser).open(path, [.write])
    #expect(try file.write([2], at: Int64(20 * block)) == 1)
    #expect(try workspace.diff(fork.origin, fork.value).first?.bytes == Int64(block))
    let map = try fork.blockMap(of: try client.resolve(path))
    #expect(map.map(\.blocks) == [0..<20, 20..<21, 21..<64])
    #expect(map.map(\.sharedWith) == [["main"], [], ["main"]])
    let stats = fork.contentStats
    #expect((stats.ownPages, stats.sharedPages) == (1, 63))
  }
}
