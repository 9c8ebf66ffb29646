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

  /// Bytes of memory that writing takes, against those that are written.
  @Test(arguments: [70_000, 100_000, 128 << 10, 300_000, 1 << 20])
  func `runs take no more memory than what is written, also where they lie over others`(
    _ count: Int
  ) throws {
    let workspace = try Workspace(bases: [TableBase("base", [])], clock: { 7 })
    let path = Array("/file".utf8)
    let bytes = [UInt8](repeating: 1, count: count)
    try Client(workspace.main, as: .superuser).write(path, [])
    // The second one's lie over those of the first, which it was forked from.
    var fork = workspace.main
    for name in ["first", "second"] {
      fork = try workspace.fork(fork, named: name)
      let file = try Client(fork, as: .superuser).open(path, [.write])
      for start in stride(from: 0, to: 12 << 20, by: count) {
        _ = try file.write(bytes, at: Int64(start))
      }
      // One of the largest runs may be filled in part.
      let taken = try fork.value.content(at: path, fork).memory
      #expect(taken < (15 << 20) / block, "\(name)")
    }
    let file = try Client(fork, as: .superuser).open(path, [.write])
    try file.truncate(to: 100 << 10)
    // Of the last one, no more than half is kept for nothing.
    #expect(try fork.value.content(at: path, fork).memory <= 2 * (100 << 10) / block)
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

extension Namespace {
  fileprivate func content(at path: [UInt8], _ fork: Fork) throws -> FileContent {
    let node = try record(try Client(fork, as: .superuser).resolve(path))
    guard case .file(let content) = node.body else { throw FileError.invalid }
    return content
  }
}

extension FileContent {
  /// Blocks of memory that it refers to.
  fileprivate var memory: Int {
    var seen: Set<ObjectIdentifier> = []
    var sum = 0
    extents.forEach { _, extent in
      switch extent.holding {
      case .page: sum += 1
      case .run(let run): if seen.insert(ObjectIdentifier(run)).inserted { sum += run.room }
      case .zero, .stored: break
      }
    }
    return sum
  }
}
