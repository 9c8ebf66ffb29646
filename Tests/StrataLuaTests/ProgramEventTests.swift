import Glibc
import StrataEngine
import StrataSystem
import Synchronization
import Testing

@testable import StrataLua

/// Plugins are told of programs while those go on.
@Suite(.timeLimit(.minutes(1))) struct ProgramEventTests {
  private static let program = Caller(pid: 42, command: "make", isProgram: true)
  private let bench: PluginBench

  init() throws { bench = try PluginBench() }

  private func make(_ names: Range<Int>) throws {
    for number in names {
      _ = try bench.workspace.main.create(
        Name("f\(number)"), in: .root, .regular, mode: 0o644, by: Self.program)
    }
  }

  /// Makes files as a program does, on a thread of its own, while nobody can be told.
  private func whileNobodyListens(
    makes count: Int, _ body: (Counter) -> Void
  ) throws {
    let (made, bench) = (Counter(), bench)
    try bench.plugins.gate.enter { _ in
      try WorkerThread.start {
        for number in 0..<count {
          _ = try? bench.workspace.main.create(
            Name("f\(number)"), in: .root, .regular, mode: 0o644, by: Self.program)
          made.value.add(1, ordering: .relaxed)
        }
      }
      body(made)
    }
    made.wait(for: count)
  }

  private func told() throws -> String {
    try bench.plugins.catchUp()
    _ = try bench.plugins.run("told", [], on: bench.workspace.main, by: .superuser)
    return try #require(bench.printed.last)
  }

  @Test func `a plugin has been told all when an operation ends, in order`() throws {
    try bench.load(
      """
      local told = {}
      strata.on("after_create", function(ev)
        told[#told + 1] = ev.path
        assert(ev.pid == 42 and ev.command == "make")
        strata.store.last = ev.path
      end)
      strata.command("told", {run = function() print(#told, told[1], told[#told]) end})
      """)
    try bench.workspace.operation("make", on: bench.workspace.main) { try make(0..<300) }
    #expect(bench.workspace.main.annotation(plugin: "p", key: "last") != nil)
    #expect(try told() == "300\t/f0\t/f299\n")
    // What a handler has kept is part of the operation.
    try bench.workspace.undo(bench.workspace.main)
    #expect(bench.workspace.main.annotation(plugin: "p", key: "last") == nil)
  }

  @Test func `a program waits for a plugin that is far behind, and nothing is lost`() throws {
    try bench.load(
      """
      local count = 0
      strata.on("after_create", function() count = count + 1 end)
      strata.command("told", {run = function() print(count) end})
      """)
    try whileNobodyListens(makes: Deliveries.capacity + 500) { made in
      made.wait(for: Deliveries.capacity)
      usleep(20_000)
      #expect(made.value.load(ordering: .relaxed) == Deliveries.capacity)
    }
    #expect(try told() == "\(Deliveries.capacity + 500)\n")
    #expect(try bench.plugins.info.first?.dropped == 0)
  }

  @Test func `a plugin may rather miss events, which are counted`() throws {
    try bench.load(
      """
      local count = 0
      strata.on("after_create", {when_full = "drop"}, function() count = count + 1 end)
      strata.command("told", {run = function() print(count) end})
      """)
    let count = Deliveries.capacity + 500
    try whileNobodyListens(makes: count) { $0.wait(for: count) }
    #expect(try told() == "\(Deliveries.capacity)\n")
    #expect(try bench.plugins.info.first?.dropped == 500)
  }

  @Test(arguments: [true, false])
  func `a plugin that is replaced or unloaded has been told all, and is told nothing more`(
    _ isReplaced: Bool
  ) throws {
    try bench.load(
      "strata.on('after_create', function(ev) print('old ' .. ev.path) end)")
    let plugins = try bench.plugins
    let old = try #require(plugins.plugins.first)
    let handler = try #require(old.handlers.first)
    try make(0..<3)
    if isReplaced { try bench.load("-- nothing") } else { try plugins.unload("p") }
    #expect(bench.printed == ["old /f0\n", "old /f1\n", "old /f2\n"])
    // What somebody had looked up before comes late.
    let late = Event(.create)
    _ = plugins.deliveries.put(
      .init(event: late, fork: bench.workspace.main, plugin: old, handler: handler))
    plugins.catchUp()
    #expect(bench.printed.count == 3 && bench.reported.isEmpty, "\(bench.reported)")
  }

  @Test func `only who observes may miss events`() throws {
    #expect(throws: PluginError.self) {
      try bench.load("strata.on('before_create', {when_full = 'drop'}, function() end)")
    }
    #expect(throws: PluginError.self) {
      try bench.load("strata.on('after_create', {when_full = 'block'}, function() end)")
    }
  }
}

private final class Counter: Sendable {
  let value = Atomic(0)
  func wait(for count: Int) { while value.load(ordering: .relaxed) < count { usleep(1000) } }
}
