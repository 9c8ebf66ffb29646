import NaiveModel
import StrataEngine
import StrataTestSupport
import SystemPackage

/// The model as something to do operations on.
struct ModelUnderTest: FileSystemUnderTest {
  struct OpenNode {
    var id: Int
    var options: OpenOptions
    /// Counts the trees that were put in the place of another before it was opened.
    var generation: Int
  }

  var tree: ModelTree
  var open: [Int: OpenNode] = [:]
  private var generation = 0
  /// Former trees that files are open in, which go on there by themselves.
  private var retired: [Int: ModelTree] = [:]
  /// Unlinked files that were closed: they go, which nobody sees but which is a change to an engine.
  private(set) var departures = 0

  init(_ tree: ModelTree) { self.tree = tree }

  mutating func perform(_ operation: FileOperation) -> FileOutcome {
    do throws(Errno) {
      try noteClosing(operation)
      return try attempt(operation)
    } catch {
      return .failed(error)
    }
  }

  private mutating func noteClosing(_ operation: FileOperation) throws(Errno) {
    let slot: Int
    switch operation {
    case .open(let number, _, _), .close(let number): slot = number
    default: return
    }
    guard let file = open[slot], file.generation == generation else { return }
    if try tree.linkCount(file.id) == 0 { departures += 1 }
  }

  /// Puts another tree in the place of this one, as undo does. Open files that are the same there go on
  /// in it.
  mutating func replaceTree(with other: ModelTree) {
    if !open.isEmpty { retired[generation] = tree }
    generation += 1
    let named = Set(other.paths().values)
    for (slot, file) in open
    where file.generation == generation - 1 && named.contains(file.id)
      && Self.isSame(tree.nodes[file.id], other.nodes[file.id])
    {
      open[slot]?.generation = generation
    }
    tree = other
  }

  private static func isSame(_ a: ModelNode?, _ b: ModelNode?) -> Bool {
    guard let a, let b, a.links > 0 else { return false }
    return a.contentVersion == b.contentVersion && a.size == b.size && a.mode == b.mode
      && a.uid == b.uid && a.gid == b.gid && a.links == b.links
      && [a.accessed, a.modified, a.changed] == [b.accessed, b.modified, b.changed]
  }

  /// Lets go of nodes that neither a name nor an open file leads to.
  mutating func collect() {
    var kept = Set(tree.paths().values)
    for file in open.values where file.generation == generation { kept.insert(file.id) }
    for old in Array(retired.keys) where !open.values.contains(where: { $0.generation == old }) {
      retired[old] = nil
    }
    for id in Array(tree.nodes.keys) where !kept.contains(id) { tree.forget(id) }
  }

  func status(of id: Int, in tree: ModelTree? = nil) throws(Errno) -> FileStatus {
    let tree = tree ?? self.tree
    let node = try tree.node(id)
    return FileStatus(
      kind: node.kind.fileKind, mode: node.mode, uid: node.uid, gid: node.gid,
      links: UInt32(try tree.linkCount(id)),
      size: node.kind == .directory ? nil : Int64(node.size),
      device: node.device, times: [node.accessed, node.modified, node.changed])
  }

  func names(in id: Int) throws(Errno) -> [Name: FileKind] {
    let node = try tree.node(id)
    guard node.kind == .directory else { throw .notDirectory }
    var names: [Name: FileKind] = [:]
    for (name, child) in node.entries { names[Name(name)] = try tree.node(child).kind.fileKind }
    return names
  }

  func xattrs(of id: Int) throws(Errno) -> [Name: [UInt8]] {
    Dictionary(uniqueKeysWithValues: try tree.node(id).xattrs.map { (Name($0.key), $0.value) })
  }

  private mutating func attempt(_ operation: FileOperation) throws(Errno) -> FileOutcome {
    switch operation {
    case .status(let path, let follow):
      return .status(try status(of: try tree.resolve(path, follow: follow)))
    case .list(let path): return .names(try names(in: try tree.resolve(path)))
    case .read(let path, let count, let offset):
      guard let id = try content(path) else { return .skipped }
      return .bytes(try tree.read(id, count, at: Int(offset)))
    case .readLink(let path):
      return .bytes(try tree.readLink(try tree.resolve(path, follow: false)))
    case .attributesList(let path, let follow):
      return .xattrs(try xattrs(of: try tree.resolve(path, follow: follow)))
    case .create, .makeDirectory, .makeSymlink, .makeSpecial, .link, .unlink, .removeDirectory,
      .rename:
      return try changeNames(operation)
    case .setMode, .setOwner, .setTimes, .setXattr, .removeXattr: try changeAttributes(operation)
    case .truncate, .write, .allocate: return try changeContent(operation)
    default: return try changeOpen(operation)
    }
    return .done
  }

  private mutating func changeNames(_ operation: FileOperation) throws(Errno) -> FileOutcome {
    switch operation {
    case .create(let path, let mode, let exclusive):
      let id = try tree.openCreating(path: path, mode: mode, exclusive: exclusive).id
      switch try tree.node(id).kind {
      case .directory: throw .isDirectory
      case .regular: break
      default: return .skipped
      }
    case .makeDirectory(let path, let mode): try tree.create(path: path, .directory, mode: mode)
    case .makeSymlink(let path, let target):
      try tree.create(path: path, .symlink(target), mode: 0o777)
    case .makeSpecial(let path, let kind, let device, let mode):
      try tree.create(path: path, .special(kind.modelKind, device: device), mode: mode)
    case .link(let path, let other): try tree.link(path, as: other)
    case .unlink(let path): try tree.unlink(path: path)
    case .removeDirectory(let path): try tree.removeDirectory(path: path)
    case .rename(let path, let other, let flags):
      var modelFlags: ModelRenameFlags = []
      if flags.contains(.noReplace) { modelFlags.insert(.noReplace) }
      if flags.contains(.exchange) { modelFlags.insert(.exchange) }
      try tree.rename(path: path, to: other, modelFlags)
    default: throw .notSupported
    }
    return .done
  }

  private mutating func changeAttributes(_ operation: FileOperation) throws(Errno) {
    switch operation {
    case .setMode(let path, let mode): try tree.setMode(try tree.resolve(path), mode)
    case .setOwner(let path, let uid, let gid, let follow):
      try tree.setOwner(try tree.resolve(path, follow: follow), uid: uid, gid: gid)
    case .setTimes(let path, let accessed, let modified, let follow):
      let id = try tree.resolve(path, follow: follow)
      try tree.setTimes(id, accessed: accessed, modified: modified)
    case .setXattr(let path, let name, let value, let mode, let follow):
      let id = try tree.resolve(path, follow: follow)
      try tree.setXattr(id, name.bytes, value, mode: mode == .any ? 0 : mode == .create ? 1 : 2)
    case .removeXattr(let path, let name, let follow):
      try tree.removeXattr(try tree.resolve(path, follow: follow), name.bytes)
    default: throw .notSupported
    }
  }

  private mutating func changeContent(_ operation: FileOperation) throws(Errno) -> FileOutcome {
    switch operation {
    case .truncate(let path, let size):
      guard size >= 0 else { throw .invalidArgument }
      guard let id = try content(path) else { return .skipped }
      // truncate(2) to the size that it has changes nothing; ftruncate(2) sets the times.
      let node = try tree.node(id)
      if node.kind == .regular, node.size == Int(size) { break }
      try tree.truncate(id, to: Int(size))
    case .write(let path, let bytes, let offset):
      guard let id = try content(path) else { return .skipped }
      guard try tree.node(id).kind == .regular else { throw .isDirectory }
      try tree.write(id, bytes, at: offset.map { Int($0) })
    case .allocate(let path, let range, let mode):
      guard let id = try content(path) else { return .skipped }
      try Self.allocate(&tree, id, range, mode)
    default: throw .notSupported
    }
    return .done
  }

  private mutating func changeOpen(_ operation: FileOperation) throws(Errno) -> FileOutcome {
    switch operation {
    case .open(let slot, let path, let options):
      open[slot] = nil
      guard let id = try content(path) else { return .skipped }
      if try tree.node(id).kind == .directory { throw .isDirectory }
      if options.contains(.truncate) { try tree.truncate(id, to: 0) }
      open[slot] = OpenNode(id: id, options: options, generation: generation)
    case .close(let slot): open[slot] = nil
    case .readOpen(let slot, let count, let offset):
      guard let file = open[slot] else { return .skipped }
      guard file.options.contains(.read) else { throw .badFileDescriptor }
      return .bytes(try tree(of: file).read(file.id, count, at: Int(offset)))
    case .writeOpen(let slot, let bytes, let offset):
      return try change(slot) { tree, file throws(Errno) in
        let isAppending = file.options.contains(.append)
        try tree.write(file.id, bytes, at: isAppending ? nil : Int(offset))
      }
    case .truncateOpen(let slot, let size):
      return try change(slot) { tree, file throws(Errno) in
        try tree.truncate(file.id, to: Int(size))
      }
    case .allocateOpen(let slot, let range, let mode):
      return try change(slot) { tree, file throws(Errno) in
        try Self.allocate(&tree, file.id, range, mode)
      }
    case .statusOpen(let slot):
      guard let file = open[slot] else { return .skipped }
      return .status(try status(of: file.id, in: tree(of: file)))
    default: throw .notSupported
    }
    return .done
  }

  private func tree(of file: OpenNode) throws(Errno) -> ModelTree {
    if file.generation == generation { return tree }
    guard let old = retired[file.generation] else { throw .staleNFSFileHandle }
    return old
  }

  /// Changes an open file in the tree that it belongs to.
  private mutating func change(
    _ slot: Int, _ body: (inout ModelTree, OpenNode) throws(Errno) -> Void
  ) throws(Errno) -> FileOutcome {
    guard let file = open[slot] else { return .skipped }
    guard file.options.contains(.write) else { throw .badFileDescriptor }
    if file.generation == generation {
      try body(&tree, file)
    } else {
      var old = try tree(of: file)
      old.now = tree.now
      try body(&old, file)
      retired[file.generation] = old
    }
    return .done
  }

  private static func allocate(
    _ tree: inout ModelTree, _ id: Int, _ range: Range<Int64>, _ mode: AllocateMode
  ) throws(Errno) {
    let range = Int(range.lowerBound)..<Int(range.upperBound)
    switch mode {
    case .extend: try tree.allocate(id, range, keepSize: false)
    case .keepSize: try tree.allocate(id, range, keepSize: true)
    case .punchHole: try tree.clear(id, range, keepSize: true)
    case .zeroRange: try tree.clear(id, range, keepSize: false)
    }
  }

  /// The node to open; nil if it is neither a file nor a directory.
  private func content(_ path: [UInt8]) throws(Errno) -> Int? {
    let id = try tree.resolve(path)
    let kind = try tree.node(id).kind
    return kind == .regular || kind == .directory ? id : nil
  }
}

extension ModelKind {
  /// Both enumerations list the same kinds under the same numbers.
  var fileKind: FileKind {
    switch self {
    case .regular: .regular
    case .directory: .directory
    case .symlink: .symlink
    case .characterDevice: .characterDevice
    case .blockDevice: .blockDevice
    case .fifo: .fifo
    case .socket: .socket
    }
  }
}

extension FileKind {
  var modelKind: ModelKind {
    switch self {
    case .regular: .regular
    case .directory: .directory
    case .symlink: .symlink
    case .characterDevice: .characterDevice
    case .blockDevice: .blockDevice
    case .fifo: .fifo
    case .socket: .socket
    }
  }
}
