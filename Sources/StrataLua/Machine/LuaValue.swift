/// A Lua value outside Lua.
enum LuaValue: Sendable {
  case none
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  case string([UInt8])
  case table(LuaTable)
  /// What `strata.deny`, `strata.route` and the like return; a plain table is none.
  case verdict(LuaTable)
  case function(LuaFunction)
  /// A value without a form here, by its type's name.
  case other(String)

  static func text(_ string: String) -> LuaValue { .string(Array(string.utf8)) }
  static func int(_ value: some BinaryInteger) -> LuaValue { .integer(Int64(clamping: value)) }

  var isNil: Bool { if case .none = self { true } else { false } }
  var bytes: [UInt8]? { if case .string(let bytes) = self { bytes } else { nil } }
  var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
  var table: LuaTable? { if case .table(let table) = self { table } else { nil } }
  var function: LuaFunction? { if case .function(let function) = self { function } else { nil } }
  var isTrue: Bool {
    switch self {
    case .none, .boolean(false): false
    default: true
    }
  }
  /// A whole number, also as a float or in a string.
  var integer: Int64? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int64(exactly: value)
    case .string(let bytes): Int64(String(decoding: bytes, as: UTF8.self))
    default: nil
    }
  }

  /// What a message calls it: `a table`, `"text"`, `42`.
  var shown: String {
    switch self {
    case .none: "nil"
    case .boolean(let value): String(value)
    case .integer(let value): String(value)
    case .number(let value): String(value)
    case .string(let bytes): "\"\(String(decoding: bytes.prefix(40), as: UTF8.self))\""
    case .table: "a table"
    case .verdict: "a verdict"
    case .function: "a function"
    case .other(let type): "a \(type)"
    }
  }
}

/// The pairs of a Lua table, in no particular order.
struct LuaTable: Sendable {
  var pairs: [(key: LuaValue, value: LuaValue)] = []

  init(_ pairs: [(key: LuaValue, value: LuaValue)] = []) { self.pairs = pairs }

  init(_ fields: KeyValuePairs<String, LuaValue>) {
    pairs = fields.map { (.text($0.key), $0.value) }
  }

  /// A list: keys from 1.
  init(list: [LuaValue]) {
    pairs = list.enumerated().map { (.integer(Int64($0.offset + 1)), $0.element) }
  }

  subscript(name: String) -> LuaValue {
    let wanted = Array(name.utf8)
    return pairs.first { $0.key.bytes == wanted }?.value ?? .none
  }

  /// The values under 1, 2, … up to the first that is missing.
  var list: [LuaValue] {
    var byIndex: [Int64: LuaValue] = [:]
    for (key, value) in pairs {
      if case .integer(let index) = key { byIndex[index] = value }
    }
    var list: [LuaValue] = []
    while let value = byIndex[Int64(list.count) + 1] { list.append(value) }
    return list
  }

  var names: [String] { pairs.compactMap { $0.key.text }.sorted() }
}

/// A function of a Lua state, held by a reference that goes with the last of us.
final class LuaFunction: Sendable {
  let reference: Int32
  private let owner: LuaReferences

  init(_ reference: Int32, _ owner: LuaReferences) {
    self.reference = reference
    self.owner = owner
  }

  deinit { owner.release(reference) }
}
