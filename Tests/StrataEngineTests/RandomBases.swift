import NaiveModel
import StrataEngine
import StrataTestSupport

/// Random bases to stack, in which the same names come up.
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
      table.fill(&random, isBottom: index == count - 1, paths: &paths)
      return table
    }
    models = tables.map(ModelBase.init)
    self.paths = paths.sorted { $0.lexicographicallyPrecedes($1) }
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
