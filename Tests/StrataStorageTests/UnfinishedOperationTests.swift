import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// What the log has of an operation in whose midst the process has died.
@Suite struct UnfinishedOperationTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory("strata-unfinished") }

  private func open(_ name: String) throws -> Workspace {
    let path = "\(directory.path)/\(name)"
    _ = try ChildProcess(["mkdir", "-p", path]).text
    return try Workspace(
      bases: [TableBase("base", device: 1, [("a", .file(Array("base".utf8)))])],
      store: try DurableStore(directory: Array(path.utf8))
    ) { 1_000 }
  }

  /// The workspace as the next process would find it if this one died now.
  private func killed(_ name: String = "killed") throws -> Workspace {
    _ = try ChildProcess([
      "sh", "-c",
      "rm -rf \(directory.path)/\(name); cp -a \(directory.path)/w \(directory.path)/\(name)",
    ]).text
    return try open(name)
  }

  private func put(_ text: String, _ path: String, _ fork: Fork) throws {
    let file = try Client(fork, as: .superuser)
      .open(Array(path.utf8), [.write, .truncate], create: 0o644)
    _ = try file.write(Array(text.utf8), at: 0)
  }

  private func write(_ text: String, _ path: String, _ fork: Fork) throws {
    try fork.workspace.operation("write \(text)", on: fork) { try put(text, path, fork) }
  }

  private func text(_ path: String, _ fork: Fork) -> String? {
    (try? Client(fork, as: .superuser).read(Array(path.utf8)))
      .map { String(decoding: $0, as: UTF8.self) }
  }

  private func log(_ fork: Fork) -> [String] { fork.history.map(\.command) }

  @Test func `it is an operation of its own, as far as it had come`() throws {
    let workspace = try open("w")
    let main = workspace.main
    try write("one", "/a", main)
    try workspace.operation("run", on: main) {
      try put("two", "/a", main)
      try workspace.checkpoint()
      try put("three", "/a", main)
      try put("b", "/b", main)
      try workspace.checkpoint()
      try put("lost", "/a", main)
      let after = try killed()
      #expect(log(after.main) == ["write one", "run"])
      #expect(text("/a", after.main) == "three" && text("/b", after.main) == "b")
      #expect(try after.check().problems == [])
      try after.undo(after.main)
      #expect(text("/a", after.main) == "one" && text("/b", after.main) == nil)
      #expect(try after.redo(after.main).command == "run")
      #expect(text("/a", after.main) == "three" && text("/b", after.main) == "b")
      try write("more", "/a", after.main)
      #expect(after.main.allOperations.map(\.id) == [1, 2, 3])
    }
    try workspace.checkpoint()
    #expect(log(main) == ["write one", "run"])
    let after = try killed()
    #expect(log(after.main) == ["write one", "run"] && text("/a", after.main) == "lost")
    #expect(after.main.allOperations.map(\.id) == [1, 2])
  }

  private func data(_ script: String) throws {
    let child = try ChildProcess(["sh", "-c", "cd $0; \(script)", "\(directory.path)/w/data"])
    #expect(child.status == 0)
  }

  @Test func `one that fails in the end leaves nothing`() throws {
    let workspace = try open("w")
    let main = workspace.main
    try write("one", "/a", main)
    try workspace.undo(main)
    let other = try workspace.fork(main, named: "other")
    try workspace.operation("run", on: main) {
      try put("two", "/a", main)
      try workspace.checkpoint()
      let soon = try killed()
      #expect(log(soon.main) == ["run"])
      // What is too large for a record goes to a file at the end, and its directory's name is taken.
      try put(String(repeating: "x", count: 40_000), "/big", main)
      try data("touch $(seq 1 99)")
    }
    #expect(workspace.takeFailure(of: main) != nil)
    try data("find . -type f -size 0 -delete")
    try write("by another", "/a", other)
    try workspace.checkpoint()
    let after = try killed()
    #expect(log(after.main) == [] && text("/a", after.main) == "base")
    #expect(log(try #require(after.fork(named: "other"))) == ["write by another"])
    #expect(try after.redo(after.main).command == "write one")
    #expect(try after.check().problems == [])
  }

  @Test func `what was undone before cannot be done again`() throws {
    let workspace = try open("w")
    let main = workspace.main
    for word in ["one", "two"] { try write(word, "/a", main) }
    try workspace.undo(main)
    try workspace.operation("run", on: main) {
      try put("b", "/b", main)
      try workspace.checkpoint()
      let after = try killed()
      #expect(after.main.undoneCount == 0)
      #expect(throws: FileError.self) { try after.redo(after.main) }
      try after.undo(after.main)
      #expect(text("/b", after.main) == nil && text("/a", after.main) == "one")
      try after.checkpoint()
    }
    // Two crashes later as well.
    let again = try open("killed")
    #expect(again.main.undone.map(\.command) == ["run"])
    #expect(log(again.main) == ["write one"])
  }

  /// What a mount is to the engine.
  private final class Holder: NodeHolder {
    func holds(_ node: NodeID) -> Bool { false }
    var operation: String? { nil }
    let isLogged = true
    func writeBack() {}
    func changed(from old: Namespace, to new: Namespace) {}
    func shares(_ isShared: Bool) {}
    func contentChanged(_ node: NodeID) {}
  }

  @Test func `what programs do in a mount is one operation, whenever they sync`() throws {
    let workspace = try open("w")
    let main = workspace.main
    let holder = Holder()
    main.add(holder)
    for number in 1...3 {
      try put("\(number)", "/a", main)
      try workspace.checkpoint()
      let after = try killed()
      #expect(log(after.main) == ["(programs)"] && text("/a", after.main) == "\(number)")
      try after.undo(after.main)
      #expect(text("/a", after.main) == "base")
    }
    try write("by a command", "/a", main)
    try put("more", "/a", main)
    try workspace.checkpoint()
    let commands = ["(programs)", "write by a command", "(programs)"]
    let before = try killed()
    #expect(log(before.main) == commands)
    try workspace.undo(main)
    #expect(text("/a", main) == "by a command")
    try workspace.checkpoint()
    let undone = try killed()
    #expect(undone.main.undone.map(\.command) == ["(programs)"])
    try workspace.redo(main)
    main.remove(holder)
    try workspace.checkpoint()
    let after = try killed()
    #expect(log(after.main) == commands && text("/a", after.main) == "more")
    #expect(after.main.allOperations.map(\.id) == [1, 2, 3])
  }

  @Test(arguments: [false, true])
  func `squash and gc under a mount leave the log what it is`(isSquashed: Bool) throws {
    let workspace = try open("w")
    let main = workspace.main
    let holder = Holder()
    for word in ["one", "two"] { try write(word, "/a", main) }
    main.add(holder)
    try put("three", "/a", main)
    try workspace.checkpoint()
    if isSquashed { _ = try workspace.squash(main) }
    _ = try workspace.collectGarbage(olderThan: .max, dryRun: false)
    try workspace.checkpoint()
    let after = try killed()
    #expect(try after.check().problems == [])
    #expect(log(after.main) == (isSquashed ? [] : ["write two", "(programs)"]))
    #expect(text("/a", after.main) == "three")
    main.remove(holder)
    #expect(log(main) == log(after.main))
  }
}
