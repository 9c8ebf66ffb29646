import StrataTestSupport
import Testing

@testable import StrataEngine

/// Each kind of conflict, and how it comes out either way.
@Suite struct MergeConflictTests {
  /// What a side does to the tree of the test.
  typealias Act = @Sendable (Client) throws -> Void

  struct Case: CustomTestStringConvertible, Sendable {
    var name: String
    var kind: MergeConflict.Kind
    var path: String
    var theirPath: String?
    var fields: [String] = []
    var ours: Act
    var theirs: Act
    /// Content by path, nil for nothing, after each choice.
    var kept: [String: String?]
    var taken: [String: String?]
    var testDescription: String { name }
  }

  private static let cases: [Case] = [
    Case(
      name: "one line", kind: .bothChanged, path: "/f", fields: ["content"],
      ours: { try $0.write("/f", "ours\n") }, theirs: { try $0.write("/f", "theirs\n") },
      kept: ["/f": "ours\n"], taken: ["/f": "theirs\n"]),
    Case(
      name: "mode", kind: .bothChanged, path: "/f", fields: ["mode"],
      ours: { try $0.setAttributes(bytes("/f"), AttributeChanges(mode: 0o600)) },
      theirs: { try $0.setAttributes(bytes("/f"), AttributeChanges(mode: 0o640)) },
      kept: ["/f": "f\n"], taken: ["/f": "f\n"]),
    Case(
      name: "extended attribute", kind: .bothChanged, path: "/d", fields: ["xattr user.a"],
      ours: { try $0.setExtendedAttribute(bytes("/d"), "user.a", [1]) },
      theirs: { try $0.setExtendedAttribute(bytes("/d"), "user.a", [2]) }, kept: [:], taken: [:]),
    Case(
      name: "made twice", kind: .bothChanged, path: "/n", fields: ["content"],
      ours: { try $0.write("/n", "ours\n") }, theirs: { try $0.write("/n", "theirs\n") },
      kept: ["/n": "ours\n"], taken: ["/n": "theirs\n"]),
    Case(
      name: "changed here, removed there", kind: .changedRemoved, path: "/f",
      ours: { try $0.write("/f", "ours\n") }, theirs: { try $0.unlink(bytes("/f")) },
      kept: ["/f": "ours\n"], taken: ["/f": nil]),
    Case(
      name: "removed here, changed there", kind: .changedRemoved, path: "/f",
      ours: { try $0.unlink(bytes("/f")) }, theirs: { try $0.write("/f", "theirs\n") },
      kept: ["/f": nil], taken: ["/f": "theirs\n"]),
    Case(
      name: "removed directory with something new", kind: .changedRemoved, path: "/d/n",
      ours: { try $0.write("/d/n", "ours\n") },
      theirs: {
        try $0.unlink(bytes("/d/g"))
        try $0.removeDirectory(bytes("/d"))
      }, kept: ["/d/n": "ours\n", "/d/g": nil], taken: ["/d": nil]),
    Case(
      name: "new in a removed directory", kind: .changedRemoved, path: "/d/n",
      ours: {
        try $0.unlink(bytes("/d/g"))
        try $0.removeDirectory(bytes("/d"))
      }, theirs: { try $0.write("/d/n", "theirs\n") },
      kept: ["/d": nil], taken: ["/d/n": "theirs\n", "/d/g": nil]),
    Case(
      name: "type", kind: .type, path: "/f",
      ours: { try $0.write("/f", "ours\n") },
      theirs: {
        try $0.unlink(bytes("/f"))
        try $0.makeSymlink(bytes("/f"), target: bytes("d/g"))
      }, kept: ["/f": "ours\n"], taken: ["/f": "g\n"]),
    Case(
      name: "directory and file", kind: .directoryFile, path: "/n",
      ours: { try $0.write("/n", "ours\n") },
      theirs: {
        try $0.makeDirectory(bytes("/n"))
        try $0.write("/n/inside", "theirs\n")
      }, kept: ["/n": "ours\n", "/n/inside": nil], taken: ["/n/inside": "theirs\n"]),
    Case(
      name: "two new names", kind: .renameRename, path: "/ours", theirPath: "/theirs",
      ours: { try $0.rename(bytes("/f"), to: bytes("/ours")) },
      theirs: { try $0.rename(bytes("/f"), to: bytes("/theirs")) },
      kept: ["/ours": "f\n", "/theirs": nil, "/f": nil],
      taken: ["/ours": nil, "/theirs": "f\n", "/f": nil]),
    Case(
      name: "directories in each other", kind: .renameRename, path: "/d", theirPath: "/e/d",
      ours: { try $0.rename(bytes("/e"), to: bytes("/d/e")) },
      theirs: { try $0.rename(bytes("/d"), to: bytes("/e/d")) },
      kept: ["/d/e/h": "h\n", "/e": nil], taken: ["/e/d/g": "g\n", "/d": nil]),
  ]

  private func forks(_ test: Case) throws -> (Workspace, Fork) {
    let table = TableBase(
      "base", device: 1,
      [("f", .file("f\n")), ("d/g", .file("g\n")), ("e/h", .file("h\n"))])
    let workspace = try Workspace(bases: [table], clock: { 1_000 })
    let work = try workspace.fork(workspace.main, named: "work")
    try workspace.operation("ours", on: workspace.main) {
      try test.ours(Client(workspace.main, as: .superuser))
    }
    try workspace.operation("theirs", on: work) { try test.theirs(Client(work, as: .superuser)) }
    return (workspace, work)
  }

  @Test(arguments: cases)
  func `a conflict is told by its kind, and settled either way`(_ test: Case) throws {
    let (workspace, work) = try forks(test)
    let main = workspace.main
    let before = try MergeRow.rows(main.value)
    let plan = try workspace.planMerge(work, into: main)
    let conflict = try #require(plan.conflicts.first)
    #expect(plan.conflicts.count == 1, "\(plan.conflicts.map(\.kind))")
    #expect(conflict.kind == test.kind)
    #expect(String(decoding: conflict.path, as: UTF8.self) == test.path)
    #expect(conflict.theirPath.map { String(decoding: $0, as: UTF8.self) } == test.theirPath)
    #expect(conflict.fields == test.fields)
    #expect(throws: FileError.self) { try workspace.merge(plan, into: main, "merge") }
    #expect(try MergeRow.rows(main.value) == before)
    for (choice, expected) in [(MergeChoice.ours, test.kept), (.theirs, test.taken)] {
      // Once for all, once for this path alone.
      for isNamed in [false, true] {
        var settling = MergeSettling()
        settling.all = isNamed ? nil : choice
        if isNamed, choice == .ours { settling.ours = [conflict.path] }
        if isNamed, choice == .theirs { settling.theirs = [conflict.path] }
        let plan = try workspace.planMerge(work, into: main, settling)
        #expect(plan.conflicts.isEmpty && plan.settled.map(\.choice) == [choice])
        try workspace.merge(plan, into: main, "merge")
        try MergeWalker(value: main.value).check()
        let client = Client(main, as: .superuser)
        for (path, content) in expected {
          let found = try? client.read(bytes(path)).map { $0 }
          let shown = found.map { String(decoding: $0, as: UTF8.self) }
          #expect(shown == content, "\(path) after \(choice.word)")
        }
        try workspace.undo(main)
        #expect(try MergeRow.rows(main.value) == before)
      }
    }
  }

  @Test func `merged content settles what both have changed, and removed`() throws {
    for test in Self.cases where test.kind == .bothChanged || test.kind == .changedRemoved {
      guard test.path == "/f" || test.path == "/n", test.fields != ["mode"] else { continue }
      let (workspace, work) = try forks(test)
      workspace.hooks.policy = Merging()
      let plan = try workspace.planMerge(work, into: workspace.main)
      try workspace.merge(plan, into: workspace.main, "merge")
      try MergeWalker(value: workspace.main.value).check()
      let text = try Client(workspace.main, as: .superuser).read(bytes(test.path))
      #expect(
        String(decoding: text, as: UTF8.self) == "merged \(test.kind.rawValue)", "\(test.name)")
    }
  }

  @Test func `a policy may refuse the merge, and sees all three contents`() throws {
    let (workspace, work) = try forks(Self.cases[0])
    let policy = Refusing()
    workspace.hooks.policy = policy
    #expect { try workspace.planMerge(work, into: workspace.main) } throws: {
      ($0 as? FileError)?.reason == "f\n|ours\n|theirs\n"
    }
  }

  @Test func `lines in conflict go into the file between markers`() throws {
    let (workspace, work) = try forks(Self.cases[0])
    var settling = MergeSettling()
    settling.writesMarkers = true
    let plan = try workspace.planMerge(work, into: workspace.main, settling)
    #expect(plan.conflicts.isEmpty && plan.merged.map(\.way) == [.markers])
    try workspace.merge(plan, into: workspace.main, "merge")
    let text = try Client(workspace.main, as: .superuser).read(bytes("/f"))
    #expect(
      String(decoding: text, as: UTF8.self)
        == "<<<<<<< main\nours\n=======\ntheirs\n>>>>>>> work\n")
  }
}

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

extension Client {
  fileprivate func write(_ path: String, _ text: String) throws {
    try write(bytes(path), bytes(text))
  }
}

private final class Merging: Policy {
  let interest = EventSet([.merge])
  func decide(_ event: Event, on fork: Fork) throws(FileError) -> Verdict {
    guard let conflict = event.conflict else { return .proceed }
    return Verdict(merge: .merged(bytes("merged \(conflict.kind.rawValue)")))
  }
}

private final class Refusing: Policy {
  let interest = EventSet([.merge])
  func decide(_ event: Event, on fork: Fork) throws(FileError) -> Verdict {
    guard let contents = event.conflict?.contents else { return .proceed }
    var parts: [String] = []
    for side in MergeContents.Side.allCases {
      parts.append(String(decoding: try contents.bytes(side) ?? [], as: UTF8.self))
    }
    throw FileError(.notPermitted, parts.joined(separator: "|"))
  }
}
