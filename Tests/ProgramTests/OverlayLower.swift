import Glibc
import StrataEngine
import StrataTestSupport
import SystemPackage

extension TableBase {
  /// Makes the same tree in a real directory: hard links, holes, owners, times and all.
  func materialize(in directory: String) throws {
    var known: [UInt64: [UInt8]] = [:]
    try materialize(TableBase.root, at: Array(directory.utf8), objects, &known)
    for (inode, path) in known { try linkOutside(inode, path, directory, objects) }
  }

  /// Gives a directory the attributes of the table's root.
  func dressRoot(_ directory: String) throws {
    guard let root = objects[TableBase.root] else { return }
    try dress(OverlayCalls.cString(Array(directory.utf8)), root)
  }

  private func materialize(
    _ inode: UInt64, at path: [UInt8], _ objects: [UInt64: Object], _ known: inout [UInt64: [UInt8]]
  ) throws {
    guard let object = objects[inode] else { return }
    let place = OverlayCalls.cString(path)
    if let first = known[inode] {
      try OverlayCalls.check(Glibc.link(OverlayCalls.cString(first), place))
      return
    }
    known[inode] = path
    let status = object.status
    switch status.kind {
    case .directory:
      if inode != TableBase.root { try OverlayCalls.check(mkdir(place, 0o755)) }
      for (name, child) in object.entries {
        try materialize(child, at: path + [0x2F] + name.bytes, objects, &known)
      }
    case .regular: try write(object, to: place)
    case .symlink: try OverlayCalls.check(symlink(OverlayCalls.cString(object.content), place))
    case let kind:
      try OverlayCalls.check(mknod(place, kind.modeBits | status.mode, dev_t(status.device)))
    }
    try dress(place, object)
  }

  /// Makes the names outside the tree that an object has besides.
  private func linkOutside(
    _ inode: UInt64, _ path: [UInt8], _ directory: String, _ objects: [UInt64: Object]
  ) throws {
    guard let status = objects[inode]?.status, status.kind != .directory else { return }
    let names = objects.values.reduce(0) { count, other in
      count + other.entries.values.count { $0 == inode }
    }
    for number in 0..<max(Int(status.links) - names, 0) {
      let outside = "\(directory).outside-\(inode)-\(number)"
      try OverlayCalls.check(Glibc.link(OverlayCalls.cString(path), outside))
    }
  }

  private func write(_ object: Object, to place: [CChar]) throws {
    let descriptor = try OverlayCalls.check(Glibc.open(place, O_CREAT | O_WRONLY | O_EXCL, 0o600))
    defer { close(descriptor) }
    try OverlayCalls.check(ftruncate(descriptor, object.content.count))
    var position: Int64 = 0
    while let data = object.data(after: position) {
      let count = object.content.withUnsafeBytes { bytes in
        pwrite(
          descriptor, bytes.baseAddress.map { $0 + Int(data.lowerBound) }, data.count,
          Int(data.lowerBound))
      }
      guard try OverlayCalls.check(count) == data.count else { throw Errno.ioError }
      position = data.upperBound
    }
  }

  /// Gives it owner, mode, extended attributes and at last the times.
  private func dress(_ place: [CChar], _ object: Object) throws {
    let status = object.status
    try OverlayCalls.check(lchown(place, status.uid, status.gid))
    if status.kind != .symlink { try OverlayCalls.check(chmod(place, status.mode)) }
    let set = try OverlayCalls.find("lsetxattr", OverlayCalls.SetXattr.self)
    for (name, value) in object.xattrs {
      let name = OverlayCalls.cString(name.bytes)
      let result = value.withUnsafeBytes { set(place, name, $0.baseAddress, $0.count, 0) }
      try OverlayCalls.check(result)
    }
    let times = [status.accessed, status.modified].map {
      timespec(tv_sec: Int($0 / 1_000_000_000), tv_nsec: Int($0 % 1_000_000_000))
    }
    try OverlayCalls.check(utimensat(AT_FDCWD, place, times, AT_SYMLINK_NOFOLLOW))
  }
}
