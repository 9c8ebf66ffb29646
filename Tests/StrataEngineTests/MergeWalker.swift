import StrataTestSupport

@testable import StrataEngine

/// What must hold of every tree, whatever was done to it.
struct MergeWalker {
  let value: Namespace

  /// Walks the tree from the root, then goes through all records and entries.
  func check() throws {
    var names: [NodeID: UInt32] = [:]
    var seen: Set<NodeID> = [.root]
    var waiting: [NodeID] = [.root]
    while let directory = waiting.popLast() {
      var subdirectories: UInt32 = 0
      for row in try value.list(directory, after: 2, limit: .max) {
        let key = EntryKey(directory, row.name)
        guard let node = try value.node(under: key) else {
          throw Mismatch("\(row.name) is listed and not there")
        }
        let record = try value.record(node)
        guard record.kind == row.kind else {
          throw Mismatch("\(row.name) is listed as another kind")
        }
        guard record.links > 0 else { throw Mismatch("\(row.name) is there and has no links") }
        names[node, default: 0] += 1
        guard record.kind == .directory else {
          seen.insert(node)
          continue
        }
        subdirectories += 1
        guard seen.insert(node).inserted else { throw Mismatch("\(row.name) is there twice") }
        guard try value.parent(of: node) == directory else {
          throw Mismatch("the .. of \(row.name) leads elsewhere")
        }
        waiting.append(node)
      }
      let links = try value.attributes(directory).links
      guard links == 2 + subdirectories else {
        throw Mismatch(
          "node \(directory.rawValue) has \(links) links and \(subdirectories) subdirectories")
      }
    }
    for (node, count) in names where try value.kind(node) != .directory {
      let links = try value.attributes(node).links
      guard links == count else {
        throw Mismatch("node \(node.rawValue) has \(links) links and \(count) names")
      }
    }
    try checkMaps(seen)
  }

  private func checkMaps(_ seen: Set<NodeID>) throws {
    try value.nodes.forEach { id, node throws(Mismatch) in
      guard node.links == 0 || seen.contains(id) else {
        throw Mismatch("node \(id.rawValue) ('\(node.name)') is nowhere in the tree")
      }
    }
    var keys: [(EntryKey, Entry)] = []
    value.entries.forEach { key, entry in keys.append((key, entry)) }
    for (key, entry) in keys {
      guard seen.contains(key.directory) else {
        throw Mismatch("'\(key.name)' is in node \(key.directory.rawValue), which is gone")
      }
      if entry.node == nil, try value.showsBelow(key.name, in: key.directory) == nil {
        throw Mismatch("the whiteout of '\(key.name)' hides nothing")
      }
    }
  }
}

/// A tree by path, as somebody sees it who knows of no nodes.
struct MergeRow: Equatable, CustomStringConvertible {
  var kind: FileKind
  var mode: UInt32
  var content: [UInt8]
  var xattrs: [Name: [UInt8]]

  var description: String {
    "\(kind) \(String(mode, radix: 8)) \(content.count) '\(String(decoding: content.prefix(40), as: UTF8.self))'"
  }

  static func rows(_ value: Namespace) throws -> [[UInt8]: MergeRow] {
    var rows: [[UInt8]: MergeRow] = [:]
    var waiting: [(path: [UInt8], node: NodeID)] = [([], .root)]
    while let (path, node) = waiting.popLast() {
      let row = try value.attributes(of: node)
      var content: [UInt8] = []
      if row.kind == .regular { content = try value.content(of: node, limit: .max) }
      if row.kind == .symlink { content = try value.linkTarget(of: node) }
      rows[path] = MergeRow(
        kind: row.kind, mode: row.mode, content: content,
        xattrs: try value.extendedAttributes(node))
      guard row.kind == .directory else { continue }
      for entry in try value.list(node, after: 2, limit: .max) {
        waiting.append((path + [0x2F] + entry.name.bytes, try value.lookup(entry.name, in: node)))
      }
    }
    return rows
  }
}
