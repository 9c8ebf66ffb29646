/// A read-only tree to stack: what ``ModelTree/init(bases:)`` is made of.
public struct ModelBase: Sendable {
  /// One object of the tree under the number that the base gives it.
  public struct Object: Sendable {
    public var node: ModelNode
    public var isWhiteout = false
    public var isOpaque = false
    public init(_ node: ModelNode) { self.node = node }
  }

  /// By number; ``ModelTree/root`` is the base's root. `node.entries` name other objects.
  public var objects: [Int: Object]

  public init() {
    var root = ModelNode(kind: .directory, mode: 0o755)
    root.parent = ModelTree.root
    objects = [ModelTree.root: Object(root)]
  }
}

extension ModelTree {
  /// The union of the bases, the topmost first.
  public init(bases: [ModelBase]) {
    self.init(nodes: [:], nextNode: ModelTree.root + 1)
    var known: [[Int]: Int] = [:]
    let roots = bases.enumerated().map { (base: $0.offset, object: ModelTree.root) }
    _ = merge(roots[...], of: bases, parent: ModelTree.root, known: &known)
  }

  /// - Parameter places: where each base has something under one name, the topmost first.
  /// - Returns: the node that shows; nil if a whiteout hides all.
  private mutating func merge(
    _ places: ArraySlice<(base: Int, object: Int)>, of bases: [ModelBase], parent: Int,
    known: inout [[Int]: Int]
  ) -> Int? {
    guard let first = places.first, let top = bases[first.base].objects[first.object],
      !top.isWhiteout
    else { return nil }
    let key = [first.base, first.object]
    if let id = known[key] { return id }
    let isRoot = nodes.isEmpty && known.isEmpty
    let id = isRoot ? ModelTree.root : nextNode
    if !isRoot { nextNode += 1 }
    known[key] = id
    var node = top.node
    node.entries = [:]
    if node.kind == .directory {
      node.parent = parent
      for (name, inside) in inside(places, of: bases) {
        node.entries[name] = merge(inside[...], of: bases, parent: id, known: &known)
      }
    }
    nodes[id] = node
    return id
  }

  /// What lies in the directory that the places make together.
  private func inside(
    _ places: ArraySlice<(base: Int, object: Int)>, of bases: [ModelBase]
  ) -> [(name: [UInt8], places: [(base: Int, object: Int)])] {
    var found: [[UInt8]: [(base: Int, object: Int)]] = [:]
    for place in places {
      guard let object = bases[place.base].objects[place.object], !object.isWhiteout,
        object.node.kind == .directory
      else { break }
      for (name, child) in object.node.entries {
        found[name, default: []].append((place.base, child))
      }
      if object.isOpaque { break }
    }
    return found.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) })
      .map { ($0.key, $0.value) }
  }
}
