internal import StrataEngine
internal import SystemPackage

/// What a test may call on `t`. Changes are made as a user makes them: through the plugin, each an
/// operation that `t.undo()` takes back; they return true, or nil, a message and the error's name.
enum TestFunctions {
  typealias Body = (TestBench, [LuaValue]) throws(LuaCallFailure) -> [LuaValue]

  static var all: [(name: String, body: Body)] {
    [
      (
        "write",
        change { client, values throws(FileError) in
          try client.write(bytes(values, 0), bytes(values, 1))
        }
      ),
      (
        "append",
        change { client, values throws(FileError) in
          try client.write(bytes(values, 0), bytes(values, 1), append: true)
        }
      ),
      (
        "remove",
        change { client, values throws(FileError) in
          let path = bytes(values, 0)
          if try client.attributes(path, follow: false).kind == .directory {
            try client.removeDirectory(path)
          } else {
            try client.unlink(path)
          }
        }
      ),
      (
        "mkdir",
        change { client, values throws(FileError) in try client.makeDirectory(bytes(values, 0)) }
      ),
      (
        "rename",
        change { client, values throws(FileError) in
          try client.rename(bytes(values, 0), to: bytes(values, 1))
        }
      ),
      (
        "chmod",
        change { client, values throws(FileError) in
          let mode = UInt32(clamping: values.count > 1 ? values[1].integer ?? 0 : 0)
          try client.setAttributes(bytes(values, 0), AttributeChanges(mode: mode))
        }
      ),
      ("read", read), ("exists", exists), ("undo", undo), ("forks", forks), ("set", set),
      ("run", run), ("command", command), ("events", events), ("diff", diff), ("side", side),
      ("fork", fork), ("switch", enter), ("merge", merge),
    ]
  }

  private static func bytes(_ values: [LuaValue], _ index: Int) -> [UInt8] {
    index < values.count ? values[index].bytes ?? [] : []
  }

  private static func text(_ values: [LuaValue], _ index: Int) -> String {
    String(decoding: bytes(values, index), as: UTF8.self)
  }

  private static func outcome(_ error: FileError) -> [LuaValue] {
    let reason = error.reason.map { " (\($0))" } ?? ""
    return [.none, .text("\(error.errno)\(reason)"), .text(ErrnoNames.name(error.errno))]
  }

  private static func change(
    _ body: @escaping (Client, [LuaValue]) throws(FileError) -> Void
  ) -> Body {
    { bench, values throws(LuaCallFailure) in
      do throws(FileError) {
        try bench.workspace.operation("test", on: bench.currentFork) { () throws(FileError) in
          try body(bench.client, values)
        }
        return [.boolean(true)]
      } catch {
        return outcome(error)
      }
    }
  }

  private static func read(
    _ bench: TestBench, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    do throws(FileError) {
      return [.string(try bench.client.read(bytes(values, 0)))]
    } catch {
      return outcome(error)
    }
  }

  private static func exists(
    _ bench: TestBench, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    [.boolean((try? bench.client.attributes(bytes(values, 0), follow: false)) != nil)]
  }

  private static func undo(
    _ bench: TestBench, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    do throws(FileError) {
      try bench.workspace.undo(bench.currentFork)
      return [.boolean(true)]
    } catch {
      return outcome(error)
    }
  }

  private static func forks(
    _ bench: TestBench, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    [.list(bench.workspace.forks.map { .text($0.name) })]
  }

  private static func set(
    _ bench: TestBench, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let value = values.count > 1 ? values[1].text ?? values[1].shown : ""
    let name = bench.plugins?.info.first?.name ?? ""
    do throws(PluginError) {
      try bench.plugins?.set(text(values, 0), of: name, to: value)
      return []
    } catch {
      throw LuaCallFailure(error.message)
    }
  }

  /// A command that the plugin has registered: its status and what it printed.
  private static func run(
    _ bench: TestBench, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let arguments = values.dropFirst().map { $0.bytes ?? Array($0.shown.utf8) }
    _ = bench.takePrinted()
    do throws(PluginError) {
      let status = try bench.plugins?.run(
        text(values, 0), arguments, on: bench.currentFork, by: bench.caller)
      return [.integer(Int64(status ?? 127)), .string(bench.takePrinted())]
    } catch {
      throw LuaCallFailure(error.message)
    }
  }

  /// Tells the plugin of a command line, as the shell does before it runs it.
  private static func command(
    _ bench: TestBench, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    var event = Event(.command)
    event.fork = bench.currentFork.name
    event.caller = bench.caller
    event.caller.command = text(values, 0)
    do throws(FileError) {
      if bench.workspace.hooks.isAsked(.command) {
        _ = try bench.workspace.hooks.ask(event, on: bench.currentFork)
      }
      return [.boolean(true)]
    } catch {
      return outcome(error)
    }
  }

  /// The copy-on-write events since the last call: `copy_up /etc/hosts`.
  private static func events(
    _ bench: TestBench, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    [.list(bench.takeEvents().map { .text($0) })]
  }

  /// What differs from the base: `added /x`.
  private static func diff(
    _ bench: TestBench, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    let main = bench.currentFork
    do throws(FileError) {
      let changes = try bench.workspace.diff(main.origin, main.value)
      return [.list(changes.map { .string(Array("\($0.kind.rawValue) ".utf8) + $0.path) })]
    } catch {
      throw LuaCallFailure("\(error.errno)")
    }
  }

  /// The side layer that a path's node lives in; nil for none.
  private static func side(
    _ bench: TestBench, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    do throws(FileError) {
      let node = try bench.client.resolve(bytes(values, 0))
      return [bench.currentFork.sideLayer(of: node).map { .text($0.name) } ?? .none]
    } catch {
      return outcome(error)
    }
  }

  // MARK: Forks

  /// Makes a fork of the current one, and stays.
  private static func fork(
    _ bench: TestBench, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    do throws(FileError) {
      try bench.workspace.fork(bench.currentFork, named: text(values, 0), by: bench.caller)
      return [.boolean(true)]
    } catch {
      return outcome(error)
    }
  }

  /// Goes to another fork: what follows works there.
  private static func enter(
    _ bench: TestBench, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    guard let fork = bench.workspace.fork(named: text(values, 0)) else {
      throw LuaCallFailure("there is no fork '\(text(values, 0))'")
    }
    bench.enter(fork)
    return []
  }

  /// Merges a fork into the current one. Fails with `EBUSY` where a conflict is left: then there is
  /// a list of what it is about, and nothing is changed.
  private static func merge(
    _ bench: TestBench, _ values: [LuaValue]
  ) throws(LuaCallFailure) -> [LuaValue] {
    guard let fork = bench.workspace.fork(named: text(values, 0)) else {
      throw LuaCallFailure("there is no fork '\(text(values, 0))'")
    }
    do throws(FileError) {
      let plan = try bench.workspace.planMerge(fork, into: bench.currentFork, by: bench.caller)
      guard plan.conflicts.isEmpty else {
        let list = plan.conflicts.map {
          LuaValue.string($0.path + Array(": \($0.kind.rawValue)".utf8))
        }
        return [.none, .text("conflicts"), .text("EBUSY"), .list(list)]
      }
      try bench.workspace.merge(plan, into: bench.currentFork, "merge", by: bench.caller)
      return [.boolean(true)]
    } catch {
      return outcome(error)
    }
  }
}
