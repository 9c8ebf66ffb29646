internal import StrataEngine
internal import Synchronization

/// A loaded plugin: its Lua state and what it has registered there. Used inside the gate only.
final class Plugin: @unchecked Sendable {
  let name: String
  let path: [UInt8]
  let state: LuaState
  unowned let set: PluginSet

  var handlers: [Handler] = []
  var policies: [LuaPolicy] = []
  var commands: [LuaCommand] = []
  var settings: [Setting] = []
  var healthChecks: [LuaFunction] = []
  var calls = 0
  var failures = 0
  var failuresInRow = 0
  private let missed = Atomic(0)
  /// Why it is not asked any more; nil while it is.
  var disabled: String?

  /// Loads a plugin's text, whose first line says which it is: `#!strata-plugin name=guard api=1`.
  init(_ text: [UInt8], from path: [UInt8], in set: PluginSet) throws(PluginError) {
    let header = try PluginHeader(text, path)
    name = header.name
    self.path = path
    self.set = set
    do throws(LuaFailure) {
      state = try LuaState(limits: set.limits, seed: set.seed)
      try state.setFields(EventFields.names)
      for function in API.functions { try function.register(self) }
      try state.run(header.code, name: fileName)
    } catch {
      throw PluginError(error.message, traceback: error.traceback)
    }
  }

  /// Events that it was not told of, because too many waited; counted from any thread.
  var dropped: Int { missed.load(ordering: .relaxed) }
  func noteDropped() { missed.add(1, ordering: .relaxed) }

  /// What messages call it: the file's name without its directory.
  var fileName: String {
    let start = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    return path.isEmpty ? name : String(decoding: path[start...], as: UTF8.self)
  }

  func place(_ line: Int) -> String { "\(fileName):\(line)" }

  /// Events that it is to be asked about, and told of.
  var interest: (asked: EventSet, told: EventSet) {
    guard disabled == nil else { return ([], []) }
    var asked = EventSet(handlers.filter(\.isBefore).map(\.kind))
    let told = EventSet(handlers.filter { !$0.isBefore }.map(\.kind))
    if !policies.isEmpty { asked.formUnion(EventSet([.copyUp, .redirect])) }
    if policies.contains(where: \.concernsNames) {
      asked.formUnion(EventSet([.create, .remove, .rename, .link, .setattr]))
    }
    return (asked, told)
  }
}

extension LuaPolicy {
  /// Whether a rule routes, or denies, so that it holds for more than first writes.
  var concernsNames: Bool {
    rules.contains { rule in
      if case .deny? = rule.effect { return true }
      return rule.route != nil
    }
  }
}

/// Why a plugin is not loaded.
public struct PluginError: Error, Sendable {
  public var message: String
  public var traceback: String

  public init(_ message: String, traceback: String = "") {
    self.message = message
    self.traceback = traceback
  }
}

/// The first line of a plugin.
struct PluginHeader {
  static let version = 1
  let name: String
  /// The text with the header as a comment, so that lines keep their numbers.
  let code: [UInt8]

  init(_ text: [UInt8], _ path: [UInt8]) throws(PluginError) {
    let shown = String(decoding: path, as: UTF8.self)
    let line = String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" })
    guard words.first == "#!strata-plugin" else {
      throw PluginError(
        "\(shown):1: not a plugin: the first line must be '#!strata-plugin name=NAME api=1'")
    }
    var fields: [String: String] = [:]
    for word in words.dropFirst() {
      let parts = word.split(separator: "=", maxSplits: 1)
      if parts.count == 2 { fields[String(parts[0])] = String(parts[1]) }
    }
    guard let name = fields["name"], !name.isEmpty,
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") })
    else {
      throw PluginError("\(shown):1: name= is missing, or not of letters, digits, _ and -")
    }
    guard fields["api"] == String(Self.version) else {
      throw PluginError(
        "\(shown):1: written for api=\(fields["api"] ?? "?"), this strata has api=\(Self.version)")
    }
    self.name = name
    code = Array("--".utf8) + text
  }
}
