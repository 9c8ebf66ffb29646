/// What can happen, under the names that plugins, traces and help use.
public enum EventKind: String, Sendable, CaseIterable {
  case open, create, write, remove, rename, link, setattr
  case copyUp = "copy_up"
  case redirect
  case metadataCopy = "metadata_copy"
  case whiteout, opaque
  case fork, `switch`, commit, discard, merge
  case `import` = "import"
  case export, command, mount, unmount
  case sessionStart = "session_start"
  case sessionEnd = "session_end"
  case pluginLoad = "plugin_load"
  case pluginUnload = "plugin_unload"
  case error
}

/// A set of event kinds, one bit each, so that "nobody asked" costs one test.
public struct EventSet: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  public init(_ kinds: some Sequence<EventKind>) {
    self = kinds.reduce(into: []) { $0.formUnion(EventSet(kind: $1)) }
  }
  public init(kind: EventKind) { self.init(rawValue: 1 << EventSet.bit(of: kind)) }

  public static let all = EventSet(rawValue: .max)
  @inline(__always)
  public func contains(_ kind: EventKind) -> Bool {
    rawValue & (1 << EventSet.bit(of: kind)) != 0
  }

  @inline(__always)
  private static func bit(of kind: EventKind) -> UInt32 {
    UInt32(unsafeBitCast(kind, to: UInt8.self))
  }
}

/// One thing that is about to happen, or has happened. What does not apply is nil.
public struct Event: Sendable {
  public var kind: EventKind
  /// Position in the workspace's sequence of events, from 1.
  public var id: UInt64 = 0
  /// Absolute path inside the namespace; empty where the event has none. Of a file with several names
  /// the one that the caller used, or where nobody knows that, one that it has.
  public var path: [UInt8] = []
  /// Where to: the new path of a rename or link, the target of a new symlink, the host's path of a
  /// mount or of what is copied.
  public var path2: [UInt8]?
  public var node: NodeID?
  /// The file's names, where it is about content or attributes of a file that has several.
  public var names: FileNames?
  public var fileKind: FileKind?
  /// The file's size in bytes before the operation.
  public var size: Int64?
  public var mode: UInt32?
  public var offset: Int64?
  /// Bytes written, or bytes that the top layer came to own by this copy-up or redirect.
  public var bytes: Int64?
  /// The layer that owned what is written: nil is the base.
  public var fromLayer: Layer?
  /// The layer that owns it now.
  public var toLayer: Layer?
  /// The name of the fork it happens in.
  public var fork: String = ""
  /// Who does it.
  public var caller: Caller = .superuser
  /// The operation of the log that it is part of; nil outside one.
  public var operation: UInt64?
  /// What decided it: `default: 65536 bytes or more`, `guard.lua:4`.
  public var rule: String?
  /// For `error`: what went wrong. For `merge`: the fork that is merged.
  public var message: String?
  /// For `merge`: the conflict that is to be settled; nil for the merge as a whole.
  public var conflict: MergeConflict?

  public init(_ kind: EventKind) { self.kind = kind }
}
