import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// `store.db` and its log, damaged or cut off behind the store's back: the damage is named, what is not
/// damaged can be read, and `repair` leaves a workspace that passes its check.
///
/// `STRATA_DAMAGES` says how often (60 unless set), `STRATA_SEED` where to begin.
@Suite struct DamagedDatabaseTests {
  private let directory: TemporaryDirectory
  private static let files = 300
  private let base = TableBase(
    "base", device: 1,
    (0..<200).map { ("d\($0 % 10)/b\($0)", .file(Array("from below \($0)".utf8))) })

  init() throws { directory = try TemporaryDirectory("strata-damaged") }

  private func open(_ name: String = "w") throws -> Workspace {
    try Workspace(
      bases: [base],
      store: try DurableStore(directory: Array("\(directory.path)/\(name)".utf8))
    ) { 1_000_000_000 }
  }

  private func shell(_ script: String) throws {
    let child = try ChildProcess(["sh", "-ec", "cd \(directory.path); \(script)"])
    #expect(child.status == 0, "\(script): \(child.text)")
  }

  private func content(_ number: Int) -> [UInt8] { Array("content \(number) ".utf8) }

  /// A workspace with files, forks and some history; without SQLite's log if it is closed.
  private func fill() throws -> Workspace {
    try shell("rm -rf w; mkdir w")
    let workspace = try open()
    for part in 0..<3 {
      try workspace.operation("part \(part)", on: workspace.main) { () throws(FileError) in
        let client = Client(workspace.main, as: .superuser)
        for number in part * 100..<part * 100 + 100 {
          _ = try client.open(Array("/f\(number)".utf8), [.write], create: 0o644)
            .write([UInt8](repeating: 0x61, count: 700) + content(number), at: 0)
        }
      }
      try workspace.checkpoint()
    }
    try workspace.operation("bases", on: workspace.main) { () throws(FileError) in
      let client = Client(workspace.main, as: .superuser)
      for number in 0..<150 {
        let path = "/d\(number % 10)/b\(number)"
        switch number % 4 {
        case 0: _ = try client.open(Array(path.utf8), [.write]).write([0x21], at: 2)
        case 1: try client.setAttributes(Array(path.utf8), .init(mode: 0o600))
        case 2: try client.rename(Array(path.utf8), to: Array("/moved\(number)".utf8))
        default: break
        }
      }
      try client.setAttributes(Array("/d3".utf8), .init(mode: 0o700))
    }
    try workspace.checkpoint()
    _ = try workspace.fork(workspace.main, named: "child")
    try workspace.operation("drop", on: workspace.main) { () throws(FileError) in
      for number in 0..<100 {
        try Client(workspace.main, as: .superuser).unlink(Array("/f\(number)".utf8))
      }
    }
    try workspace.checkpoint()
    return workspace
  }

  /// How many files of all forks are as they were.
  private func readable(_ workspace: Workspace) -> Int {
    workspace.forks.reduce(0) { $0 + readable($1) }
  }

  /// How many files are as they were.
  private func readable(_ fork: Fork) -> Int {
    let client = Client(fork, as: .superuser)
    return (0..<Self.files).count { number in
      guard let file = try? client.open(Array("/f\(number)".utf8), [.read]) else { return false }
      return (try? file.read(1000, at: 700)) == content(number)
    }
  }

  /// Has every fork do what looks at all of its tree.
  private func lookAtAll(_ workspace: Workspace) throws(FileError) {
    for fork in workspace.forks {
      _ = try workspace.diff(fork.origin, fork.value)
      let client = Client(fork, as: .superuser)
      var waiting: [[UInt8]] = [[UInt8(ascii: "/")]]
      while let directory = waiting.popLast() {
        for entry in try client.list(directory) {
          let path = directory + [UInt8(ascii: "/")] + entry.name.bytes
          switch try client.attributes(path).kind {
          case .directory: waiting.append(path)
          default: _ = try client.read(path)
          }
        }
      }
    }
  }

  private func change(_ file: String, _ body: (inout [UInt8]) -> Void) throws {
    var bytes = try directory.read("w/\(file)")
    body(&bytes)
    try directory.write(directory.bytes("w/\(file)"), bytes, at: 0)
  }

  /// The first page in every way: all of the rest is there.
  @Test(arguments: [0..<16, 16..<24, 24..<40, 40..<100, 0..<100, 100..<4096, 0..<4096])
  func `a damaged first page is named, and costs nothing`(range: Range<Int>) throws {
    var random = SeededGenerator(seed: try TestSeed.first(1))
    do { _ = try fill() }
    try shell("cp -a w whole")
    for isZeroed in [true, false] {
      try shell("rm -rf w; cp -a whole w")
      try change("store.db") { bytes in
        for place in range { bytes[place] = isZeroed ? 0 : UInt8(random.below(256)) }
      }
      do {
        let workspace = try open()
        #expect(readable(workspace.main) == 200)
        #expect(readable(try #require(workspace.fork(named: "child"))) == 300)
      }
      do {
        let workspace = try open()
        // Without free pages it means nothing that their list is empty.
        let isNone = isZeroed && range == 24..<40
        #expect(try workspace.check().problems.isEmpty == isNone)
        #expect(try workspace.repair().isEmpty == isNone)
        #expect(try workspace.check().problems == [])
      }
      let workspace = try open()
      #expect(try workspace.check().problems == [])
      #expect(workspace.main.operationCount == 5 && readable(workspace.main) == 200)
      try workspace.undo(workspace.main)
      #expect(readable(workspace.main) == 300)
    }
  }

  private struct Outcome {
    var opened = 0
    var named = 0
    var repaired = 0
    var files = 0
    /// What could not be opened.
    var refusals: [String] = []
  }

  /// Opens what was damaged, looks at it, and has it mended.
  /// - Parameter what: said of what goes wrong.
  private func examine(_ what: String, _ outcome: inout Outcome) throws {
    var isNamed = false
    do {
      let workspace = try open()
      outcome.opened += 1
      let count = readable(workspace)
      outcome.files += count
      let problems = try workspace.check().problems
      isNamed = !problems.isEmpty
      if isNamed { outcome.named += 1 }
      #expect(isNamed || count == 500, "\(what): not named")
      if !isNamed {
        do throws(FileError) { try lookAtAll(workspace) } catch {
          Issue.record("\(what): all is said to be well, but \(error)")
        }
      }
      _ = try workspace.repair()
      #expect(readable(workspace) >= count, "\(what): repair has lost more")
    } catch let error as FileError {
      // What says that there is damage names it.
      #expect(error.errno == .ioError || error.errno == .invalidArgument, "\(what): \(error)")
      outcome.named += 1
      outcome.refusals.append("\(what): \(error)")
      return
    }
    let workspace = try open()
    let problems = try workspace.check().problems
    #expect(problems == [], "\(what)")
    if problems.isEmpty { outcome.repaired += 1 }
    do throws(FileError) { try lookAtAll(workspace) } catch {
      Issue.record("\(what): mended, but \(error)")
    }
    try write(content(1), workspace)
    try workspace.checkpoint()
    #expect(try workspace.check().problems == [], "\(what)")
  }

  @Test func `wherever bits are flipped, it is named, and the rest can be read`() throws {
    let seed = try TestSeed.first(1)
    var random = SeededGenerator(seed: seed)
    do { _ = try fill() }
    try shell("cp -a w whole")
    var outcome = Outcome()
    let damages = number("STRATA_DAMAGES") ?? 60
    for round in 0..<damages {
      try shell("rm -rf w; cp -a whole w")
      var place = 0
      try change("store.db") { bytes in
        let pages = bytes.count / 4096
        place = (1 + random.below(pages - 1)) * 4096
        // A bit, a stretch, or all of a page.
        let length = [1, 64, 4096][round % 3]
        place += random.below(4096 - length + 1)
        for offset in 0..<length { bytes[place + offset] ^= UInt8(1 + random.below(255)) }
      }
      try examine("STRATA_SEED=\(seed), round \(round), at \(place)", &outcome)
    }
    // What is damaged by chance may be the only page of a table that has no mirror.
    #expect(outcome.opened * 50 >= damages * 49, "\(outcome)")
    #expect(outcome.files > damages * 400, "\(outcome)")
  }

  /// What is opened first is in tables of one page, and each has a mirror.
  @Test(arguments: ["counter", "base", "fork", "side_layer"], ["", "_mirror"])
  func `a small table that is damaged costs nothing`(table: String, suffix: String) throws {
    do { _ = try fill() }
    let page = try rootPage(of: table + suffix)
    // All of the page, and the number of its rows.
    for (place, value) in [(0..<4096, UInt8(0xA5)), (3..<5, 0)] {
      try shell("rm -rf whole; cp -a w whole")
      try change("store.db") { bytes in
        for offset in place { bytes[(page - 1) * 4096 + offset] = value }
      }
      do {
        let workspace = try open()
        #expect(readable(workspace) == 500)
        #expect(try workspace.check().problems.isEmpty == (value == 0 && isEmpty(table)))
        // What cannot be saved now goes into the new database.
        try write(content(7), workspace)
        _ = try? workspace.checkpoint()
        _ = try workspace.repair()
        #expect(try workspace.check().problems == [])
      }
      let workspace = try open()
      #expect(readable(workspace) == 500)
      let file = try Client(workspace.main, as: .superuser).open(Array("/new".utf8), [.read])
      #expect(try file.read(100, at: 0) == content(7))
      try shell("rm -rf w; mv whole w")
    }
  }

  private func write(_ content: [UInt8], _ workspace: Workspace) throws {
    try workspace.operation("new", on: workspace.main) { () throws(FileError) in
      _ = try Client(workspace.main, as: .superuser)
        .open(Array("/new".utf8), [.write], create: 0o644).write(content, at: 0)
    }
  }

  @Test func `a fork that is dropped where its row is lost stays so`() throws {
    do { _ = try fill() }
    let page = try rootPage(of: "fork")
    // The number of its rows.
    try change("store.db") {
      $0.replaceSubrange((page - 1) * 4096 + 3..<(page - 1) * 4096 + 5, with: [0, 0])
    }
    do {
      let workspace = try open()
      try workspace.drop(try #require(workspace.fork(named: "child")))
      try workspace.checkpoint()
    }
    let workspace = try open()
    #expect(workspace.forks.map(\.name) == ["main"])
    #expect(readable(workspace) == 200)
  }

  private func rootPage(of table: String) throws -> Int {
    let query = "SELECT rootpage FROM sqlite_master WHERE name = '\(table)'"
    let child = try ChildProcess(["sqlite3", "\(directory.path)/w/store.db", query])
    return try #require(Int(child.text.split(separator: "\n").joined()))
  }

  /// The test's workspace has no side layers, and its store was not told of bases.
  private func isEmpty(_ table: String) -> Bool { table == "side_layer" || table == "base" }

  /// The first page is the only one that is put back when it is damaged.
  @Test func `what is said of tables is in the first page`() throws {
    do { _ = try fill() }
    // A leaf of a tree: https://www.sqlite.org/fileformat2.html#b_tree_pages
    #expect(try directory.read("w/store.db")[100] == 0x0D)
  }

  @Test func `cut off anywhere, it is named, and the rest can be read`() throws {
    do { _ = try fill() }
    try shell("cp -a w whole")
    let size = try directory.read("whole/store.db").count
    var outcome = Outcome()
    for part in 0..<12 {
      let length = part == 11 ? size - 1 : size * part / 11
      try shell("rm -rf w; cp -a whole w; truncate -s \(length) w/store.db")
      try examine("\(length) of \(size) bytes", &outcome)
    }
    // The small tables are at the beginning, and with them all can be opened.
    #expect(outcome.opened > 6 && outcome.named == 12, "\(outcome)")
    // What is written last is what all else is reached by.
    #expect(outcome.files >= 300, "\(outcome)")
  }

  @Test func `a log that is damaged or cut off leaves a state from before`() throws {
    let seed = try TestSeed.first(1)
    var random = SeededGenerator(seed: seed)
    do {
      let workspace = try fill()
      // As a process that was killed leaves it.
      try shell("cp -a w killed")
      withExtendedLifetime(workspace) {}
    }
    let size = try directory.read("killed/store.db-wal").count
    #expect(size > 100_000)
    for round in 0..<20 {
      try shell("rm -rf w; cp -a killed w")
      let place = random.below(size)
      if round % 2 == 0 {
        try shell("truncate -s \(place) w/store.db-wal")
      } else {
        try change("store.db-wal") { $0[place] ^= UInt8(1 + random.below(255)) }
      }
      do {
        let workspace = try open()
        #expect(try workspace.check().problems == [], "STRATA_SEED=\(seed), round \(round)")
        let count = workspace.main.operationCount
        #expect(readable(workspace.main) == [0, 100, 200, 300, 300, 200][count])
      } catch let error as FileError {
        Issue.record("STRATA_SEED=\(seed), round \(round), at \(place): \(error)")
      }
    }
  }

  private func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
}
