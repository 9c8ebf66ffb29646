internal import Synchronization

/// A value that a layer goes on from besides its parent: what a merge has taken.
struct LayerSource: Sendable {
  enum Value: Sendable {
    case value(Namespace)
    /// As the store has it; nobody has looked at it yet.
    case stored(StoredTree)
  }

  var layer: Layer
  /// The value whose newest layer it is; nil if it is not kept.
  var value: Value?
}

extension Workspace {
  /// The newest value that two values have both come from: where one was forked from the other, or
  /// what the one has taken of the other in a merge. The bases alone, if there is none.
  ///
  /// A layer's number is greater than those of all that it comes from, so that going down by numbers,
  /// on both sides at once, meets the newest first; older history is not looked at.
  func commonAncestor(_ ours: Namespace, _ theirs: Namespace) throws(FileError) -> Namespace {
    var search = AncestorSearch(ours, theirs)
    var origins: [LayerID: Namespace]?
    var logged: [LayerID: Namespace]?
    while let step = search.next() {
      let id = step.layer.id
      if step.isCommon {
        for (layer, value) in search.taken where layer.id == id {
          let value = try resolve(value, layer)
          if value.top == nil, value.version == ours.version { return value }
        }
        if origins == nil { origins = byNewestLayer(forks.map(\.origin), like: ours) }
        if let value = origins?[id] { return value }
        // Seldom: the log has them all.
        if logged == nil {
          logged = byNewestLayer(
            forks.flatMap(\.allOperations).flatMap { [$0.before, $0.after] }, like: ours)
        }
        if let value = logged?[id] { return value }
      }
      for source in step.layer.sources {
        if let value = source.value { search.taken.append((source.layer, value)) }
      }
    }
    return Namespace(
      context: context, fork: ours.fork, name: ours.forkName, version: ours.version)
  }

  /// Values over the same state of the bases as another.
  private func byNewestLayer(
    _ values: [Namespace], like ours: Namespace
  ) -> [LayerID: Namespace] {
    var found: [LayerID: Namespace] = [:]
    for value in values where value.top == nil && value.version == ours.version {
      if let layer = value.newest { found[layer.id] = value }
    }
    return found
  }

  private func resolve(
    _ value: LayerSource.Value, _ layer: Layer
  ) throws(FileError) -> Namespace {
    switch value {
    case .value(let value): return value
    case .stored(let tree):
      guard let persistence = context.persistence else { throw .damaged }
      return try Namespace(
        tree, context: context, fork: layer.fork, name: layer.name, from: persistence)
    }
  }
}

/// Goes down the layers that two values have come from, newest first.
private struct AncestorSearch {
  struct Step {
    var layer: Layer
    var isOurs: Bool
    var isTheirs: Bool
    var isCommon: Bool { isOurs && isTheirs }
  }

  private var waiting: [LayerID: Step] = [:]
  /// What was taken by merges on the way, with its newest layer.
  var taken: [(Layer, LayerSource.Value)] = []

  init(_ ours: Namespace, _ theirs: Namespace) {
    if let layer = ours.newest { add(Step(layer: layer, isOurs: true, isTheirs: false)) }
    if let layer = theirs.newest { add(Step(layer: layer, isOurs: false, isTheirs: true)) }
    for value in [ours, theirs] where value.top == nil {
      if let layer = value.newest { taken.append((layer, .value(value))) }
    }
  }

  private mutating func add(_ step: Step) {
    var step = step
    if let other = waiting[step.layer.id] {
      step.isOurs = step.isOurs || other.isOurs
      step.isTheirs = step.isTheirs || other.isTheirs
    }
    waiting[step.layer.id] = step
  }

  mutating func next() -> Step? {
    guard let newest = waiting.keys.max(), let step = waiting.removeValue(forKey: newest) else {
      return nil
    }
    for layer in [step.layer.parent].compactMap({ $0 }) + step.layer.sources.map(\.layer) {
      add(Step(layer: layer, isOurs: step.isOurs, isTheirs: step.isTheirs))
    }
    return step
  }
}
