import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// A store whose files were damaged behind its back: `check` names it, `repair` leaves a workspace
/// that passes its check, and what can be read is in `lost+found`.
@Suite struct RepairTests {
  enum Damage: CaseIterable { case flipped, truncated, missing }

  private let directory: TemporaryDirectory
  private let big = [UInt8](repeating: 0x61, count: 100_000)
  private let small = Array("NEEDLE of a small file".utf8)

  private let base = TableBase("base", device: 1, [("below", .file(Array("from below".utf8)))])

  init() throws { directory = try TemporaryDirectory("strata-repair") }

  private func open() throws -> Workspace {
    try Workspace(
      bases: [base],
      store: try DurableStore(directory: Array(directory.path.utf8))
    ) { 1_000_000_000 }
  }

  /// A workspace with a fork, a large file, a small one, and one that nothing happens to.
  private func fill() throws {
    let workspace = try open()
    try workspace.operation("fill", on: workspace.main) { () throws(FileError) in
      let client = Client(workspace.main, as: .superuser)
      for (name, content) in [("big", big), ("small", small), ("good", Array("good".utf8))] {
        _ = try client.open(Array("/\(name)".utf8), [.write], create: 0o644).write(content, at: 0)
      }
      try client.link(Array("/big".utf8), as: Array("/twin".utf8))
    }
    _ = try workspace.fork(workspace.main, named: "child")
    try workspace.checkpoint()
    // Makes the checksums that are not there yet.
    #expect(try workspace.check().problems == [])
  }

  private func change(_ file: String, at offset: Int = 0, to byte: UInt8) throws {
    let descriptor = Glibc.open(file, O_RDWR)
    #expect(descriptor >= 0)
    defer { close(descriptor) }
    var byte = byte
    #expect(pwrite(descriptor, &byte, 1, off_t(offset)) == 1)
  }

  private func content(_ path: String, in fork: Fork) throws -> [UInt8] {
    try Client(fork, as: .superuser).open(Array(path.utf8), [.read]).read(200_000, at: 0)
  }

  private func names(_ path: String, in fork: Fork) throws -> [String] {
    try Client(fork, as: .superuser).list(Array(path.utf8)).map(\.name)
      .filter { !$0.isDot && !$0.isDotDot }
      .map { String(decoding: $0.bytes, as: UTF8.self) }.sorted()
  }

  /// By number, and by what a damaged row makes of it.
  @Test(
    arguments: [
      "DELETE FROM base_node WHERE id > 1", "UPDATE base_node SET data = x'0102' WHERE id > 1",
      "UPDATE base_node SET data = CAST(replace(data, 'e', 'f') AS BLOB) WHERE id > 1",
    ], [true, false])
  func `A base's node of which the row is damaged is named, and found on the host`(
    damage: String, isThere: Bool
  ) throws {
    let path = Array("/below".utf8)
    base.add("large", .file([UInt8](repeating: 0x62, count: 8 << 20)))
    do {
      let workspace = try open()
      try workspace.operation("change", on: workspace.main) { () throws(FileError) in
        let client = Client(workspace.main, as: .superuser)
        _ = try client.open(path, [.write]).write(Array("FROM".utf8), at: 0)
        try client.rename(path, to: Array("/moved".utf8))
        _ = try client.open(Array("/large".utf8), [.write]).write(Array("FROM".utf8), at: 0)
      }
      try workspace.checkpoint()
      #expect(try workspace.check().problems == [])
    }
    #expect(try ChildProcess(["sqlite3", directory.appending("store.db"), damage]).status == 0)
    if !isThere { for name in ["below", "large"] { base.remove(name) } }
    do {
      let workspace = try open()
      #expect(throws: FileError.self) { try content("/moved", in: workspace.main) }
      let problems = try workspace.check().problems
      #expect(problems.contains { $0.what.hasSuffix("of a base") }, "\(problems)")
      let lines = try workspace.repair()
      #expect(lines.contains { $0.contains(isThere ? "found on the host" : "/lost+found/#") })
      #expect(try workspace.check().problems == [])
    }
    let workspace = try open()
    #expect(try workspace.check().problems == [])
    _ = try workspace.diff(workspace.main.origin, workspace.main.value)
    // What has no need of the base is a file of the fork's own; of the other that is left which the fork
    // has written.
    #expect(try content("/moved", in: workspace.main) == Array("FROM below".utf8))
    #expect(workspace.main.operationCount == (isThere ? 1 : 0))
    let found =
      try isThere ? "/large" : "/lost+found/\(names("/lost+found", in: workspace.main)[0])"
    let large = try Client(workspace.main, as: .superuser).read(Array(found.utf8))
    #expect(large.count == 8 << 20 && large.starts(with: Array("FROM".utf8)))
    #expect(large.last == (isThere ? 0x62 : 0))
  }

  @Test(arguments: Damage.allCases)
  func `A damaged data file is set aside in every fork, history stays`(
    _ damage: Damage
  ) throws {
    try fill()
    let file = try #require(
      try ChildProcess(["find", directory.appending("data"), "-type", "f"]).text
        .split(separator: "\n").map(String.init).first)
    var expected = big
    switch damage {
    case .flipped:
      try change(file, at: 5000, to: 0x7A)
      expected[5000] = 0x7A
    case .truncated:
      #expect(truncate(file, 50_000) == 0)
      expected.replaceSubrange(50_000..., with: repeatElement(0, count: 50_000))
    case .missing:
      #expect(unlink(file) == 0)
      expected = [UInt8](repeating: 0, count: big.count)
    }
    do {
      let workspace = try open()
      let problems = try workspace.check().problems
      #expect(problems.map(\.place) == ["store"] && problems[0].what.hasPrefix("data/"))
      let lines = try workspace.repair()
      let line = "fork child: content of /big, /twin is damaged"
      #expect(lines.contains { $0.contains(line) }, "\(lines)")
    }
    do {
      let opened = try open()
      #expect(try opened.check().problems == [])
      for fork in opened.forks {
        #expect(try names("/", in: fork) == ["below", "good", "lost+found", "small"])
        let lost = try #require(try names("/lost+found", in: fork).first)
        #expect(try content("/lost+found/\(lost)", in: fork) == expected)
        #expect(try content("/small", in: fork) == small)
      }
      #expect(opened.main.history.count == 1)
    }
  }

  @Test func `A damaged record of content is set aside, the rest of the tree stays`() throws {
    try fill()
    let database = directory.appending("store.db")
    let bytes = try ChildProcess(["cat", database]).output
    let place = try #require(bytes.firstRange(of: small)?.lowerBound)
    try change(database, at: place, to: 0x58)
    do {
      let workspace = try open()
      #expect(try workspace.check().problems.contains { $0.why.contains("wrong checksum") })
      let lines = try workspace.repair()
      #expect(lines.contains { $0.contains("content of /small is damaged") }, "\(lines)")
    }
    let opened = try open()
    #expect(try opened.check().problems == [])
    let lost = try #require(try names("/lost+found", in: opened.main).first)
    let readable = Array("X".utf8) + small.dropFirst()
    #expect(try content("/lost+found/\(lost)", in: opened.main) == readable)
    #expect(try content("/big", in: opened.main) == big)
    _ = try opened.undo(opened.main)
    #expect(try opened.check().problems == [])
  }

  @Test func `A damaged page of a map takes its names along, and nothing else`() throws {
    do {
      let workspace = try open()
      try workspace.operation("many", on: workspace.main) { () throws(FileError) in
        let client = Client(workspace.main, as: .superuser)
        for number in 0..<500 {
          let path = Array("/NEEDLE\(number)x".utf8)
          _ = try client.open(path, [.write], create: 0o644).write(small, at: 0)
        }
      }
      try workspace.checkpoint()
    }
    let database = directory.appending("store.db")
    let bytes = try ChildProcess(["cat", database]).output
    // In a page of names, not in the nodes' own records.
    let needle = Array("NEEDLE250x".utf8)
    let place = try #require(bytes.firstRange(of: needle)?.lowerBound)
    try change(database, at: place + 3, to: 0)
    do {
      let opened = try open()
      #expect(try !opened.check().problems.isEmpty)
      #expect(try !opened.repair().isEmpty)
    }
    let again = try open()
    #expect(try again.check().problems == [])
    let left = try names("/", in: again.main).count
    #expect(left > 400 && left < 503)
    _ = try Client(again.main, as: .superuser).open(Array("/new".utf8), [.write], create: 0o644)
  }
}

extension Array where Element == UInt8 {
  fileprivate func firstRange(of other: [UInt8]) -> Range<Int>? {
    guard count >= other.count else { return nil }
    let starts = indices.dropLast(other.count - 1)
    return starts.first { self[$0..<$0 + other.count].elementsEqual(other) }
      .map { $0..<$0 + other.count }
  }
}
