import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// Large files of a base are taken by the store itself, with their holes, on file systems that share
/// blocks and on others; and blocks that nothing leads to any more go back to the disk.
@Suite struct CopyUpTests {
  private final class Whole: Policy {
    let interest = EventSet([.copyUp, .redirect])
    func decide(_ event: Event, on fork: Fork) throws(FileError) -> Verdict {
      Verdict(firstWrite: .copyUp)
    }
  }

  private func open(_ place: TestDisk, _ clock: @escaping @Sendable () -> Timestamp = { 1 }) throws
    -> Workspace
  {
    for name in ["base", "store"] { mkdir("\(place.path)/\(name)", 0o755) }
    let workspace = try Workspace(
      bases: [HostDirectory(path: Array("\(place.path)/base".utf8))],
      store: try DurableStore(directory: Array("\(place.path)/store".utf8)), clock: clock)
    workspace.hooks.policy = Whole()
    return workspace
  }

  /// 8,000,001 bytes, a hole up to 20 MiB, and some more.
  private func makeFile(_ place: TestDisk) throws -> [UInt8] {
    let start = (0..<8_000_001).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
    let end = (0..<70_123).map { UInt8(truncatingIfNeeded: $0 &* 11) }
    mkdir("\(place.path)/base", 0o755)
    let path = Array("\(place.path)/base/big".utf8)
    try place.directory.write(path, start, at: 0)
    try place.directory.write(path, end, at: 20 << 20)
    return start + [UInt8](repeating: 0, count: 20 << 20 - start.count) + end
  }

  private func dataFile(_ place: TestDisk) throws -> stat {
    let found = try ChildProcess(["find", "\(place.path)/store/data", "-type", "f"]).text
    var largest = stat()
    for name in found.split(separator: "\n") {
      var status = stat()
      #expect(lstat(String(name), &status) == 0)
      if status.st_size > largest.st_size { largest = status }
    }
    return largest
  }

  @Test(arguments: TestDisk.Kind.allCases)
  func `A copy-up takes data and holes, and no memory`(_ disk: TestDisk.Kind) throws {
    guard let place = try TestDisk(disk) else { return }
    var expected = try makeFile(place)
    let before = expected
    do {
      let workspace = try open(place)
      let client = Client(workspace.main, as: .superuser)
      let child = try workspace.fork(workspace.main, named: "child")
      let pages = Workspace.pagesInMemory
      try workspace.operation("write", on: workspace.main) {
        let file = try client.open(Array("/big".utf8), [.read, .write])
        _ = try file.write([1, 2, 3], at: 5000)
        let snapshot = try NodeSnapshot(workspace.main, "/big")
        _ = try file.write([4, 5, 6], at: 9000)
        #expect(Workspace.pagesInMemory - pages < 1500)
        #expect(try snapshot.byte(at: 9000) == before[9000])
      }
      expected.replaceSubrange(5000..<5003, with: [1, 2, 3])
      expected.replaceSubrange(9000..<9003, with: [4, 5, 6])
      #expect(try Client(child, as: .superuser).read(Array("/big".utf8)) == before)
      try workspace.checkpoint()
      #expect(try dataFile(place).st_blocks * 512 < 10 << 20, "holes stay holes")
      #expect(try dataFile(place).st_size == expected.count)
    }
    // Twice: the first time some files may have no checksum yet.
    for _ in 0..<2 {
      let workspace = try open(place)
      #expect(try Client(workspace.main, as: .superuser).read(Array("/big".utf8)) == expected)
      #expect(try workspace.check().problems == [])
    }
    #expect(try place.directory.read("disk/base/big") == before)
  }

  @Test func `A file of the host that changes under the copy is not taken`() throws {
    guard let place = try TestDisk(.here) else { return }
    _ = try makeFile(place)
    let workspace = try open(place)
    let client = Client(workspace.main, as: .superuser)
    // From then on the fork knows which state of the file its own is made from.
    let node = try client.resolve(Array("/big".utf8))
    try workspace.main.setAttributes(node, AttributeChanges(mode: 0o600), by: .superuser)
    let file = try client.open(Array("/big".utf8), [.write])
    try place.directory.write(Array("\(place.path)/base/big".utf8), [9], at: 100)
    #expect(throws: FileError.self) { _ = try file.write([1], at: 0) }
    #expect(try workspace.check().problems == [])
  }

  @Test func `gc gives back blocks of files that stay`() throws {
    guard let place = try TestDisk(.here) else { return }
    let content = [UInt8](repeating: 0x61, count: 1 << 20)
    let workspace = try open(place) { 1_000 }
    let client = Client(workspace.main, as: .superuser)
    for round in 0..<2 {
      try workspace.operation("write \(round)", on: workspace.main) { () throws(FileError) in
        let file = try client.open(Array("/file".utf8), [.write], create: 0o644)
        _ = try file.write(round == 0 ? content : Array(content.prefix(600_000)), at: 0)
      }
      try workspace.checkpoint()
    }
    let before = try dataFile(place).st_blocks
    let collected = try workspace.collectGarbage(olderThan: .max, dryRun: false)
    // The newest operation can be undone still.
    #expect(collected.garbage.holes.isEmpty)
    _ = try workspace.squash(workspace.main)
    try workspace.operation("again", on: workspace.main) { () throws(FileError) in
      _ = try client.open(Array("/file".utf8), [.write]).write(
        Array(content.prefix(600_000)), at: 0)
    }
    try workspace.operation("last", on: workspace.main) { () throws(FileError) in
      try client.makeDirectory(Array("/d".utf8), mode: 0o755)
    }
    #expect(try workspace.collectGarbage(olderThan: .max, dryRun: true).garbage.holeBytes > 500_000)
    _ = try workspace.collectGarbage(olderThan: .max, dryRun: false)
    #expect(try workspace.collectGarbage(olderThan: .max, dryRun: true).garbage.isEmpty)
    #expect(before > 0)
    #expect(try client.read(Array("/file".utf8)) == content)
    #expect(try workspace.check().problems == [])
  }
}

/// What a reader goes on seeing.
private struct NodeSnapshot {
  private let content: NodeContent

  init(_ fork: Fork, _ path: String) throws(FileError) {
    let node = try Client(fork, as: .superuser).resolve(Array(path.utf8))
    content = fork.value.reader(of: node)
  }

  func byte(at offset: Int64) throws -> UInt8 {
    var byte: UInt8 = 0
    let count = try withUnsafeMutableBytes(of: &byte) { buffer in
      try content.read(into: buffer, at: offset)
    }
    #expect(count == 1)
    return byte
  }
}
