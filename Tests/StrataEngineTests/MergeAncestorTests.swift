import StrataTestSupport
import SystemPackage
import Testing

@testable import StrataEngine

/// Where merges begin, what they share, and what they cost.
@Suite struct MergeAncestorTests {
  private func workspace(_ items: [(String, String)] = [("f", "1\n2\n3\n4\n5\n")]) throws
    -> Workspace
  {
    try Workspace(
      bases: [TableBase("base", device: 1, items.map { ($0.0, .file($0.1)) })], clock: { 1_000 })
  }

  private func write(_ fork: Fork, _ path: String, _ text: String) throws {
    try fork.workspace.operation("write \(path)", on: fork) {
      try Client(fork, as: .superuser).write(Array(path.utf8), Array(text.utf8))
    }
  }

  private func read(_ fork: Fork, _ path: String) throws -> String {
    String(decoding: try Client(fork, as: .superuser).read(Array(path.utf8)), as: UTF8.self)
  }

  @discardableResult
  private func merge(
    _ theirs: Fork, into ours: Fork, _ choice: MergeChoice? = nil
  ) throws -> MergePlan {
    var settling = MergeSettling()
    settling.all = choice
    let plan = try ours.workspace.planMerge(theirs, into: ours, settling)
    if plan.conflicts.isEmpty { try ours.workspace.merge(plan, into: ours, "merge") }
    return plan
  }

  @Test func `a second merge begins where the first has ended, in either direction`() throws {
    let workspace = try workspace()
    let main = workspace.main
    let work = try workspace.fork(main, named: "work")
    try write(work, "/f", "one\n2\n3\n4\n5\n")
    try merge(work, into: main)
    // The line is changed again here, which would be a conflict with what was taken already.
    try write(main, "/f", "uno\n2\n3\n4\n5\n")
    try write(work, "/f", "one\n2\n3\n4\nfive\n")
    #expect(try merge(work, into: main).conflicts.isEmpty)
    #expect(try read(main, "/f") == "uno\n2\n3\n4\nfive\n")
    #expect(try merge(main, into: work).conflicts.isEmpty)
    #expect(try read(work, "/f") == "uno\n2\n3\n4\nfive\n")
    #expect(try workspace.planMerge(work, into: main).isEmpty)
  }

  @Test func `after its undo a merge can be done again`() throws {
    let workspace = try workspace()
    let work = try workspace.fork(workspace.main, named: "work")
    try write(work, "/f", "changed\n")
    try merge(work, into: workspace.main)
    try workspace.undo(workspace.main)
    #expect(try read(workspace.main, "/f") == "1\n2\n3\n4\n5\n")
    try merge(work, into: workspace.main)
    #expect(try read(workspace.main, "/f") == "changed\n")
    // What has been kept of ours stays, though theirs goes on being different.
    try write(workspace.main, "/f", "mine\n")
    try write(work, "/f", "theirs\n")
    #expect(try merge(work, into: workspace.main).conflicts.map(\.fields) == [["content"]])
    try merge(work, into: workspace.main, .ours)
    #expect(try workspace.planMerge(work, into: workspace.main).conflicts.isEmpty)
    try workspace.undo(workspace.main)
    #expect(try workspace.planMerge(work, into: workspace.main).conflicts.count == 1)
  }

  @Test func `forks of forks have the value where their lines parted in common`() throws {
    let workspace = try workspace()
    let main = workspace.main
    try write(main, "/a", "a")
    let first = try workspace.fork(main, named: "first")
    try write(first, "/b", "b")
    let second = try workspace.fork(first, named: "second")
    try write(second, "/c", "c")
    try workspace.drop(first)
    try write(main, "/a", "changed")
    let plan = try merge(second, into: main)
    #expect(plan.conflicts.isEmpty)
    #expect(try [read(main, "/a"), read(main, "/b"), read(main, "/c")] == ["changed", "b", "c"])
  }

  @Test func `what ours has undone since the fork is a change of theirs`() throws {
    let workspace = try workspace()
    let main = workspace.main
    try write(main, "/a", "a")
    try write(main, "/b", "b")
    let work = try workspace.fork(main, named: "work")
    try write(work, "/c", "c")
    try workspace.undo(main)
    #expect(try workspace.planMerge(work, into: main).ancestor.node(at: Array("/a".utf8)) != .root)
    try merge(work, into: main)
    #expect(try [read(main, "/a"), read(main, "/b"), read(main, "/c")] == ["a", "b", "c"])
  }

  @Test func `folding the layers of one side leaves the ancestor where it was`() throws {
    let workspace = try workspace()
    let main = workspace.main
    try write(main, "/a", "a")
    let work = try workspace.fork(main, named: "work")
    try write(main, "/a", "changed")
    try write(work, "/b", "b")
    _ = try workspace.squash(main)
    #expect(try merge(work, into: main).conflicts.isEmpty)
    #expect(try [read(main, "/a"), read(main, "/b")] == ["changed", "b"])
  }

  @Test func `what one side has changed alone is shared, block by block, and not copied`() throws {
    let workspace = try workspace()
    let work = try workspace.fork(workspace.main, named: "work")
    let text = String(repeating: "0123456789abcdef", count: 4096)
    try write(work, "/whole", text)
    try merge(work, into: workspace.main)
    let node = try workspace.main.value.node(at: Array("/whole".utf8))
    let runs = try workspace.main.blockMap(of: node)
    #expect(!runs.isEmpty && runs.allSatisfy { $0.sharedWith == ["work"] })
    // And yet neither sees what the other writes from now on.
    try write(work, "/whole", "work")
    #expect(try read(workspace.main, "/whole") == text)
  }

  @Test func `a file that is open stays open, also if the merge removes it`() throws {
    let workspace = try workspace()
    let work = try workspace.fork(workspace.main, named: "work")
    let client = Client(workspace.main, as: .superuser)
    try write(work, "/g", "new")
    try workspace.operation("rm", on: work) {
      try Client(work, as: .superuser).unlink(Array("/f".utf8))
    }
    let file = try client.open(Array("/f".utf8), [.read, .write])
    try merge(work, into: workspace.main)
    #expect(throws: FileError.notFound) { try client.resolve(Array("/f".utf8)) }
    #expect(try file.read(100, at: 0) == Array("1\n2\n3\n4\n5\n".utf8))
    _ = try file.write(Array("x".utf8), at: 0)
    #expect(try file.read(1, at: 0) == Array("x".utf8))
  }

  @Test func `a plan is refused once the fork has gone on`() throws {
    let workspace = try workspace()
    let work = try workspace.fork(workspace.main, named: "work")
    try write(work, "/g", "new")
    let plan = try workspace.planMerge(work, into: workspace.main)
    try write(workspace.main, "/h", "meanwhile")
    #expect { try workspace.merge(plan, into: workspace.main, "merge") } throws: {
      ($0 as? FileError)?.errno == .resourceTemporarilyUnavailable
    }
  }

  @Test func `merging ten files each of 100,000 looks at what was changed only`() throws {
    let workspace = try workspace([])
    let main = workspace.main
    let client = Client(main, as: .superuser)
    try workspace.operation("make", on: main) {
      for directory in 0..<100 {
        try client.makeDirectory(Array("/\(directory)".utf8))
        for file in 0..<1000 {
          let node = try client.resolve(Array("/\(directory)".utf8))
          _ = try main.create(
            Name("\(file)"), in: node, .regular, mode: 0o644, by: .superuser)
        }
      }
    }
    let work = try workspace.fork(main, named: "work")
    for number in 0..<10 {
      try write(main, "/\(number)/\(number)", "ours")
      try write(work, "/\(50 + number)/\(number)", "theirs")
    }
    let plan = try merge(work, into: main)
    #expect(plan.conflicts.isEmpty)
    #expect(try workspace.diff(plan.ours, plan.result).count == 10)
    // A page of each map for each file, and a few keys of it.
    #expect(plan.keysVisited < 20 * 64, "\(plan.keysVisited)")
    #expect(try read(main, "/59/9") == "theirs")
  }
}

/// The same over a store.
@Suite struct MergeStoreTests {
  @Test func `what was merged is there when the workspace is opened again, and passes check`()
    throws
  {
    let base = TableBase("base", device: 1, [("f", .file("f\n")), ("d/g", .file("g\n"))])
    let store = MemoryStore()
    var expected: [[UInt8]: MergeRow] = [:]
    do {
      let workspace = try Workspace(bases: [base], store: store, clock: { 1_000 })
      let work = try workspace.fork(workspace.main, named: "work")
      let client = Client(work, as: .superuser)
      try workspace.operation("change", on: work) {
        try client.write(Array("/new".utf8), [UInt8](repeating: 65, count: 20_000))
        try client.rename(Array("/d".utf8), to: Array("/e".utf8))
        try client.write(Array("/f".utf8), Array("changed\n".utf8))
      }
      try workspace.checkpoint()
      let plan = try workspace.planMerge(work, into: workspace.main)
      try workspace.merge(plan, into: workspace.main, "merge work")
      try workspace.checkpoint()
      try workspace.drop(work)
      try workspace.checkpoint()
      expected = try MergeRow.rows(workspace.main.value)
    }
    let again = try Workspace(bases: [base], store: store, clock: { 2_000 })
    #expect(try MergeRow.rows(again.main.value) == expected)
    try MergeWalker(value: again.main.value).check()
    #expect(try again.check().problems.isEmpty)
    try again.undo(again.main)
    #expect(try Client(again.main, as: .superuser).read(Array("/f".utf8)) == Array("f\n".utf8))
  }

  @Test func `a checkpoint that fails anywhere loses no layer of a merge`() throws {
    let base = TableBase("base", device: 1, [("f", .file("f\n")), ("d/g", .file("g\n"))])
    var isOver = false
    var failing = 0
    while !isOver {
      let store = MemoryStore()
      var expected: [[UInt8]: MergeRow] = [:]
      do {
        let workspace = try Workspace(bases: [base], store: store, clock: { 1_000 })
        try workspace.checkpoint()
        let work = try workspace.fork(workspace.main, named: "work")
        let other = try workspace.fork(workspace.main, named: "other")
        for (fork, name) in [(other, "/other"), (work, "/new"), (workspace.main, "/own")] {
          try workspace.operation("change", on: fork) {
            try Client(fork, as: .superuser).write(Array(name.utf8), Array("text\n".utf8))
          }
        }
        for (theirs, ours) in [(other, work), (work, workspace.main)] {
          let plan = try workspace.planMerge(theirs, into: ours)
          try workspace.merge(plan, into: ours, "merge")
          // Only the layer's source leads to what was merged.
          try workspace.drop(theirs)
        }
        store.failPut(after: failing)
        do throws(FileError) {
          try workspace.checkpoint()
        } catch {
          #expect(error.errno == .noSpace)
        }
        isOver = store.cancelFailure()
        try workspace.checkpoint()
        expected = try MergeRow.rows(workspace.main.value)
      }
      let again = try Workspace(bases: [base], store: store, clock: { 2_000 })
      #expect(try MergeRow.rows(again.main.value) == expected)
      let problems = try again.check().problems
      #expect(problems.isEmpty, "put \(failing)")
      failing += 1
    }
    #expect(failing > 5)
  }
}
