internal import Synchronization

/// A tree of directories as one value.
///
/// Copying it is a snapshot: O(1), whatever it holds, since both copies share all structure until
/// one is changed. All layers above the bases are one map, so that nothing depends on how many
/// there are. Operations follow POSIX, with its errors, and either happen whole or throw and leave
/// the value as it was.
public struct Namespace: Sendable {
  /// The nodes that layers have made or changed.
  var nodes = PersistentMap<NodeID, Node>()
  /// The entries that layers have made, whiteouts among them.
  var entries = PersistentMap<EntryKey, Entry>()
  /// What plugins keep with the tree; nil until one does.
  var annotations: Annotations?
  let context: NamespaceContext
  let fork: ForkID
  var forkName: String
  /// The sealed layers, newest first; nil right above the bases.
  var sealed: Layer?
  /// The layer that writes go to, made by the first of them.
  var top: Layer?
  /// The state of the bases that the value is over.
  var version: BaseVersion
  /// Layers up to this one were sealed by a fork: what they own is "from below" in this fork too.
  var sealedThrough = LayerID.base

  /// - Parameter version: of the bases; nil is what they are now.
  init(context: NamespaceContext, fork: ForkID, name: String, version: BaseVersion? = nil) {
    self.version = version ?? context.bases.version.withLock { $0 }
    self.context = context
    self.fork = fork
    forkName = name
  }

  /// A child that shares everything with this value. Both write to fresh layers from now on.
  public mutating func makeFork(named name: String) -> Namespace {
    seal()
    sealedThrough = context.ids.newestLayer
    var child = Namespace(
      context: context, fork: context.ids.nextFork(), name: name, version: version)
    child.nodes = nodes
    child.entries = entries
    child.annotations = annotations
    child.sealed = sealed
    child.sealedThrough = sealedThrough
    return child
  }

  /// Closes the top; the next write opens another.
  mutating func seal() {
    if let layer = top {
      sealed = layer
      top = nil
    }
  }

  /// The newest layer, sealed or not; nil if there is none above the bases.
  var newest: Layer? { top ?? sealed }

  /// The writable layer, which is made now if need be.
  mutating func writableTop() -> Layer {
    if let top { return top }
    let layer = Layer(id: context.ids.nextLayer(), fork: fork, name: forkName, parent: sealed)
    top = layer
    return layer
  }

  /// Whether the tree is that of the bases as they are, because nothing was ever changed in it.
  public var isBare: Bool {
    nodes.isEmpty && entries.isEmpty && annotations == nil
      && version == context.bases.version.withLock { $0 }
  }

  /// Whether both hold the same tree because neither changed since they were one.
  public func isUnchanged(since other: Namespace) -> Bool {
    version == other.version && nodes.isIdentical(to: other.nodes)
      && entries.isIdentical(to: other.entries)
      && annotations === other.annotations
  }
}

/// What plugins keep with a tree, by plugin and key.
final class Annotations: Sendable {
  let values: [String: [String: [UInt8]]]
  /// The store's record of them; 0 if there is none.
  let record = Atomic<UInt64>(0)
  init(_ values: [String: [String: [UInt8]]]) { self.values = values }
}

/// What all namespaces of a workspace share: the bases, the numbers, the clock.
final class NamespaceContext: Sendable {
  let bases: BaseIndex
  let ids: IDSource
  let clock: @Sendable () -> Timestamp
  /// The workspace's store; nil in memory.
  let persistence: Persistence?

  init(
    bases: BaseIndex, ids: IDSource, persistence: Persistence? = nil,
    clock: @escaping @Sendable () -> Timestamp
  ) {
    self.bases = bases
    self.ids = ids
    self.persistence = persistence
    self.clock = clock
  }

  /// Runs what reads maps.
  /// - Throws: EIO if a page of the store could not be read meanwhile: what was not found may be in
  ///   it.
  @inline(__always)
  func whole<R>(_ body: () throws(FileError) -> R) throws(FileError) -> R {
    guard let health = persistence?.health else { return try body() }
    let before = health.count
    let result = try body()
    try health.check(since: before)
    return result
  }
}

/// What an operation has done beyond its result, for events and for `why`.
struct Effect: Sendable {
  var kind: EventKind
  var node: NodeID
  /// The entry concerned, where the node alone does not say where.
  var directory: NodeID?
  var name: Name?
  var bytes: Int64 = 0
  var from: Layer?
  var to: Layer?
}
