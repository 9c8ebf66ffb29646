import NaiveModel
import StrataEngine
import StrataTestSupport
import SystemPackage

/// Which of the engine's node numbers stands for which of the model's: one to one, and for good,
/// through copy-up, rename, fork, undo.
struct RandomNumbers {
  private var engine: [Int: NodeID] = [:]
  private var model: [NodeID: Int] = [:]

  mutating func match(_ id: Int, _ node: NodeID, _ path: [UInt8]) throws {
    if let known = engine[id], known != node {
      throw Mismatch("\(text(path)): its number was \(known.rawValue) and is \(node.rawValue)")
    }
    if let known = model[node], known != id {
      throw Mismatch("\(text(path)): has the number \(node.rawValue) of another node")
    }
    engine[id] = node
    model[node] = id
  }
}

func text(_ path: [UInt8]) -> String { "'\(String(decoding: path, as: UTF8.self))'" }

/// Compares everything that there is to see in a fork with the model.
struct RandomComparison {
  let line: RandomLine
  let depth: Int
  private var tree: ModelTree { line.model.tree }

  init(_ line: RandomLine) {
    self.line = line
    depth = 64
  }

  func run(_ numbers: inout RandomNumbers) throws {
    var rest: [(path: [UInt8], id: Int, node: NodeID)] = [([], ModelTree.root, .root)]
    var read: Set<Int> = []
    while let (path, id, node) = rest.popLast() {
      do {
        try numbers.match(id, node, path)
        try compare(path, id, node, isNew: read.insert(id).inserted)
        guard try tree.node(id).kind == .directory else { continue }
        for (name, child, childNode) in try children(path, id, node) {
          rest.append((path + [0x2F] + name, child, childNode))
        }
      } catch let error as FileError {
        throw Mismatch("\(text(path)): \(error.errno) \(error.reason ?? "")")
      }
    }
  }

  private func compare(_ path: [UInt8], _ id: Int, _ node: NodeID, isNew: Bool) throws {
    let attributes = try line.fork.attributes(of: node)
    let expected = try line.model.status(of: id)
    guard FileStatus(attributes) == expected else {
      throw Mismatch("\(text(path)): is \(FileStatus(attributes)), should be \(expected)")
    }
    guard attributes.node == node else { throw Mismatch("\(text(path)): says another number") }
    guard isNew else { return }
    let xattrs = try line.fork.extendedAttributes(of: node)
    guard try xattrs == line.model.xattrs(of: id) else {
      throw Mismatch("\(text(path)): extended attributes \(xattrs)")
    }
    switch attributes.kind {
    case .regular: try compareContent(path, try tree.node(id).content, node)
    case .symlink:
      guard try line.fork.readLink(node) == tree.readLink(id) else {
        throw Mismatch("\(text(path)): another target")
      }
    default: break
    }
    guard let known = line.fork.path(of: node) else {
      throw Mismatch("\(text(path)): the engine knows no path to it")
    }
    guard try tree.resolve(known, follow: false) == id else {
      throw Mismatch("\(text(path)): the engine calls it \(text(known))")
    }
  }

  private func compareContent(_ path: [UInt8], _ expected: [UInt8], _ node: NodeID) throws {
    let file = try line.fork.open(node, [.read], by: .superuser)
    let found = try file.read(expected.count + 100, at: 0)
    guard sameBytes(found, expected) else {
      let first = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
      throw Mismatch(
        "\(text(path)): \(found.count) bytes for \(expected.count), the first that differs is "
          + "\(first ?? min(found.count, expected.count)): \(found[(first ?? 0)...].prefix(8)) for "
          + "\(expected[(first ?? 0)...].prefix(8)); \(try line.fork.blockMap(of: node)))")
    }
    try checkHoles(path, expected, file)
  }

  /// Where data is and where holes are is the engine's freedom, as long as holes are zeros.
  private func checkHoles(_ path: [UInt8], _ expected: [UInt8], _ file: OpenFile) throws {
    var position: Int64 = 0
    while true {
      let data = try file.data(after: position)
      if let data, data.isEmpty || data.upperBound > expected.count || data.upperBound <= position {
        throw Mismatch("\(text(path)): \(data) is no range of data after \(position)")
      }
      let hole = Int(position)..<max(Int(data?.lowerBound ?? Int64(expected.count)), Int(position))
      guard isZero(expected, hole) else { throw Mismatch("\(text(path)): data in hole \(hole)") }
      guard let data else { return }
      position = data.upperBound
    }
  }

  private func isZero(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
    guard !range.isEmpty else { return true }
    return sameBytes(
      Array(bytes[range]), [UInt8](repeating: 0, count: range.count))
  }

  /// The children by both, whose names must be the same.
  private func children(
    _ path: [UInt8], _ id: Int, _ node: NodeID
  ) throws -> [([UInt8], Int, NodeID)] {
    let rows = try line.fork.list(node)
    var names: [Name: FileKind] = [:]
    var found: [([UInt8], Int, NodeID)] = []
    var cookie: UInt64 = 0
    for row in rows {
      guard row.cookie >= cookie else { throw Mismatch("\(text(path)): cookies out of order") }
      cookie = row.cookie
      let child = try line.fork.lookup(row.name, in: node)
      if let said = row.node, said != child {
        throw Mismatch("\(text(path)): the listing has another number for \(row.name)")
      }
      if row.name.isDot || row.name.isDotDot {
        let expected = row.name.isDot ? node : try parent(of: id, node)
        guard child == expected else { throw Mismatch("\(text(path)): wrong \(row.name)") }
        continue
      }
      guard names.updateValue(row.kind, forKey: row.name) == nil else {
        throw Mismatch("\(text(path)): \(row.name) is listed twice")
      }
      if let other = try? tree.lookup(row.name.bytes, in: id) {
        found.append((row.name.bytes, other, child))
      }
    }
    let expected = try line.model.names(in: id)
    guard names == expected else {
      let more = Set(names.keys).symmetricDifference(expected.keys)
      throw Mismatch("\(text(path)): the listing differs in \(more.sorted()), or in a kind")
    }
    guard rows.count == expected.count + 2 else {
      throw Mismatch("\(text(path)): the listing lacks . or ..")
    }
    return found
  }

  private func parent(of id: Int, _ node: NodeID) throws -> NodeID {
    guard id != ModelTree.root else { return .root }
    guard let path = line.fork.path(of: node), let slash = path.lastIndex(of: 0x2F) else {
      throw Mismatch("a directory has no path")
    }
    return try ClientUnderTest(line.fork).client.resolve(
      slash == 0 ? [0x2F] : Array(path[..<slash]))
  }
}
