internal import StrataEngine
internal import Synchronization

/// What one test of a plugin works in: a fresh workspace over the test's base, and the plugin.
final class TestBench: PluginHost, Observer {
  let interest: EventSet = EventSet([.copyUp, .redirect, .metadataCopy, .whiteout, .opaque])
  let workspace: Workspace
  let caller: Caller = .superuser
  private let said = Mutex<(printed: [UInt8], reported: [String], events: [String])>(([], [], []))
  private let loaded = Mutex<PluginSet?>(nil)
  private let entered = Mutex<Fork?>(nil)

  init(
    _ files: [(path: [UInt8], content: [UInt8])], plugin: [UInt8], at path: [UInt8]
  ) throws(PluginError) {
    do throws(FileError) {
      workspace = try Workspace(bases: [MemoryBase(files)], clock: { 946_684_800_000_000_000 })
    } catch {
      throw PluginError("\(error.errno)")
    }
    let plugins = PluginSet(workspace: workspace, host: self)
    loaded.withLock { $0 = plugins }
    workspace.hooks.add(self)
    try plugins.load(plugin, from: path)
  }

  var plugins: PluginSet? { loaded.withLock { $0 } }
  /// The fork that a test works in: `main` unless it has gone to another.
  var currentFork: Fork { entered.withLock { $0 } ?? workspace.main }
  var client: Client { Client(currentFork, as: caller) }

  func enter(_ fork: Fork) { entered.withLock { $0 = fork } }

  func print(_ bytes: [UInt8]) { said.withLock { $0.printed += bytes } }
  func report(_ text: String) { said.withLock { $0.reported.append(text) } }
  func freeBytes(_ directory: [UInt8]?) -> Int64 { 1 << 30 }

  func observe(_ event: Event, on fork: Fork) {
    let path = String(decoding: event.path, as: UTF8.self)
    said.withLock { $0.events.append("\(event.kind.rawValue) \(path)") }
  }

  func takePrinted() -> [UInt8] {
    said.withLock { said in
      defer { said.printed = [] }
      return said.printed
    }
  }

  func takeEvents() -> [String] {
    said.withLock { said in
      defer { said.events = [] }
      return said.events
    }
  }
}
