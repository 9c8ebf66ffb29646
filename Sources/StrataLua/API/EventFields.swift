internal import StrataEngine

/// What a handler sees of an event, field by field, as it asks.
enum EventFields {
  static let names: [StaticString] = [
    "event", "id", "path", "path2", "node", "kind", "size", "mode", "offset", "bytes", "layer",
    "from_layer", "to_layer", "fork", "command", "op_id", "pid", "rule", "message",
    "conflict", "base", "ours", "theirs",
  ]

  /// - Parameter name: the event as the handler registered for it: `before_copy_up`.
  static func value(_ index: Int, of event: Event, named name: String) -> LuaValue {
    switch index {
    case 0: .text(name)
    case 1: .int(event.id)
    case 2: event.path.isEmpty ? .none : .string(event.path)
    case 3: event.path2.map { .string($0) } ?? .none
    case 4: event.node.map { .int($0.rawValue) } ?? .none
    case 5: event.fileKind.map { .text(kindName($0)) } ?? .none
    case 6: event.size.map { .int($0) } ?? .none
    case 7: event.mode.map { .int($0) } ?? .none
    case 8: event.offset.map { .int($0) } ?? .none
    case 9: event.bytes.map { .int($0) } ?? .none
    case 10, 12: event.toLayer.map { layer($0) } ?? .none
    case 11: fromLayer(event)
    case 13: .text(event.fork)
    case 14: event.caller.command.isEmpty ? .none : .text(event.caller.command)
    case 15: event.operation.map { .int($0) } ?? .none
    case 16: .int(event.caller.pid)
    case 17: event.rule.map { .text($0) } ?? .none
    case 18: event.message.map { .text($0) } ?? .none
    case 19: event.conflict.map { .text($0.rawValue) } ?? .none
    case 20: content { () throws(FileError) in try event.sides?.base() }
    case 21: content { () throws(FileError) in try event.sides?.mine() }
    case 22: content { () throws(FileError) in try event.sides?.other() }
    default: .none
    }
  }

  /// Nil for what is no file, and for one that cannot be read.
  private static func content(_ read: () throws(FileError) -> [UInt8]?) -> LuaValue {
    ((try? read()) ?? nil).map { .string($0) } ?? .none
  }

  private static func fromLayer(_ event: Event) -> LuaValue {
    switch event.kind {
    case .copyUp, .redirect, .metadataCopy:
      event.fromLayer.map { layer($0) }
        ?? .table(["id": .int(0), "name": .text("base"), "depth": .int(0)])
    default: event.fromLayer.map { layer($0) } ?? .none
    }
  }

  static func layer(_ layer: Layer) -> LuaValue {
    .table(["id": .int(layer.id.rawValue), "name": .text(layer.name), "depth": .int(layer.depth)])
  }

  static func kindName(_ kind: FileKind) -> String {
    switch kind {
    case .regular: "file"
    case .directory: "directory"
    case .symlink: "symlink"
    case .characterDevice: "char"
    case .blockDevice: "block"
    case .fifo: "fifo"
    case .socket: "socket"
    }
  }
}

extension LuaValue {
  static func table(_ fields: KeyValuePairs<String, LuaValue>) -> LuaValue {
    .table(LuaTable(fields))
  }
  static func list(_ values: [LuaValue]) -> LuaValue { .table(LuaTable(list: values)) }
}
