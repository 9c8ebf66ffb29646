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

  private struct State: ~Copyable {
    var parent: Layer?
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
  }

  public var parent: Layer? { state.withLock { $0.parent } }
  public var stats: LayerStats { state.withLock { $0.stats } }

  /// What it has taken besides what its parent has: the way to the common ancestor of a later merge.
  var sources: [LayerSource] { state.withLock { $0.sources } }
  func add(_ source: LayerSource) { state.withLock { $0.sources.append(source) } }

  /// Whether the store has the layer already; from now on it counts as having it.
  func markSaved() -> Bool {
    state.withLock { state in
      defer { state.isSaved = true }
      return state.isSaved
    }
  }

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
