import NaiveModel
import StrataEngine
import StrataTestSupport

/// Random bases to stack, with all that makes a difference below: hard links, holes, files beyond
/// the size from which content is redirected, whiteouts, opaque directories, the same names twice.
struct RandomBases {
  let tables: [TableBase]
  /// The same for the model.
  let models: [ModelBase]
  /// Every path that is in one of them.
  let paths: [[UInt8]]

  init(seed: UInt64, count: Int) {
    var random = SeededGenerator(seed: seed)
    var paths: Set<[UInt8]> = []
    tables = (0..<count).map { index in
      let table = TableBase("base \(index)", device: UInt64(index + 1))
      Self.fill(table, isBottom: index == count - 1, &random, &paths)
      return table
    }
    models = tables.map(ModelBase.init)
    self.paths = paths.sorted { $0.lexicographicallyPrecedes($1) }
  }

  private static func fill(
    _ table: TableBase, isBottom: Bool, _ random: inout SeededGenerator,
    _ paths: inout Set<[UInt8]>
  ) {
    var directories: [String] = [""]
    var files: [String] = []
    for _ in 0..<40 {
      let parent = random.pick(directories)
      let path = parent + random.pick(["a", "b", "c", "d", "e", "f", "g", "h.txt"])
      guard !files.contains(path), !directories.contains(path + "/") else { continue }
      if !isBottom, random.chance(8) {
        table.add(path, .whiteout)
        files.append(path)
        continue
      }
      if random.chance(35), parent.count < 12 {
        var item = TableBase.Item.directory(mode: random.pick([0o755, 0o700, 0o2775, 0o1777]))
        item.isOpaque = !isBottom && random.chance(20)
        if random.chance(20) { item.xattrs["user.a"] = random.bytes(3) }
        table.add(path, item)
        directories.append(path + "/")
      } else if random.chance(20), let existing = files.last,
        table.content(existing)?.isEmpty == false
      {
        table.link(existing, as: path)
        files.append(path)
      } else {
        table.add(path, item(&random))
        files.append(path)
      }
      paths.insert(Array("/\(path)".utf8))
    }
  }

  private static func item(_ random: inout SeededGenerator) -> TableBase.Item {
    if random.chance(12) {
      return .symlink(random.pick(["a", "../b", "/c/d", "/a", "nowhere", "../../a/b", "b/c", "e"]))
    }
    if random.chance(6) { return TableBase.Item(kind: .fifo, mode: 0o600) }
    var item = TableBase.Item.file(random.bytes(size(&random)), mode: random.pick([0o644, 0o4755]))
    if random.chance(25) {
      let holes = 1 + random.below(20)
      item.content = [UInt8](repeating: 0, count: holes * Block.size) + item.content
      item.content += [UInt8](repeating: 0, count: random.below(3) * 5000)
      item.isSparse = true
    }
    if random.chance(10) { item.hiddenLinks = 1 }
    if random.chance(25) { item.xattrs["user.a"] = random.bytes(5) }
    (item.uid, item.gid) = (UInt32(random.below(4)), UInt32(random.below(4)))
    item.modified = Timestamp(random.below(1_000_000_000))
    return item
  }

  private static func size(_ random: inout SeededGenerator) -> Int {
    switch random.below(6) {
    case 0: 0
    case 1: Block.size * (1 + random.below(4))
    case 2: 66_000 + random.below(80_000)
    case 3: random.below(30_000)
    default: 1 + random.below(500)
    }
  }
}

extension ModelBase {
  /// The same tree as the table's, object for object.
  init(_ table: TableBase) {
    self.init()
    objects = [:]
    for (inode, object) in table.objects {
      let status = object.status
      var node = ModelNode(kind: status.kind.modelKind, mode: status.mode)
      (node.uid, node.gid, node.device) = (status.uid, status.gid, status.device)
      (node.accessed, node.modified, node.changed) =
        (status.accessed, status.modified, status.changed)
      node.links = Int(status.links)
      if status.kind == .symlink {
        node.target = object.content
      } else {
        node.content = object.content
      }
      for (name, value) in object.xattrs { node.xattrs[name.bytes] = value }
      for (name, child) in object.entries { node.entries[name.bytes] = Int(child) - 1 }
      var made = Object(node)
      made.isWhiteout = status.isWhiteout
      made.isOpaque = status.isOpaque
      objects[Int(inode) - 1] = made
    }
  }
}
