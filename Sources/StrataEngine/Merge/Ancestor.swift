internal import Synchronization

/// A value that a layer goes on from besides its parent: what a merge has taken.
struct LayerSource: Sendable {
  var layer: Layer
  /// The value whose newest layer it is; nil if it is not kept.
  var value: Namespace?
}

extension Namespace {
  /// The numbers of all layers that a value has come from, and the values that were merged on the
  /// way. A layer's number is greater than those of all that it comes from.
  fileprivate func lineage() -> (layers: Set<LayerID>, values: [Namespace]) {
    var layers: Set<LayerID> = []
    var values: [Namespace] = []
    var waiting = [newest].compactMap { $0 }
    while var layer = waiting.popLast() {
      while layers.insert(layer.id).inserted {
        for source in layer.sources {
          waiting.append(source.layer)
          if let value = source.value { values.append(value) }
        }
        guard let parent = layer.parent else { break }
        layer = parent
      }
    }
    return (layers, values)
  }
}

extension Workspace {
  /// The newest value that two values have both come from: where one was forked from the other, or
  /// what the one has taken of the other in a merge. The bases alone, if there is none.
  func commonAncestor(_ ours: Namespace, _ theirs: Namespace) -> Namespace {
    let mine = ours.lineage()
    let its = theirs.lineage()
    let common = mine.layers.intersection(its.layers)
    var best: Namespace?
    func consider(_ value: Namespace) {
      guard value.top == nil, value.version == ours.version, let newest = value.newest,
        common.contains(newest.id), newest.id > best?.newest?.id ?? .base
      else { return }
      best = value
    }
    for value in [ours, theirs] + mine.values + its.values { consider(value) }
    for fork in forks {
      consider(fork.origin)
      for operation in fork.allOperations {
        consider(operation.before)
        consider(operation.after)
      }
    }
    return best
      ?? Namespace(context: context, fork: ours.fork, name: ours.forkName, version: ours.version)
  }
}
