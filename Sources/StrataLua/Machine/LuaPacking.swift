internal import CLua

/// Packs values into the bytes in which they cross to Lua; see `CLua.h`.
struct LuaPacker {
  private(set) var bytes: [UInt8] = []

  mutating func reset() { bytes.removeAll(keepingCapacity: true) }

  mutating func append(_ value: LuaValue) {
    switch value {
    case .none, .other: tag(STRATA_NIL)
    case .boolean(let value): tag(value ? STRATA_TRUE : STRATA_FALSE)
    case .integer(let value):
      tag(STRATA_INT)
      raw(value)
    case .number(let value):
      tag(STRATA_NUMBER)
      raw(value)
    case .string(let text):
      tag(STRATA_STRING)
      raw(UInt32(clamping: text.count))
      bytes += text
    case .table(let table): append(table, STRATA_TABLE)
    case .verdict(let table): append(table, STRATA_VERDICT)
    case .function(let function):
      tag(STRATA_FUNCTION)
      raw(function.reference)
    }
  }

  private mutating func append(_ table: LuaTable, _ kind: strata_tag) {
    tag(kind)
    for (key, value) in table.pairs {
      append(key)
      append(value)
    }
    tag(STRATA_END)
  }

  private mutating func tag(_ tag: strata_tag) { bytes.append(UInt8(tag.rawValue)) }

  private mutating func raw<T: BitwiseCopyable>(_ value: T) {
    withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
  }
}

/// Reads packed values. What C packed is well-formed; anything else ends the reading.
struct LuaUnpacker {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  private let references: LuaReferences

  init(_ bytes: UnsafeRawBufferPointer, _ references: LuaReferences) {
    self.bytes = bytes
    self.references = references
  }

  mutating func all() -> [LuaValue] {
    var values: [LuaValue] = []
    while let value = next() { values.append(value) }
    return values
  }

  private mutating func next() -> LuaValue? {
    guard position < bytes.count else { return nil }
    let tag = strata_tag(UInt32(bytes[position]))
    position += 1
    switch tag {
    case STRATA_NIL: return LuaValue.none
    case STRATA_FALSE: return .boolean(false)
    case STRATA_TRUE: return .boolean(true)
    case STRATA_INT: return raw(Int64.self).map { .integer($0) }
    case STRATA_NUMBER: return raw(Double.self).map { .number($0) }
    case STRATA_STRING: return string().map { .string($0) }
    case STRATA_OTHER: return string().map { .other(String(decoding: $0, as: UTF8.self)) }
    case STRATA_FUNCTION:
      return raw(Int32.self).map { .function(LuaFunction($0, references)) }
    case STRATA_TABLE: return .table(table())
    case STRATA_VERDICT: return .verdict(table())
    default: return nil
    }
  }

  private mutating func table() -> LuaTable {
    var pairs: [(key: LuaValue, value: LuaValue)] = []
    while position < bytes.count, bytes[position] != UInt8(STRATA_END.rawValue) {
      guard let key = next(), let value = next() else { break }
      pairs.append((key, value))
    }
    position += 1
    return LuaTable(pairs)
  }

  private mutating func raw<T: BitwiseCopyable>(_ type: T.Type) -> T? {
    let size = MemoryLayout<T>.size
    guard bytes.count - position >= size else { return nil }
    defer { position += size }
    return bytes.loadUnaligned(fromByteOffset: position, as: type)
  }

  private mutating func string() -> [UInt8]? {
    guard let size = raw(UInt32.self), bytes.count - position >= Int(size) else { return nil }
    defer { position += Int(size) }
    return Array(bytes[position..<position + Int(size)])
  }
}
