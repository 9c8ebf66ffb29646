internal import CLua

/// Why a plugin's code did not come to its end.
struct LuaFailure: Error, Sendable {
  enum Kind: Sendable { case error, syntax, memory, budget, interrupted }
  var kind: Kind
  /// With the plugin's name and line in front, where there is one: `guard.lua:12: too large`.
  var message: String
  var traceback: String
}

/// What a function that Lua calls refuses with: becomes an error at the caller's line.
struct LuaCallFailure: Error {
  var message: String
  init(_ message: String) { self.message = message }
}

struct LuaLimits: Sendable {
  /// Bytes that a state may hold.
  var memory = 64 << 20
  /// Instructions a call, all its coroutines together; allocating and matching cost as well.
  var instructions: Int64 = 50_000_000
}

/// One Lua state with its limits. Not for two threads at once: its owner sees to that, but for
/// ``interrupt()``.
///
/// Lua's longjmp never crosses a Swift frame: what C calls here returns a status, and everything
/// that may raise runs in C under `lua_pcall`.
final class LuaState {
  typealias Function = (LuaState, [LuaValue]) throws(LuaCallFailure) -> [LuaValue]

  private var raw: OpaquePointer?
  private var functions: [Function] = []
  private let references = LuaReferences()
  private var provide: ((Int) -> LuaValue)?
  /// Kept for its room: fields are what is read most.
  private var fieldPacker = LuaPacker()

  /// - Throws: what there is no memory for.
  init(limits: LuaLimits = LuaLimits(), seed: UInt64) throws(LuaFailure) {
    let callbacks = strata_callbacks(
      context: nil,
      call: { context, number, arguments, size, results in
        LuaState.from(context)?.call(number, arguments, size, results) ?? false
      },
      field: { context, index, value in
        LuaState.from(context)?.field(index, value) ?? false
      })
    var own = callbacks
    own.context = Unmanaged.passUnretained(self).toOpaque()
    raw = strata_lua_new(limits.memory, limits.instructions, seed, own)
    guard raw != nil else {
      throw LuaFailure(kind: .memory, message: "not enough memory for a Lua state", traceback: "")
    }
  }

  deinit { if let raw { strata_lua_close(raw) } }

  private static func from(_ context: UnsafeMutableRawPointer?) -> LuaState? {
    context.map { Unmanaged<LuaState>.fromOpaque($0).takeUnretainedValue() }
  }

  // MARK: What Lua calls

  /// Makes a dotted path, `strata.fs.read`, a function.
  func register(_ path: String, _ function: @escaping Function) throws(LuaFailure) {
    let number = add(function)
    try check(path.withCString { strata_lua_register(raw, $0, number) })
  }

  /// Makes a dotted path a table whose fields are got and set by functions.
  func registerProxy(
    _ path: String, get: @escaping Function, set: @escaping Function
  ) throws(LuaFailure) {
    let numbers = (add(get), add(set))
    try check(path.withCString { strata_lua_register_proxy(raw, $0, numbers.0, numbers.1) })
  }

  private func add(_ function: @escaping Function) -> Int32 {
    functions.append(function)
    return Int32(functions.count)
  }

  private func call(
    _ number: Int32, _ arguments: UnsafePointer<UInt8>?, _ size: Int,
    _ results: UnsafeMutablePointer<strata_buffer>?
  ) -> Bool {
    let bytes = UnsafeRawBufferPointer(start: arguments, count: size)
    var unpacker = LuaUnpacker(bytes, references)
    var packer = LuaPacker()
    do throws(LuaCallFailure) {
      for value in try functions[Int(number) - 1](self, unpacker.all()) { packer.append(value) }
      return append(packer, to: results)
    } catch {
      packer.append(.text(error.message))
      _ = append(packer, to: results)
      return false
    }
  }

  private func field(_ index: Int32, _ result: UnsafeMutablePointer<strata_buffer>?) -> Bool {
    fieldPacker.reset()
    fieldPacker.append(provide?(Int(index)) ?? .none)
    return append(fieldPacker, to: result)
  }

  private func append(_ packer: LuaPacker, to buffer: UnsafeMutablePointer<strata_buffer>?) -> Bool
  {
    packer.bytes.withUnsafeBytes { strata_buffer_append(buffer, $0.baseAddress, $0.count) }
  }

  /// The line of the plugin that called; 0 outside a call.
  var callerLine: Int { Int(strata_lua_line(raw)) }

  // MARK: Calling Lua

  /// Loads a text chunk and runs it.
  func run(_ text: [UInt8], name: String) throws(LuaFailure) {
    enter()
    let status = text.withUnsafeBytes { bytes in
      name.withCString { name in
        strata_lua_run(
          raw, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, name)
      }
    }
    try check(status)
  }

  func call(_ function: LuaFunction, _ arguments: [LuaValue]) throws(LuaFailure) -> [LuaValue] {
    enter()
    var packer = LuaPacker()
    for argument in arguments { packer.append(argument) }
    let status = packer.bytes.withUnsafeBufferPointer {
      strata_lua_call(raw, function.reference, $0.baseAddress, $0.count)
    }
    try check(status)
    return output()
  }

  /// The names of an event's fields, in the order of the numbers that ``call(_:event:)`` asks by.
  func setFields(_ names: [StaticString]) throws(LuaFailure) {
    let pointers = names.map { name -> UnsafePointer<CChar>? in
      UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    }
    try check(
      pointers.withUnsafeBufferPointer {
        strata_lua_set_fields(raw, $0.baseAddress, Int32($0.count))
      })
  }

  /// Calls a handler with an event whose fields are asked for only as they are read.
  func call(
    _ function: LuaFunction, event: @escaping (Int) -> LuaValue
  ) throws(LuaFailure) -> LuaValue {
    enter()
    let former = provide
    provide = event
    defer { provide = former }
    try check(strata_lua_call_event(raw, function.reference))
    return output().first ?? .none
  }

  /// Stops what runs; from any thread, or a signal handler.
  var interrupt: @Sendable () -> Void {
    let address = UInt(bitPattern: raw)
    return { strata_lua_interrupt(OpaquePointer(bitPattern: address)) }
  }

  /// Bytes that the state holds.
  var memory: Int { strata_lua_memory(raw) }

  private func enter() {
    for reference in references.takeReleased() { strata_lua_release(raw, reference) }
  }

  private func output() -> [LuaValue] {
    let buffer = strata_lua_output(raw)?.pointee
    var unpacker = LuaUnpacker(
      UnsafeRawBufferPointer(start: buffer?.data, count: buffer?.size ?? 0), references)
    return unpacker.all()
  }

  private func check(_ status: Int32) throws(LuaFailure) {
    let kind: LuaFailure.Kind
    switch strata_status(UInt32(status)) {
    case STRATA_OK: return
    case STRATA_SYNTAX: kind = .syntax
    case STRATA_MEMORY: kind = .memory
    case STRATA_BUDGET: kind = .budget
    case STRATA_INTERRUPTED: kind = .interrupted
    default: kind = .error
    }
    let buffer = strata_lua_output(raw)?.pointee
    let bytes = UnsafeRawBufferPointer(start: buffer?.data, count: buffer?.size ?? 0)
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let texts = parts.map { String(decoding: $0, as: UTF8.self) }
    throw LuaFailure(
      kind: kind, message: texts.first ?? "failed", traceback: texts.count > 1 ? texts[1] : "")
  }
}
