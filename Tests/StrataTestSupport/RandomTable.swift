import StrataEngine

/// Random trees with all that makes a difference below: hard links, holes, files beyond the size from
/// which content is redirected, whiteouts, opaque directories.
extension TableBase {
  /// Fills the table with some forty objects.
  /// - Parameters:
  ///   - isBottom: whether nothing is below that whiteouts could hide.
  ///   - paths: gets the absolute paths of what was made.
  public func fill(
    _ random: inout SeededGenerator, isBottom: Bool, paths: inout Set<[UInt8]>
  ) {
    var directories: [String] = [""]
    var files: [String] = []
    for _ in 0..<40 {
      let parent = random.pick(directories)
      // At the top few names are mostly directories, so that those of several bases lie over one
      // another.
      let isTop = parent.isEmpty
      let wantsDirectory = random.chance(isTop ? 60 : 35) && parent.count < 12
      let names =
        isTop && wantsDirectory ? ["a", "b", "c"] : ["a", "b", "c", "d", "e", "f", "g", "h.txt"]
      let path = parent + random.pick(names)
      guard !files.contains(path), !directories.contains(path + "/") else { continue }
      if !isBottom, random.chance(8) {
        add(path, .whiteout)
        files.append(path)
        continue
      }
      if wantsDirectory {
        var item = TableBase.Item.directory(mode: random.pick([0o755, 0o700, 0o2775, 0o1777]))
        item.isOpaque = !isBottom && random.chance(40)
        if random.chance(20) { item.xattrs["user.a"] = random.bytes(3) }
        add(path, item)
        directories.append(path + "/")
      } else if random.chance(20), let existing = files.last,
        content(existing)?.isEmpty == false
      {
        link(existing, as: path)
        files.append(path)
      } else {
        add(path, Self.item(&random))
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
