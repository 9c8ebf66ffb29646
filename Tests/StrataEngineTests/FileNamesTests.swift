import StrataTestSupport
import SystemPackage
import Synchronization
import Testing

@testable import StrataEngine

/// Which names of a file are known where somebody asks for them.
@Suite struct FileNamesTests {
  /// Keeps the last event.
  private final class Last: Policy, Observer {
    let interest = EventSet([.write, .copyUp, .setattr])
    let event = Mutex<Event?>(nil)
    func decide(_ event: Event, on fork: Fork) throws(FileError) -> Verdict {
      self.event.withLock { $0 = event }
      return .proceed
    }
    func observe(_ event: Event, on fork: Fork) { self.event.withLock { $0 = event } }

    func take() -> Event? {
      event.withLock { event in
        defer { event = nil }
        return event
      }
    }
  }

  private func path(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test func `an event has the name that was used, through a symbolic link as well`() throws {
    let base = TableBase(
      "base", [("d/a", .file("one")), ("s", .symlink("d/a")), ("one", .file("1"))])
    base.link("d/a", as: "b")
    let workspace = try Workspace(bases: [base], clock: { 7 })
    let last = Last()
    workspace.hooks.policy = last
    let client = Client(workspace.main, as: .superuser)
    _ = try client.resolve(path("/d/a"))
    for (used, shown) in [("/b", "/b"), ("/d/../d/a", "/d/a"), ("/s", "/d/a"), ("/b", "/b")] {
      try client.write(path(used), path("x"), append: true)
      let event = last.take()
      #expect(event?.path == path(shown))
      #expect(event?.names?.isUsed == true)
      try client.setAttributes(path(used), AttributeChanges(mode: 0o600))
      #expect(last.take()?.path == path(shown))
      try client.setExtendedAttribute(path(used), Name("user.x"), path("x"))
      #expect(last.take()?.path == path(shown))
      #expect(try client.absolutePath(of: path(used)) == path(shown))
    }
    #expect(try client.absolutePath(of: path("/s"), follow: false) == path("/s"))
    // What has one name has no others to look for.
    try client.write(path("/one"), path("x"), append: true)
    #expect(last.take()?.names == nil)
  }

  @Test func `a file that is open goes by another name when its own is gone`() throws {
    let base = TableBase("base", [("a", .file("one"))])
    let workspace = try Workspace(bases: [base], clock: { 7 })
    let last = Last()
    workspace.hooks.policy = last
    let client = Client(workspace.main, as: .superuser)
    for name in ["/b", "/c"] { try client.link(path("/a"), as: path(name)) }
    let file = try client.open(path("/b"), [.write])
    _ = try file.write(path("x"), at: 0)
    #expect(last.take()?.path == path("/b"))
    try client.unlink(path("/b"))
    _ = try file.write(path("x"), at: 0)
    let event = last.take()
    #expect(event?.path == path("/c") && event?.names?.isUsed == false)
    #expect(event?.names?.known.map { String(decoding: $0, as: UTF8.self) } == ["/c", "/a"])
  }

  /// The names of some files against all that looking at every entry finds, in two forks.
  @Test(arguments: 0..<20) func `all names are known whatever was renamed`(_ offset: Int) throws {
    var random = SeededGenerator(seed: try TestSeed.first(4100) + UInt64(offset))
    let base = TableBase("base", [("d/a", .file("a")), ("e/b", .file("b")), ("c", .file("c"))])
    base.link("d/a", as: "x")
    base.link("e/b", as: "d/y")
    let workspace = try Workspace(bases: [base], clock: { 7 })
    let forks = [workspace.main, try workspace.fork(workspace.main, named: "work")]
    let names = [
      "/d/a", "/x", "/e/b", "/d/y", "/c", "/d/1", "/e/2", "/3", "/e/4", "/d", "/e", "/f",
    ]
    for _ in 0..<120 {
      let fork = random.pick(forks)
      let client = Client(fork, as: .superuser)
      let (one, other) = (path(random.pick(names)), path(random.pick(names)))
      let choice = random.below(12)
      try? workspace.operation("change", on: fork) { () throws(FileError) in
        switch choice {
        case 0..<5: try client.link(one, as: other)
        case 5..<8: try client.rename(one, to: other)
        case 8: try client.rename(one, to: other, .exchange)
        case 9: try client.setAttributes(one, AttributeChanges(mode: 0o600))
        default: try client.unlink(one)
        }
      }
      if random.chance(10) { _ = try? workspace.undo(fork) }
      for fork in forks {
        let value = fork.value
        for name in names {
          guard let node = try value.find(at: path(name)) else { continue }
          let attributes = try value.attributes(node)
          guard attributes.kind == .regular, attributes.links > 1 else { continue }
          let known = FileNames(of: node, in: value, fork.linkPlaces, isUsed: false).known
          #expect(known.count == Set(known).count)
          #expect(Set(known) == Set(value.paths(of: node)))
        }
      }
    }
  }
}
