internal import Synchronization

/// One set of changes with a parent: sealed, or the writable top of one fork.
///
/// A layer says who owns what; it holds no content itself. The bases are below the last of them.
public final class Layer: Sendable {
  public let id: LayerID
  /// The fork that it was made in.
  public let fork: ForkID
  /// That fork's name.
  public let name: String
  /// How many layers lie below; 0 is directly on the bases.
  public let depth: Int
  private let state: Mutex<State>
  /// Of a layer of a store, which holds it.
  private weak let persistence: Persistence?

  private struct State: ~Copyable {
    var parent: Layer?
    /// The store's row, until somebody asks what the layer comes from.
    var unread: StoredLayer?
    var stats = LayerStats()
    var isSaved = false
    var sources: [LayerSource] = []
  }

  init(id: LayerID, fork: ForkID, name: String, parent: Layer?) {
    self.id = id
    self.fork = fork
    self.name = name
    depth = parent.map { $0.depth + 1 } ?? 0
    state = Mutex(State(parent: parent))
    persistence = nil
  }

  /// A layer that the store has. Those that it comes from are read when somebody asks.
  init(_ row: StoredLayer, from persistence: Persistence) {
    (id, fork, name, depth) = (row.id, row.fork, row.name, row.depth)
    state = Mutex(State(unread: row, stats: row.stats, isSaved: true))
    self.persistence = persistence
  }

  public var parent: Layer? {
    read()
    return state.withLock { $0.parent }
  }
  public var stats: LayerStats { state.withLock { $0.stats } }

  /// What it has taken besides what its parent has: the way to the common ancestor of a later merge.
  var sources: [LayerSource] {
    read()
    return state.withLock { $0.sources }
  }

  /// From now on the store has the values; they would keep the layer that keeps them.
  func settle(_ stored: [StoredLayer.Source]) {
    state.withLock { state in
      for (index, source) in stored.enumerated() where index < state.sources.count {
        guard state.sources[index].layer.id == source.layer else { continue }
        state.sources[index].value = source.value.map { .stored($0) }
      }
    }
  }

  /// What cannot be read is as if it were not there, and counted.
  private func read() {
    guard let row = state.withLock({ $0.unread }), let persistence else { return }
    do throws(FileError) {
      let parent = try persistence.layer(row.parent)
      var sources: [LayerSource] = []
      for source in row.sources {
        guard let layer = try persistence.layer(source.layer) else { continue }
        sources.append(LayerSource(layer: layer, value: source.value.map { .stored($0) }))
      }
      state.withLock { state in
        guard state.unread != nil else { return }
        state.unread = nil
        state.parent = parent
        state.sources = sources + state.sources
      }
    } catch {
      persistence.health.note(error)
    }
  }

  func add(_ source: LayerSource) { state.withLock { $0.sources.append(source) } }

  /// Whether the store has it, or gets it with the next commit.
  var isSaved: Bool { state.withLock { $0.isSaved } }

  /// Whether the store has the layer already; from now on it counts as having it.
  func markSaved() -> Bool {
    state.withLock { state in
      defer { state.isSaved = true }
      return state.isSaved
    }
  }

  /// It could not be saved after all.
  func markUnsaved() { state.withLock { $0.isSaved = false } }

  func count(_ change: (inout LayerStats) -> Void) { state.withLock { change(&$0.stats) } }

  /// Lets go of long chains one by one; by itself each would free the next inside its own `deinit`.
  deinit {
    var next = state.withLock { $0.parent.take() }
    while let layer = next, isKnownUniquelyReferenced(&next) {
      next = nil
      next = layer.state.withLock { $0.parent.take() }
    }
  }
}

/// What has been done in a layer while it was the top.
public struct LayerStats: Equatable, Sendable {
  /// Nodes made here.
  public var created = 0
  /// Nodes from below whose whole content came up here.
  public var copyUps = 0
  /// Writes that took blocks from below.
  public var redirects = 0
  /// Nodes from below of which only the attributes came up.
  public var metadataCopies = 0
  public var whiteouts = 0
  public var opaques = 0
  /// Content bytes that programs wrote.
  public var bytesWritten: Int64 = 0
  /// Content bytes that had to be copied from below to write those.
  public var bytesCopied: Int64 = 0

  public init() {}

  public static func += (a: inout LayerStats, b: LayerStats) {
    a.created += b.created
    a.copyUps += b.copyUps
    a.redirects += b.redirects
    a.metadataCopies += b.metadataCopies
    a.whiteouts += b.whiteouts
    a.opaques += b.opaques
    a.bytesWritten += b.bytesWritten
    a.bytesCopied += b.bytesCopied
  }
}
