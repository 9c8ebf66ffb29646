internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

extension HostCommitDirectory {
  /// Takes back a step that was done; those done after it are taken back already.
  func undo(_ step: HostStep) throws(FileError) {
    do throws(Errno) {
      switch step {
      case .link(_, let name, _):
        if try isStaged(name) { try directory.unlink(name) }
      case .add(_, let path, let inode):
        guard try inode == self.inode(at: path) else { return }
        let (parent, last) = try place(path)
        try parent.unlink(last)
      case .drop, .dress: break
      case .unname(let path, let inode):
        guard try self.inode(at: path) == nil, let other = try name(of: inode, [], base) else {
          return
        }
        let (source, name) = try place(other)
        let (parent, last) = try place(path)
        try source.link(name, in: parent, as: last)
      case .take(let path, let name, _):
        guard try isStaged(name) else { return }
        let (parent, last) = try place(path)
        try directory.move(name, to: parent, last)
      case .put(let name, let path):
        guard try !isStaged(name) else { return }
        let (parent, last) = try place(path)
        try parent.move(last, to: directory, name)
      case .swap(let name, let path, let inode):
        guard try directory.status(ofEntry: name).inode != inode else { return }
        let (parent, last) = try place(path)
        try directory.exchange(name, with: parent, last)
      }
    } catch {
      throw failure(error, step)
    }
    if case .dress(let path, _, let former) = step { try dress(path, former) }
  }

  /// Looks for another name of a file in the whole tree.
  private func name(
    of inode: UInt64, _ path: [UInt8], _ directory: Descriptor
  ) throws(Errno) -> [UInt8]? {
    let list = try directory.open(entry: [UInt8(ascii: ".")], [.read, .directory])
    for entry in try list.entries() {
      let place = path + [UInt8(ascii: "/")] + entry.name.bytes
      if entry.kind == .directory {
        let child = try directory.open(entry: entry.name.bytes, [.path, .directory])
        if let found = try name(of: inode, place, child) { return found }
      } else if try directory.status(ofEntry: entry.name.bytes).inode == inode {
        return place
      }
    }
    return nil
  }
}
