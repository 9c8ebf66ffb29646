import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// Writes of many blocks, which a store takes at once, among small ones, cuts, holes and forks: each
/// fork is what a plain array of bytes would be, also in the next process.
@Suite struct LargeWriteTests {
  private static let most = 1 << 20

  /// The forks' files as they must be.
  private struct Model {
    var files: [String: [UInt8]]

    mutating func write(_ bytes: [UInt8], at offset: Int, to fork: String) {
      var file = files[fork] ?? []
      if file.count < offset + bytes.count {
        file += [UInt8](repeating: 0, count: offset + bytes.count - file.count)
      }
      file.replaceSubrange(offset..<offset + bytes.count, with: bytes)
      files[fork] = file
    }

    mutating func cut(_ fork: String, to size: Int) {
      let file = files[fork] ?? []
      files[fork] =
        size <= file.count
        ? Array(file[..<size]) : file + [UInt8](repeating: 0, count: size - file.count)
    }

    mutating func zero(_ range: Range<Int>, of fork: String) {
      guard var file = files[fork] else { return }
      for index in range.clamped(to: 0..<file.count) { file[index] = 0 }
      files[fork] = file
    }
  }

  private let base: [UInt8] = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 977) }

  private func opened(_ directory: TemporaryDirectory) throws -> Workspace {
    try Workspace(
      bases: [TableBase("base", device: 1, [("f", .file(base))])],
      store: try DurableStore(directory: Array(directory.path.utf8))
    ) { 1_000 }
  }

  private func expectSame(_ workspace: Workspace, _ model: Model, _ when: String) throws {
    for (name, bytes) in model.files {
      let fork = try #require(workspace.fork(named: name))
      #expect(try Client(fork, as: .superuser).read(Array("/f".utf8)) == bytes, "\(name), \(when)")
    }
  }

  @Test func `forks hold what was written to them`() throws {
    let first = try TestSeed.first(1)
    for seed in first..<first + 4 { try run(seed) }
  }

  private func run(_ seed: UInt64) throws {
    let directory = try TemporaryDirectory("strata-large-writes")
    var random = SeededGenerator(seed: seed)
    var model = Model(files: ["main": base])
    for life in 0..<5 {
      let workspace = try opened(directory)
      try expectSame(workspace, model, "seed \(seed), life \(life)")
      for step in 0..<25 {
        try change(workspace, &model, &random)
        if step % 5 == 4 { try expectSame(workspace, model, "seed \(seed), \(life).\(step)") }
      }
      try workspace.checkpoint()
      #expect(try workspace.check().problems == [], "seed \(seed), life \(life)")
    }
    try expectSame(try opened(directory), model, "seed \(seed), at the end")
  }

  private func change(
    _ workspace: Workspace, _ model: inout Model, _ random: inout SeededGenerator
  ) throws {
    let name = try #require(model.files.keys.sorted().randomElement(using: &random))
    let fork = try #require(workspace.fork(named: name))
    func file() throws -> OpenFile {
      try Client(fork, as: .superuser).open(Array("/f".utf8), [.read, .write])
    }
    let unit = Bool.random(using: &random) ? Block.size : 1
    let offset = Int.random(in: 0..<Self.most, using: &random) / unit * unit
    switch Int.random(in: 0..<12, using: &random) {
    case 0..<6:
      let most = Bool.random(using: &random) ? 600_000 : 6_000
      let count = max(Int.random(in: 1..<most, using: &random) / unit * unit, 1)
      let bytes = [UInt8](repeating: UInt8.random(in: 1...255, using: &random), count: count)
      #expect(try file().write(bytes, at: Int64(offset)) == count)
      model.write(bytes, at: offset, to: name)
    case 6:
      try file().truncate(to: Int64(offset))
      model.cut(name, to: offset)
    case 7:
      let range = offset..<offset + Int.random(in: 1..<200_000, using: &random)
      try file().allocate(Int64(range.lowerBound)..<Int64(range.upperBound), .punchHole)
      model.zero(range, of: name)
    case 8 where model.files.count < 6:
      let new = "fork\(model.files.count)"
      _ = try workspace.fork(fork, named: new)
      model.files[new] = model.files[name]
    case 9: try fork.flush()
    case 10:
      let bytes = [UInt8](repeating: 7, count: 128 << 10)
      try workspace.operation("write", on: fork) { () throws(FileError) in
        let file = try Client(fork, as: .superuser).open(Array("/f".utf8), [.write])
        _ = try file.write(bytes, at: Int64(offset))
      }
      if Bool.random(using: &random) {
        _ = try workspace.undo(fork)
      } else {
        model.write(bytes, at: offset, to: name)
      }
    default: try workspace.checkpoint()
    }
  }

  @Test func `what is not taken at once counts as in memory`() throws {
    let directory = try TemporaryDirectory("strata-large-writes")
    let workspace = try opened(directory)
    let fork = workspace.main
    #expect(fork.bytesInMemory(ofWriteAt: 4096, count: 64 << 10) == 0)
    // Fifteen whole blocks are too few.
    #expect(fork.bytesInMemory(ofWriteAt: 512, count: 64 << 10) == 64 << 10)
    #expect(fork.bytesInMemory(ofWriteAt: 512, count: 128 << 10) == 4096)
    #expect(fork.bytesInMemory(ofWriteAt: 0, count: 100) == 100)
  }

  @Test func `a file that was open before an undo goes on by itself`() throws {
    let directory = try TemporaryDirectory("strata-large-writes")
    let workspace = try opened(directory)
    let main = workspace.main
    let large = [UInt8](repeating: 1, count: 128 << 10)
    try workspace.operation("first", on: main) { () throws(FileError) in
      let client = Client(main, as: .superuser)
      _ = try client.open(Array("/new".utf8), [.write], create: 0o644).write(large, at: 0)
    }
    let file = try Client(main, as: .superuser).open(Array("/new".utf8), [.read, .write])
    _ = try file.write([2], at: 0)
    try workspace.undo(main)
    _ = try workspace.collectGarbage(olderThan: .max, dryRun: false)
    let other = [UInt8](repeating: 3, count: 128 << 10)
    _ = try file.write(other, at: 0)
    _ = try workspace.collectGarbage(olderThan: .max, dryRun: false)
    #expect(try file.read(other.count, at: 0) == other)
    let problems = try workspace.check().problems
    #expect(problems == [], "\(problems)")
  }

  @Test func `a file that is written in large pieces is one plain file of the store`() throws {
    let directory = try TemporaryDirectory("strata-large-writes")
    let workspace = try opened(directory)
    let client = Client(workspace.main, as: .superuser)
    let file = try client.open(Array("/new".utf8), [.write], create: 0o644)
    var content: [UInt8] = []
    for piece in 0..<20 {
      let bytes = [UInt8](repeating: UInt8(piece), count: piece == 19 ? 70_001 : 128 << 10)
      _ = try file.write(bytes, at: Int64(content.count))
      content += bytes
    }
    try workspace.checkpoint()
    let layers = try directory.names("data")
    #expect(layers.count == 1)
    let nodes = try directory.names("data/\(layers[0])")
    #expect(nodes.count == 1)
    #expect(try directory.read("data/\(layers[0])/\(nodes[0])") == content)
  }
}
