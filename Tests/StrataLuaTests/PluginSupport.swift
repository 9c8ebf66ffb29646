import StrataEngine
import StrataTestSupport
import Synchronization

@testable import StrataLua

/// A workspace over a small base, with plugins, and what they said.
final class PluginBench: PluginHost {
  let workspace: Workspace
  let base: TableBase
  private let said = Mutex<(printed: [String], reported: [String])>(([], []))
  private let loaded = Mutex<PluginSet?>(nil)

  init(_ items: [(String, TableBase.Item)] = []) throws {
    let usual: [(String, TableBase.Item)] = [
      ("etc/hosts", .file("127.0.0.1 localhost\n")), ("usr/bin/x", .file("x\n")),
      ("big", .file([UInt8](repeating: 7, count: 100_000))),
    ]
    base = TableBase("base", usual + items)
    workspace = try Workspace(bases: [base], clock: { 7 })
    let plugins = PluginSet(workspace: workspace, host: self)
    loaded.withLock { $0 = plugins }
  }

  var plugins: PluginSet {
    get throws { try loaded.withLock { try present($0) } }
  }

  var currentFork: Fork { workspace.main }
  var caller: Caller { .superuser }
  var printed: [String] { said.withLock { $0.printed } }
  var reported: [String] { said.withLock { $0.reported } }

  func print(_ bytes: [UInt8]) {
    said.withLock { $0.printed.append(String(decoding: bytes, as: UTF8.self)) }
  }
  func report(_ text: String) { said.withLock { $0.reported.append(text) } }
  func freeBytes(_ directory: [UInt8]?) -> Int64 { directory == nil ? 1000 : 5000 }

  @discardableResult
  func load(_ code: String, name: String = "p") throws -> String {
    let text = "#!strata-plugin name=\(name) api=1\n\(code)"
    return try plugins.load(Array(text.utf8), from: Array("\(name).lua".utf8))
  }

  var client: Client { Client(workspace.main, as: .superuser) }

  /// Writes as one operation and returns what went wrong.
  func write(
    _ path: String, _ text: String = "new", append: Bool = false
  ) -> FileError? {
    do throws(FileError) {
      try workspace.operation("write \(path)", on: workspace.main) { () throws(FileError) in
        try client.write(Array(path.utf8), Array(text.utf8), append: append)
      }
      return nil
    } catch {
      return error
    }
  }

  func read(_ path: String) throws -> String {
    String(decoding: try client.read(Array(path.utf8)), as: UTF8.self)
  }

  /// How the first write to a path was done, and by what rule.
  func provenance(_ path: String) throws -> [String] {
    let node = try client.resolve(Array(path.utf8))
    return try workspace.main.provenance(of: node).map { "\($0.kind.rawValue) \($0.rule ?? "")" }
  }

  func diff() throws -> [String] {
    let main = workspace.main
    return try workspace.diff(main.origin, main.value).map {
      String(decoding: $0.path, as: UTF8.self)
    }
  }
}

private struct Missing: Error {}
func present<T>(_ value: T?) throws -> T {
  guard let value else { throw Missing() }
  return value
}
