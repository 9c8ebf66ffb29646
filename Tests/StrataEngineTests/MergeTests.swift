import Glibc
import StrataEngine
import StrataTestSupport
import Testing

/// Merging what two forks have changed.
@Suite struct MergeTests {
  private func workspace(_ items: [(String, String)]) throws -> Workspace {
    let table = TableBase("merge", device: 1, items.map { ($0.0, .file(Array($0.1.utf8))) })
    return try Workspace(bases: [table]) { 1_000 }
  }

  private func write(_ fork: Fork, _ path: String, _ text: String) throws {
    try fork.workspace.operation("write", on: fork) { () throws(FileError) in
      let file = try Client(fork, as: .superuser).open(
        Array(path.utf8), [.write, .truncate], create: 0o644)
      _ = try file.write(Array(text.utf8), at: 0)
    }
  }

  private func read(_ fork: Fork, _ path: String) throws -> String {
    let file = try Client(fork, as: .superuser).open(Array(path.utf8), [.read])
    return String(decoding: try file.read(1 << 20, at: 0), as: UTF8.self)
  }

  private func merge(
    _ theirs: Fork, into ours: Fork, _ choice: MergeChoice? = nil
  ) throws -> MergeResult {
    try ours.workspace.merge(theirs, into: ours, "merge") { _, _ throws(FileError) in choice }
  }

  /// Lines that are all different leave no two ways to see a difference.
  @Test func `Texts merge as git merges them`() throws {
    let seed = UInt64(getpid())
    print("merge of texts: seed \(seed)")
    var random = SeededGenerator(seed: seed)
    let directory = try TemporaryDirectory("strata-merge")
    for round in 0..<60 {
      let base = (0..<(1 + random.below(30))).map { "line \($0)\n" }
      func changed(_ mark: String) -> [String] {
        var lines = base
        for number in 0..<random.below(5) {
          let place = random.below(lines.count + 1)
          switch random.below(3) {
          case 0: lines.insert("\(mark) \(number)\n", at: place)
          case 1 where place < lines.count: lines[place] = "\(mark) \(number)\n"
          case 2 where place < lines.count && lines.count > 1: lines.remove(at: place)
          default: break
          }
        }
        return lines
      }
      let (ours, theirs) = (changed("ours"), changed("theirs"))
      for (name, lines) in [("base", base), ("ours", ours), ("theirs", theirs)] {
        let file = try #require(fopen(directory.appending(name), "w"))
        fputs(lines.joined(), file)
        fclose(file)
      }
      let git = try ChildProcess(
        ["git", "-C", directory.path, "merge-file", "-p", "-q", "ours", "base", "theirs"])
      try #require(git.status < 100, "git: \(git.text)")
      let merged = TextMerge(
        base: Array(base.joined().utf8), ours: Array(ours.joined().utf8),
        theirs: Array(theirs.joined().utf8), names: ("ours", "theirs"))
      #expect((merged.conflicts == 0) == (git.status == 0), "round \(round)")
      if git.status == 0 {
        #expect(String(decoding: merged.result, as: UTF8.self) == git.text, "round \(round)")
      }
    }
  }

  @Test func `Changes in different places are all there afterwards`() throws {
    for seed in 0..<40 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      var items: [(String, String)] = []
      for side in ["a", "b"] {
        for number in 0..<8 { items.append(("\(side)/d\(number % 3)/f\(number)", "\(number)")) }
      }
      let workspace = try workspace(items)
      let work = try workspace.fork(workspace.main, named: "work")
      for (fork, side) in [(workspace.main, "a"), (work, "b")] {
        let client = Client(fork, as: .superuser)
        for number in 0..<(5 + random.below(20)) {
          let path = "/\(side)/d\(random.below(4))/f\(random.below(10))"
          try workspace.operation("change", on: fork) {
            switch random.below(5) {
            case 0: try? client.unlink(Array(path.utf8))
            case 1: try? client.rename(Array(path.utf8), to: Array("/\(side)/r\(number)".utf8))
            case 2: try? client.makeDirectory(Array("/\(side)/d3".utf8), mode: 0o755)
            case 3: try? client.setAttributes(Array(path.utf8), AttributeChanges(mode: 0o600))
            default:
              if (try? client.attributes(Array("/\(side)/d3".utf8))) != nil || !path.contains("d3")
              {
                try write(fork, path, "\(seed) \(number)")
              }
            }
          }
        }
      }
      let (ours, theirs) = (try TreeDump(workspace.main), try TreeDump(work))
      let result = try merge(work, into: workspace.main)
      #expect(result.conflicts.isEmpty, "seed \(seed): \(result.conflicts)")
      let merged = try TreeDump(workspace.main)
      for path in Set(ours.rows.keys).union(theirs.rows.keys) {
        let isOurs = path.starts(with: "/a".utf8)
        guard isOurs || path.starts(with: "/b".utf8) else { continue }
        let expected = (isOurs ? ours : theirs).rows[path]
        #expect(
          merged.rows[path]?.isSameFile(as: expected) ?? (expected == nil),
          "seed \(seed): \(String(decoding: path, as: UTF8.self))")
      }
      // Again there is nothing to do, and undo takes it back.
      #expect(try merge(work, into: workspace.main).taken.isEmpty)
      if !result.taken.isEmpty {
        try workspace.undo(workspace.main)
        #expect(try TreeDump(workspace.main) == ours)
      }
    }
  }

  @Test func `Conflicts are told by kind, and nothing is changed`() throws {
    let workspace = try workspace([("text", "1\n"), ("gone", "x"), ("kept", "y"), ("moved", "z")])
    let work = try workspace.fork(workspace.main, named: "work")
    let (mine, its) = (Client(workspace.main, as: .superuser), Client(work, as: .superuser))
    try write(workspace.main, "/text", "ours\n")
    try write(work, "/text", "theirs\n")
    try mine.unlink("/gone")
    try write(work, "/gone", "changed")
    try write(workspace.main, "/kept", "changed")
    try its.unlink("/kept")
    try mine.rename("/moved", to: "/here")
    try its.rename("/moved", to: "/there")
    try write(workspace.main, "/new", "ours")
    try its.makeDirectory("/new", mode: 0o755)
    let before = try TreeDump(workspace.main)
    let result = try merge(work, into: workspace.main)
    let kinds = Dictionary(
      result.conflicts.map { (String(decoding: $0.path, as: UTF8.self), $0.kind) },
      uniquingKeysWith: { first, _ in first })
    #expect(
      kinds == [
        "/text": .content, "/gone": .removed, "/kept": .removed, "/here": .renamed, "/new": .type,
      ])
    #expect(try TreeDump(workspace.main) == before)
    // Settled for the other side, its state is what is there.
    #expect(try merge(work, into: workspace.main, .theirs).conflicts.isEmpty)
    #expect(try read(workspace.main, "/text") == "theirs\n")
    #expect(try read(workspace.main, "/gone") == "changed")
    #expect(try mine.attributes("/new").kind == .directory)
    #expect(try read(workspace.main, "/there") == "z")
    #expect(throws: FileError.self) { try mine.attributes("/kept") }
  }

  @Test func `Blocks that only one has changed are merged in files that are no text`() throws {
    var bytes = [UInt8](repeating: 0, count: 100_000)
    bytes[0] = 1
    let table = TableBase("merge", device: 1, [("bin", .file(bytes))])
    let workspace = try Workspace(bases: [table]) { 1_000 }
    let work = try workspace.fork(workspace.main, named: "work")
    for (fork, place) in [(workspace.main, Int64(10)), (work, 50_000)] {
      _ = try Client(fork, as: .superuser).open("/bin", [.write]).write([7], at: place)
    }
    #expect(try merge(work, into: workspace.main).conflicts.isEmpty)
    let file = try Client(workspace.main, as: .superuser).open("/bin", [.read])
    (bytes[10], bytes[50_000]) = (7, 7)
    #expect(try file.read(100_000, at: 0) == bytes)
    // The same block on both sides is a conflict.
    _ = try Client(work, as: .superuser).open("/bin", [.write]).write([8], at: 11)
    _ = try Client(workspace.main, as: .superuser).open("/bin", [.write]).write([9], at: 12)
    #expect(try merge(work, into: workspace.main).conflicts.map(\.kind) == [.content])
  }
}

extension Client {
  fileprivate func unlink(_ path: String) throws { try unlink(Array(path.utf8)) }
  fileprivate func rename(_ path: String, to other: String) throws {
    try rename(Array(path.utf8), to: Array(other.utf8))
  }
  fileprivate func makeDirectory(_ path: String, mode: UInt32) throws {
    try makeDirectory(Array(path.utf8), mode: mode)
  }
  fileprivate func attributes(_ path: String) throws -> Attributes {
    try attributes(Array(path.utf8))
  }
  fileprivate func open(_ path: String, _ options: OpenOptions) throws -> OpenFile {
    try open(Array(path.utf8), options)
  }
}
