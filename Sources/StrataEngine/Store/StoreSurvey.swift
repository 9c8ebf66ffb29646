/// Walks the records that trees lead to, each once however many trees share it, and notes what they
/// refer to and what is wrong with them.
struct StoreSurvey {
  private let store: any WorkspaceStore
  private(set) var records: Set<UInt64> = []
  /// Data files that blocks are in.
  private(set) var files: [DataFileID: UsedBlocks] = [:]
  private(set) var layers: Set<LayerID> = []
  private(set) var baseNodes: Set<NodeID> = []
  /// What is said of some of them.
  private(set) var hints: [NodeID: Set<BaseHint>]
  /// States of the bases' files that content is laid on.
  private(set) var belows: Set<BelowState> = []
  /// The smallest version of the bases that a tree is over.
  private(set) var oldest = BaseVersion.max
  private(set) var problems: [CheckReport.Problem] = []
  /// Records that cannot be read: pages of maps, and what holds the content of small files.
  private(set) var damagedPages: Set<UInt64> = []
  private(set) var damagedContents: Set<UInt64> = []
  /// How many trees were visited.
  private(set) var trees = 0
  /// The tree that is walked, for what is said of a problem.
  private var place = ""

  /// - Parameter bases: nodes of the bases of which it is noted what is said of them.
  init(_ store: any WorkspaceStore, hintsOf bases: Set<NodeID> = []) {
    self.store = store
    hints = Dictionary(uniqueKeysWithValues: bases.map { ($0, []) })
  }

  /// - Parameter place: whose tree it is, for a person.
  mutating func visit(_ tree: StoredTree, _ place: String) {
    self.place = place
    trees += 1
    oldest = min(oldest, tree.version)
    if tree.sealed != .base { layers.insert(tree.sealed) }
    walk(tree.nodes) { survey, id, reader throws(FileError) in
      survey.note(try NodeRecord(from: &reader), id)
    }
    walk(tree.entries) { (survey, _: EntryKey, reader) throws(FileError) in
      survey.layers.insert(try Entry(from: &reader).owner)
    }
    if tree.annotations != 0, records.insert(tree.annotations).inserted,
      read(tree.annotations) == nil
    {
      damagedPages.insert(tree.annotations)
    }
  }

  /// Layers below those that were found: the chain that `layers` shows; and what they have taken by
  /// merges, which the next merge begins with.
  mutating func addAncestors(of rows: [StoredLayer]) {
    let known = Dictionary(rows.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var done: Set<LayerID> = []
    while true {
      var waiting = Array(layers.subtracting(done))
      if waiting.isEmpty { return }
      while let layer = waiting.popLast() {
        guard done.insert(layer).inserted, let row = known[layer] else { continue }
        for next in [row.parent] + row.sources.map(\.layer) where next != .base {
          layers.insert(next)
          waiting.append(next)
        }
        for source in row.sources {
          if let value = source.value { visit(value, "layer \(layer.rawValue)") }
        }
      }
    }
  }

  mutating func forget(_ layer: LayerID) { layers.remove(layer) }

  private mutating func note(_ node: NodeRecord, _ id: NodeID) {
    layers.insert(node.owner)
    baseNodes.formUnion(node.baseNodes)
    if !hints.isEmpty {
      for base in node.baseNodes { hints[base]?.insert(node.hint(of: base)) }
    }
    guard case .file(let content) = node.body else { return }
    layers.insert(content.owner)
    if let below = content.isOverOrigin ? node.origin : content.below {
      belows.insert(BelowState(below))
    }
    switch content.extents {
    case .few(let list):
      for (start, extent) in list { note(extent, from: start, size: node.size) }
    case .root(let root):
      walk(root) { (survey, start: UInt64, reader) throws(FileError) in
        survey.note(try ExtentRecord(from: &reader, start: start), from: start, size: node.size)
      }
    }
  }

  private mutating func note(_ extent: ExtentRecord, from start: UInt64, size: Int64) {
    switch extent.place {
    case .zero: return
    case .file(let layer, let node):
      layers.insert(layer)
      // Some of the last block at the least: behind the file's end it reads as zeros.
      let last = Int64(clamping: extent.end - 1) * Int64(Block.size)
      files[DataFileID(layer: layer, node: node), default: UsedBlocks()].add(
        start..<extent.end, size: min(last + 1, size))
    case .record(let layer, _, let record, _):
      layers.insert(layer)
      if records.insert(record).inserted, read(record) == nil { damagedContents.insert(record) }
    }
  }

  private mutating func read(_ record: UInt64) -> [UInt8]? {
    do throws(FileError) {
      return try store.page(record)
    } catch {
      note(error, "record \(record)")
      return nil
    }
  }

  private mutating func note(_ error: FileError, _ what: String) {
    problems.append(
      .init(place: place, what: what, why: error.reason ?? error.errno.description))
  }

  /// The pages of a map that were not met before; a leaf's pairs go to `pair`, which reads the value.
  private mutating func walk<Key: PageKey>(
    _ root: UInt64,
    _ pair: (inout StoreSurvey, Key, inout PageReader) throws(FileError) -> Void
  ) {
    guard root != 0 else { return }
    var waiting = [root]
    while let record = waiting.popLast() {
      guard records.insert(record).inserted else { continue }
      guard let bytes = read(record) else {
        damagedPages.insert(record)
        continue
      }
      do throws(FileError) {
        waiting += try page(bytes, pair)
      } catch {
        damagedPages.insert(record)
        note(error, "record \(record)")
      }
    }
  }

  /// - Returns: the children.
  private mutating func page<Key: PageKey>(
    _ bytes: [UInt8],
    _ pair: (inout StoreSurvey, Key, inout PageReader) throws(FileError) -> Void
  ) throws(FileError) -> [UInt64] {
    var reader = PageReader(bytes)
    guard let kind = PageKind(rawValue: try reader.byte()) else { throw .damaged }
    let count = try reader.count()
    var children: [UInt64] = []
    var last: Key?
    for _ in 0..<count {
      if kind == .inner { children.append(try reader.number()) }
      let key = try Key(from: &reader)
      if let last, !(last < key) { throw FileError(.ioError, "keys are not in order") }
      last = key
      if kind == .leaf { try pair(&self, key, &reader) }
    }
    guard reader.isAtEnd else { throw .damaged }
    return children
  }
}
