internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// Makes all new objects of a commit in its directory. Nothing that has a name in the base is touched.
struct HostStaging {
  private let place: HostCommitDirectory
  private let moves: HostMoves
  private let dressing: HostDressing
  private let host = HostTree()
  private var value: Namespace { moves.plan.value }
  /// A staged name of each node that was made.
  private var made: [NodeID: [UInt8]] = [:]
  /// Attributes that the host would not take.
  private(set) var refused: [(path: [UInt8], error: FileError)] = []

  init(_ moves: HostMoves, in place: HostCommitDirectory, keepsOwners: Bool) {
    (self.moves, self.place) = (moves, place)
    dressing = HostDressing(moves, base: place.basePath, keepsOwners: keepsOwners)
  }

  mutating func stage() throws(FileError) {
    for case .make(let node, let name) in moves.moves {
      do throws(FileError) {
        try make(node, as: name)
      } catch {
        throw error.prefixed(String(decoding: path(of: node, madeAs: name), as: UTF8.self))
      }
    }
  }

  /// Where a person knows the node from.
  private func path(of node: NodeID, madeAs name: [UInt8]) -> [UInt8] {
    (try? value.allPaths(of: node))?.first ?? name
  }

  // MARK: Objects

  private mutating func make(_ node: NodeID, as name: [UInt8]) throws(FileError) {
    let target = place.staged(name)
    if let twin = made.updateValue(name, forKey: node) {
      return try host.link(place.staged(twin), as: target)
    }
    let row = try value.attributes(of: node)
    let attributes = try dressing.attributes(node)
    var refused: [FileError] = []
    switch row.kind {
    case .regular:
      let output = try HostOutput.staged(name, in: place.directory)
      let content = value.reader(of: node)
      try output.copy(
        size: row.size,
        data: { offset throws(FileError) in try content.data(after: offset) },
        read: { buffer, offset throws(FileError) in try content.read(into: buffer, at: offset) })
      refused = try output.setAttributes(attributes)
      try output.finish()
    case .directory:
      try host.makeDirectory(target, mode: 0o700)
      refused = try host.setAttributes(target, attributes)
    case .symlink:
      refused = try host.makeSymlink(
        target, target: try value.linkTarget(of: node), attributes)
    default:
      refused = try host.makeSpecial(target, row.kind, device: row.device, attributes)
    }
    guard !refused.isEmpty else { return }
    let path = path(of: node, madeAs: name)
    self.refused += refused.map { (path, $0) }
  }

  /// The moves as they are done: each names the object that it means.
  func steps() throws(FileError) -> [HostStep] {
    var steps: [HostStep] = []
    var linked: [[UInt8]: UInt64] = [:]
    for move in moves.moves {
      switch move {
      case .make: continue
      case .link(let path, let name):
        let inode = try inode(at: path)
        linked[name] = inode
        steps.append(.link(path, as: name, inode: inode))
      case .add(let name, let path):
        steps.append(.add(name, at: path, inode: linked[name] ?? 0))
      case .drop(let name): steps.append(.drop(name))
      case .unname(let path): steps.append(.unname(path, inode: try inode(at: path)))
      case .take(let path, let name):
        steps.append(.take(path, as: name, inode: try inode(at: path)))
      case .put(let name, let path): steps.append(.put(name, at: path))
      case .swap(let name, let path):
        do throws(Errno) {
          let inode = try place.directory.status(ofEntry: name).inode
          steps.append(.swap(name, with: path, inode: inode))
        } catch {
          throw FileError(error)
        }
      case .dress(let path, let node):
        steps.append(
          .dress(path, try dressing.attributes(node), former: try dressing.former(path, node)))
      }
    }
    return steps
  }

  private func inode(at path: [UInt8]) throws(FileError) -> UInt64 {
    do throws(Errno) {
      return try place.object(path).status().inode
    } catch {
      throw FileError(error)
    }
  }
}
